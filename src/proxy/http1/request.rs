//! A request head, read strictly: what the matcher and the upstream see of it comes from here.

use core::mem::MaybeUninit;

use bytes::Bytes;

use super::fields::{Fields, decimal, members, offset};
use crate::matcher::{Body, Header};
use crate::proxy::fault::RequestFault;
use crate::proxy::limits::{HEAD_LINE_OCTETS_MAX, HEAD_LINES_MAX};

/// A request head, as it came.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that its lines say")]
pub(in crate::proxy) struct Head {
    method: Bytes,
    target: Bytes,
    pub(in crate::proxy) fields: Fields,
    /// 0 or 1: the digit after `HTTP/1.`
    pub(in crate::proxy) minor: u8,
    pub(in crate::proxy) body: Body,
    /// The client waits for leave to send its body.
    pub(in crate::proxy) expects_continue: bool,
    wants_close: bool,
    wants_keep_alive: bool,
    names_upgrade: bool,
    /// Why it is refused before any rule is asked.
    pub(in crate::proxy) fault: Option<RequestFault>,
}

impl Head {
    /// Reads the octets up to and including the empty line.
    pub(in crate::proxy) fn parse(bytes: &Bytes) -> Self {
        let mut storage = [const { MaybeUninit::uninit() }; HEAD_LINES_MAX];
        let mut parsed = httparse::Request::new(&mut []);
        match parsed.parse_with_uninit_headers(bytes, &mut storage) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Self::refused(RequestFault::Malformed),
            Err(error) => return Self::refused(malformed(error, bytes)),
        }
        let part = |octets: &[u8]| bytes.slice(offset(bytes, octets));
        let mut head = Self {
            method: part(parsed.method.unwrap_or_default().as_bytes()),
            target: part(parsed.path.unwrap_or_default().as_bytes()),
            fields: Fields::within(bytes.clone(), parsed.headers.iter().map(|line| (line.name.as_bytes(), line.value))),
            minor: parsed.version.unwrap_or(0),
            ..Self::refused(RequestFault::Malformed)
        };
        head.fault = head.settle().err();
        head
    }

    /// A head that did not come as text: `fields` hold no framing but a length, `ended` says that no body follows.
    pub(in crate::proxy) fn settled(method: Bytes, target: Bytes, fields: Fields, ended: bool) -> Self {
        let mut head = Self { method, target, fields, minor: 1, ..Self::refused(RequestFault::Malformed) };
        head.fault = head.settle().err();
        match head.body {
            _ if ended => head.body = Body::None,
            Body::None if !head.fields.has("content-length") => head.body = Body::Unknown,
            Body::None | Body::Octets(_) | Body::Unknown => {}
        }
        head
    }

    /// A head of which nothing is believed but that it is refused.
    pub(in crate::proxy) fn refused(fault: RequestFault) -> Self {
        Self {
            method: Bytes::new(),
            target: Bytes::new(),
            fields: Fields::default(),
            minor: 1,
            body: Body::None,
            expects_continue: false,
            wants_close: true,
            wants_keep_alive: false,
            names_upgrade: false,
            fault: Some(fault),
        }
    }

    pub(in crate::proxy) fn method(&self) -> &[u8] {
        &self.method
    }

    pub(in crate::proxy) fn target(&self) -> &[u8] {
        &self.target
    }

    /// All lines in order: name as sent, value without surrounding blanks.
    pub(in crate::proxy) fn lines(&self) -> impl Iterator<Item = Header<'_>> {
        self.fields.iter()
    }

    /// The values of all lines of `name`, in order.
    pub(in crate::proxy) fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.fields.values(name)
    }

    /// The host that is asked for: an absolute target's own, else the Host line's.
    pub(in crate::proxy) fn host(&self) -> Option<&[u8]> {
        let target = self.target();
        let begins =
            |scheme: &&[u8]| target.get(..scheme.len()).is_some_and(|front| front.eq_ignore_ascii_case(scheme));
        match [&b"http://"[..], b"https://"].iter().find(|scheme| begins(scheme)) {
            Some(scheme) => target.get(scheme.len()..)?.split(|octet| b"/?".contains(octet)).next(),
            None => self.values("host").next(),
        }
    }

    /// Whether the client would go on with this connection after the answer.
    pub(in crate::proxy) fn wants_to_stay(&self) -> bool {
        self.fault.is_none() && !self.wants_close && (self.minor >= 1 || self.wants_keep_alive)
    }

    /// The protocol that the client would go on with instead of HTTP/1.1 (RFC 9110 7.8).
    ///
    /// Only one of those that are tunnelled, and not beside a body, whose end two hops could see at different places.
    pub(in crate::proxy) fn upgrade(&self) -> Option<&[u8]> {
        let asks = self.names_upgrade && self.minor >= 1 && self.body == Body::None && self.method() == b"GET";
        let mut lines = self.values("upgrade").filter(|_| asks);
        let protocol = lines.next().filter(|_| lines.next().is_none())?;
        let name = protocol.split(|&octet| octet == b'/').next().unwrap_or_default();
        TUNNELLED.iter().any(|known| name.eq_ignore_ascii_case(known)).then_some(protocol)
    }

    /// What the lines say about framing and the connection.
    fn settle(&mut self) -> Result<(), RequestFault> {
        let names = |option: &[u8]| {
            self.values("connection").flat_map(members).any(|member| member.eq_ignore_ascii_case(option))
        };
        (self.wants_close, self.wants_keep_alive, self.names_upgrade) =
            (names(b"close"), names(b"keep-alive"), names(b"upgrade"));
        self.body = self.framing()?;
        if !target_is_possible(self.target()) {
            return Err(RequestFault::TargetInvalid);
        }
        if self.target().len() > HEAD_LINE_OCTETS_MAX {
            return Err(RequestFault::TargetTooLong);
        }
        if self.lines().any(|(name, value)| name.len() + value.len() > HEAD_LINE_OCTETS_MAX) {
            return Err(RequestFault::HeadTooLarge);
        }
        let mut expects_continue = false;
        for value in self.values("expect").flat_map(members) {
            if !value.eq_ignore_ascii_case(b"100-continue") {
                return Err(RequestFault::ExpectationFailed);
            }
            expects_continue = true;
        }
        self.expects_continue = expects_continue && self.minor >= 1;
        Ok(())
    }

    fn framing(&self) -> Result<Body, RequestFault> {
        let mut lengths = self.values("content-length");
        let mut codings = self.values("transfer-encoding");
        match (lengths.next(), codings.next()) {
            (None, None) => Ok(Body::None),
            (Some(length), None) if lengths.next().is_none() => match decimal(length) {
                Some(0) => Ok(Body::None),
                Some(octets) => Ok(Body::Octets(octets)),
                None => Err(RequestFault::FramingInvalid),
            },
            (None, Some(coding)) if codings.next().is_none() && self.minor >= 1 => {
                if coding.eq_ignore_ascii_case(b"chunked") {
                    Ok(Body::Unknown)
                } else if members(coding).any(|member| !member.eq_ignore_ascii_case(b"chunked")) {
                    Err(RequestFault::CodingUnsupported)
                } else {
                    Err(RequestFault::FramingInvalid)
                }
            }
            // Both at once, one of them twice, or chunked in HTTP/1.0.
            _ => Err(RequestFault::FramingInvalid),
        }
    }
}

/// Protocols that are tunnelled: WebSocket, and what container engines attach with. Another version of HTTP would carry
/// requests past the rules; a name that nobody knows may mean it.
const TUNNELLED: [&[u8]; 3] = [b"websocket", b"tcp", b"spdy"];

/// Only octets that RFC 3986 knows, and no fragment; the forms are the matcher's to judge.
fn target_is_possible(target: &[u8]) -> bool {
    target.iter().all(|&octet| octet.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&octet))
}

fn malformed(error: httparse::Error, bytes: &[u8]) -> RequestFault {
    let line = bytes.split(|&octet| octet == b'\r').next().unwrap_or_default();
    let version = line.rsplit(|&octet| octet == b' ').next().unwrap_or_default();
    match (error, version) {
        (httparse::Error::TooManyHeaders, _) => RequestFault::HeadTooLarge,
        (httparse::Error::Version, [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9']) => {
            RequestFault::VersionUnsupported
        }
        _ => RequestFault::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Head {
        Head::parse(&Bytes::copy_from_slice(text.as_bytes()))
    }

    fn fault(lines: &str) -> Option<RequestFault> {
        parse(&format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")).fault
    }

    #[test]
    fn a_head_is_kept_as_it_came() {
        let head = parse("DELETE /s3/a%2Fb?x=1 HTTP/1.1\r\nHost: A\r\nX-B:  1 \r\nx-b: 2\r\n\r\n");
        assert_eq!((head.method(), head.target()), (&b"DELETE"[..], &b"/s3/a%2Fb?x=1"[..]));
        let lines: Vec<_> = head.lines().collect();
        assert_eq!(lines, [(&b"Host"[..], &b"A"[..]), (b"X-B", b"1"), (b"x-b", b"2")]);
        assert_eq!(head.fault, None);
    }

    #[test]
    fn a_length_that_could_be_read_in_two_ways_is_refused() {
        assert_eq!(fault("Content-Length: 5\r\n"), None);
        assert_eq!(fault("Transfer-Encoding: chunked\r\n"), None);
        let invalid = [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: \r\n",
            "Content-Length: 9223372036854775808\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: ,chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ];
        for lines in invalid {
            assert_eq!(fault(lines), Some(RequestFault::FramingInvalid), "{lines}");
        }
        for lines in ["Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: xchunked\r\n"] {
            assert_eq!(fault(lines), Some(RequestFault::CodingUnsupported), "{lines}");
        }
        let old = parse("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(old.fault, Some(RequestFault::FramingInvalid));
    }

    #[test]
    fn targets_with_a_fragment_or_foreign_octets_are_refused() {
        for target in ["/a#b", "/a\"b", "/a\\b", "/a|b", "/{b}", "/\u{e9}"] {
            let head = parse(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!(head.fault, Some(RequestFault::TargetInvalid), "{target}");
        }
        assert_eq!(parse("GET //x/%zz?a[]=1 HTTP/1.1\r\nHost: a\r\n\r\n").fault, None);
    }

    #[test]
    fn another_protocol_is_asked_for_by_connection_and_is_no_http() {
        let asks = |lines: &str| {
            let head = parse(&format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"));
            head.upgrade().map(|protocol| String::from_utf8_lossy(protocol).into_owned())
        };
        assert_eq!(asks("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n").as_deref(), Some("websocket"));
        for lines in [
            "Upgrade: websocket\r\n",
            "Connection: upgrade\r\n",
            "Connection: upgrade\r\nUpgrade: h2c\r\n",
            "Connection: upgrade\r\nUpgrade: websocket, HTTP/2.0\r\n",
            "Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n",
            "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n",
        ] {
            assert_eq!(asks(lines), None, "{lines}");
        }
    }

    #[test]
    fn heads_that_are_none_are_refused() {
        for text in ["GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n X: a\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n"]
        {
            assert_eq!(parse(text).fault, Some(RequestFault::Malformed), "{text}");
        }
        for text in ["GET / HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n"] {
            assert_eq!(parse(text).fault, Some(RequestFault::VersionUnsupported), "{text}");
        }
        assert_eq!(fault("Expect: 200-ok\r\n"), Some(RequestFault::ExpectationFailed));
    }
}
