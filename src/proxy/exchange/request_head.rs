//! The head of a request to an upstream, written from what was parsed.

use core::fmt::Write as _;

use bytes::{BufMut as _, BytesMut};

use super::origin::Origin;
use super::{client_cert, forwarded};
use crate::matcher::{Body, BodyAction, EditAction, Omitted, Side};
use crate::proxy::client::Client;
use crate::proxy::config::Forwarded;
use crate::proxy::http1::{Head, put_line};
use crate::proxy::hygiene::{is_claim, is_of_connection, is_one_of};
use crate::proxy::verdict::Edit;

/// What a head is written from.
#[derive(Debug)]
pub(super) struct RequestHead<'r> {
    pub(super) head: &'r Head,
    /// The method to send.
    pub(super) method: &'r [u8],
    /// The target to send.
    pub(super) target: &'r [u8],
    pub(super) body: BodyAction,
    /// The client's lines that no rule has seen, in order.
    pub(super) omitted: &'r [Omitted],
    pub(super) edits: &'r [Edit],
    pub(super) request_id: &'r str,
    pub(super) client: &'r Client,
    pub(super) origin: &'r Origin<'r>,
    /// The protocol to go on with, where the client asks for one.
    pub(super) upgrade: Option<&'r [u8]>,
    /// The body is sent when the upstream says so.
    pub(super) on_leave: bool,
}

/// Lines that are written here, never copied.
const OURS: [&str; 4] = ["host", "content-length", "expect", "x-request-id"];
const FORWARDED: [&str; 4] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"];
const CERTIFICATE: [&str; 2] = ["client-cert", "client-cert-chain"];
const OF_A_BODY: [&str; 2] = ["content-type", "content-encoding"];

impl RequestHead<'_> {
    /// The octets, for a server whose Host is `host`.
    pub(super) fn write(&self, host: &str) -> BytesMut {
        let mut out = BytesMut::with_capacity(1024);
        for part in [self.method, b" ", self.target, b" HTTP/1.1\r\n"] {
            out.put_slice(part);
        }
        // HTTP/1.1 must have a Host: an edit may put another in its place, one that drops it leaves the upstream's.
        if !self.added().any(|edit| edit.names(b"host")) {
            put_line(&mut out, b"Host", host.as_bytes());
        }
        self.copy(&mut out);
        self.forwarded(&mut out);
        for edit in self.added() {
            put_line(&mut out, &edit.name, &edit.value);
        }
        self.framing(&mut out);
        if let Some(protocol) = self.upgrade {
            put_line(&mut out, b"Connection", b"upgrade");
            put_line(&mut out, b"Upgrade", protocol);
        }
        out.put_slice(b"\r\n");
        out
    }

    /// The client's lines, less those that end here.
    fn copy(&self, out: &mut BytesMut) {
        let strips = self.body == BodyAction::Strip;
        let has_certificate = self.client.peer.certificate.is_some();
        let mut omitted = self.omitted.iter().map(|omitted| omitted.line).peekable();
        for (line, (name, value)) in self.head.lines().enumerate() {
            let ends_here = omitted.next_if_eq(&line).is_some()
                || is_of_connection(name)
                || is_one_of(name, &OURS)
                || is_one_of(name, &FORWARDED)
                || (strips && is_one_of(name, &OF_A_BODY))
                || (has_certificate && is_one_of(name, &CERTIFICATE))
                || (!self.origin.peer_is_trusted && is_claim(name));
            if !ends_here {
                self.line(out, name, value);
            }
        }
    }

    /// What the upstream is told about the client.
    fn forwarded(&self, out: &mut BytesMut) {
        let told = &self.origin.told;
        let address = self.client.peer.address;
        let peer = address.to_string();
        let mut hops: Vec<&[u8]> = told.hops.iter().map(AsRef::as_ref).collect();
        hops.push(peer.as_bytes());
        let (host, scheme) = (told.host.as_deref().or_else(|| self.head.host()), self.origin.scheme.name());
        self.line(out, b"X-Forwarded-For", &hops.join(&b", "[..]));
        self.line(out, b"X-Forwarded-Proto", scheme.as_bytes());
        if let Some(host) = host {
            self.line(out, b"X-Forwarded-Host", host);
        }
        if self.client.listener.forwarded == Forwarded::Standard {
            let ours = forwarded::element(address, self.head.host(), scheme);
            let mut elements = told.forwarded.clone();
            elements.push(&ours);
            self.line(out, b"Forwarded", &elements.join(&b", "[..]));
        }
        if let Some(certificate) = &self.client.peer.certificate {
            self.line(out, b"Client-Cert", &client_cert::value(certificate));
        }
        self.line(out, b"X-Request-Id", self.request_id.as_bytes());
    }

    /// A line that stands before all edits: it stays unless one of them takes it away.
    fn line(&self, out: &mut BytesMut, name: &[u8], value: &[u8]) {
        if !self.edits.iter().any(|edit| takes_away(edit, name)) {
            put_line(out, name, value);
        }
    }

    /// The edits whose lines no later one takes away.
    fn added(&self) -> impl Iterator<Item = &Edit> {
        let lines = self.edits.iter().enumerate().filter(|(_, edit)| is_of_request(edit));
        lines.filter_map(|(at, edit)| {
            let taken = self.edits.iter().skip(at + 1).any(|later| takes_away(later, &edit.name));
            (edit.action != EditAction::Drop && !taken).then_some(edit)
        })
    }

    fn framing(&self, out: &mut BytesMut) {
        match (self.body, self.head.body) {
            (BodyAction::Forward, Body::Octets(octets)) => {
                // Writing to a BytesMut cannot fail.
                let _ = write!(out, "Content-Length: {octets}\r\n");
            }
            (BodyAction::Forward, Body::Unknown) => put_line(out, b"Transfer-Encoding", b"chunked"),
            // An empty body is said where the method means one, as RFC 9110 8.6 wants, or where the client said it.
            _ if self.body != BodyAction::Strip && self.says_empty() => put_line(out, b"Content-Length", b"0"),
            _ => {}
        }
        if self.on_leave {
            put_line(out, b"Expect", b"100-continue");
        }
    }

    fn says_empty(&self) -> bool {
        let means_body = matches!(self.method, b"POST" | b"PUT" | b"PATCH");
        means_body || self.head.values("content-length").next().is_some()
    }
}

fn is_of_request(edit: &Edit) -> bool {
    edit.side == Side::Request && edit.action != EditAction::Relocate
}

/// Whether a line of `name` that stands before `edit` goes with it.
fn takes_away(edit: &Edit, name: &[u8]) -> bool {
    is_of_request(edit) && edit.action != EditAction::Add && edit.names(name)
}
