//! The head of a request to an upstream, written from what was parsed.

use core::net::IpAddr;

use super::client::Head;
use super::hygiene::{Dropped, is_claim, is_one_of};
use super::verdict::Edit;
use crate::matcher::{Body, BodyAction, EditAction, Scheme, Side};

/// What a head is written from.
#[derive(Debug)]
pub(super) struct RequestHead<'r> {
    pub(super) head: &'r Head,
    /// The method to send.
    pub(super) method: &'r [u8],
    /// The target to send.
    pub(super) target: &'r [u8],
    pub(super) body: BodyAction,
    pub(super) edits: &'r [Edit],
    pub(super) request_id: &'r str,
    /// The address at the other end of the client's connection.
    pub(super) peer: IpAddr,
    /// Whether what that peer says about others counts.
    pub(super) peer_is_trusted: bool,
    pub(super) scheme: Scheme,
}

/// Lines that are written here, never copied.
const OURS: [&str; 4] = ["host", "content-length", "expect", "x-request-id"];
const FORWARDED: [&str; 3] = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];
const OF_A_BODY: [&str; 2] = ["content-type", "content-encoding"];

type Line<'l> = (&'l [u8], Vec<u8>);

impl RequestHead<'_> {
    /// The octets, for a server whose Host is `host`.
    pub(super) fn write(&self, host: &str) -> Vec<u8> {
        let mut lines: Vec<Line<'_>> = vec![(b"Host", host.as_bytes().to_vec())];
        self.copy(&mut lines);
        self.forwarded(&mut lines);
        for edit in self.edits.iter().filter(|edit| edit.side == Side::Request) {
            apply(edit, &mut lines);
        }
        // An edit that drops Host leaves the upstream's: HTTP/1.1 must have one.
        if !lines.iter().any(|(name, _)| name.eq_ignore_ascii_case(b"host")) {
            lines.insert(0, (b"Host", host.as_bytes().to_vec()));
        }
        let mut out = Vec::with_capacity(512);
        for part in [self.method, b" ", self.target, b" HTTP/1.1\r\n"] {
            out.extend_from_slice(part);
        }
        for (name, value) in &lines {
            for part in [name, &b": "[..], value, b"\r\n"] {
                out.extend_from_slice(part);
            }
        }
        out.extend_from_slice(self.framing().as_bytes());
        out.extend_from_slice(b"\r\n");
        out
    }

    /// The client's lines, less those that end here.
    fn copy<'l>(&'l self, lines: &mut Vec<Line<'l>>) {
        let dropped = Dropped::by_connection(self.head.values("connection"));
        let strips = self.body == BodyAction::Strip;
        for (name, value) in self.head.lines() {
            let ends_here = dropped.has(name)
                || is_one_of(name, &OURS)
                || is_one_of(name, &FORWARDED)
                || (strips && is_one_of(name, &OF_A_BODY))
                || (!self.peer_is_trusted && is_claim(name));
            if !ends_here {
                lines.push((name, value.to_vec()));
            }
        }
    }

    /// What the upstream is told about the client.
    fn forwarded(&self, lines: &mut Vec<Line<'_>>) {
        let before = |name| self.head.values(name).filter(|value| self.peer_is_trusted && !value.is_empty());
        let mut hops: Vec<Vec<u8>> = before("x-forwarded-for").map(<[u8]>::to_vec).collect();
        hops.push(self.peer.to_string().into_bytes());
        lines.push((b"X-Forwarded-For", hops.join(&b", "[..])));
        lines.push((b"X-Forwarded-Proto", self.scheme.name().as_bytes().to_vec()));
        let host = before("x-forwarded-host").next().or_else(|| self.head.host());
        lines.extend(host.map(|host| (&b"X-Forwarded-Host"[..], host.to_vec())));
        lines.push((b"X-Request-Id", self.request_id.as_bytes().to_vec()));
    }

    fn framing(&self) -> String {
        match (self.body, self.head.body) {
            (BodyAction::Forward, Body::Octets(octets)) => format!("Content-Length: {octets}\r\n"),
            (BodyAction::Forward, Body::Unknown) => "Transfer-Encoding: chunked\r\n".to_owned(),
            // An empty body is said where the method means one, as RFC 9110 8.6 wants, or where the client said it.
            _ if self.body != BodyAction::Strip && self.says_empty() => "Content-Length: 0\r\n".to_owned(),
            _ => String::new(),
        }
    }

    fn says_empty(&self) -> bool {
        let means_body = matches!(self.method, b"POST" | b"PUT" | b"PATCH");
        means_body || self.head.values("content-length").next().is_some()
    }
}

/// Applies an edit to the lines of a head.
fn apply<'l>(edit: &'l Edit, lines: &mut Vec<Line<'l>>) {
    if edit.action != EditAction::Add {
        lines.retain(|(name, _)| !edit.names(name));
    }
    if edit.action != EditAction::Drop {
        lines.push((&edit.name, edit.value.clone()));
    }
}
