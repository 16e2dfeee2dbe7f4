//! A request head, read strictly: what the matcher and the upstream see of it comes from here.

use core::ops::Range;

use bytes::Bytes;

use crate::matcher::{Body, Header};
use crate::proxy::fault::RequestFault;
use crate::proxy::limits::{HEAD_LINE_OCTETS_MAX, HEAD_LINES_MAX};

/// A request head as it came.
#[derive(Debug)]
pub(in crate::proxy) struct Head {
    bytes: Bytes,
    // Invariant: every range lies within `bytes`.
    method: Range<usize>,
    target: Range<usize>,
    lines: Vec<(Range<usize>, Range<usize>)>,
    /// 0 or 1: the digit after `HTTP/1.`
    pub(super) minor: u8,
    pub(in crate::proxy) body: Body,
    pub(super) expects_continue: bool,
    pub(super) wants_close: bool,
    pub(super) wants_keep_alive: bool,
    /// Why it is refused before any rule is asked.
    pub(super) fault: Option<RequestFault>,
}

impl Head {
    /// Reads the octets up to and including the empty line.
    pub(super) fn parse(bytes: &Bytes) -> Self {
        let mut storage = [httparse::EMPTY_HEADER; HEAD_LINES_MAX];
        let mut parsed = httparse::Request::new(&mut storage);
        match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Self::refused(RequestFault::Malformed),
            Err(error) => return Self::refused(malformed(error, bytes)),
        }
        let within = |part: &[u8]| offset(bytes, part);
        let method = within(parsed.method.unwrap_or_default().as_bytes());
        let target = within(parsed.path.unwrap_or_default().as_bytes());
        let lines =
            parsed.headers.iter().map(|line| (within(line.name.as_bytes()), within(trimmed(line.value)))).collect();
        let minor = parsed.version.unwrap_or(0);
        let mut head =
            Self { method, target, lines, minor, bytes: bytes.clone(), ..Self::refused(RequestFault::Malformed) };
        head.fault = head.settle().err();
        head
    }

    /// A head of which nothing is believed but that it is refused.
    pub(super) fn refused(fault: RequestFault) -> Self {
        Self {
            bytes: Bytes::new(),
            method: 0..0,
            target: 0..0,
            lines: Vec::new(),
            minor: 1,
            body: Body::None,
            expects_continue: false,
            wants_close: true,
            wants_keep_alive: false,
            fault: Some(fault),
        }
    }

    /// Why it is refused before any rule is asked.
    pub(in crate::proxy) fn fault(&self) -> Option<RequestFault> {
        self.fault
    }

    /// The client waits for leave to send its body.
    pub(in crate::proxy) fn expects_continue(&self) -> bool {
        self.expects_continue
    }

    pub(in crate::proxy) fn method(&self) -> &[u8] {
        self.bytes.get(self.method.clone()).unwrap_or_default()
    }

    pub(in crate::proxy) fn target(&self) -> &[u8] {
        self.bytes.get(self.target.clone()).unwrap_or_default()
    }

    /// All lines in order: name as sent, value without surrounding blanks.
    pub(in crate::proxy) fn lines(&self) -> impl Iterator<Item = Header<'_>> {
        let part = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        self.lines.iter().map(move |(name, value)| (part(name), part(value)))
    }

    /// The values of all lines of `name`, in order.
    pub(in crate::proxy) fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.lines().filter(|(have, _)| have.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
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

    /// The head that hyper is given for this one: framing and persistence, nothing else.
    ///
    /// Everything else goes past it, so that nothing it would repair, hide or reject counts.
    pub(super) fn for_hyper(&self) -> Vec<u8> {
        let method = if self.method() == b"HEAD" { "HEAD" } else { "GET" };
        let body = if self.fault.is_some() { Body::None } else { self.body };
        let framing = match body {
            Body::None => String::new(),
            Body::Octets(octets) => format!("content-length: {octets}\r\n"),
            Body::Unknown => "transfer-encoding: chunked\r\n".to_owned(),
        };
        let connection = match (self.wants_close || self.fault.is_some(), self.wants_keep_alive) {
            (true, _) => "connection: close\r\n",
            (false, true) => "connection: keep-alive\r\n",
            (false, false) => "",
        };
        let expect = if self.expects_continue && body != Body::None { "expect: 100-continue\r\n" } else { "" };
        format!("{method} / HTTP/1.{}\r\n{framing}{connection}{expect}\r\n", self.minor).into_bytes()
    }

    /// What the lines say about framing and the connection.
    fn settle(&mut self) -> Result<(), RequestFault> {
        self.wants_close = false;
        let connection: Vec<Vec<u8>> =
            self.values("connection").flat_map(members).map(<[u8]>::to_ascii_lowercase).collect();
        self.wants_close = connection.iter().any(|member| member == b"close");
        self.wants_keep_alive = connection.iter().any(|member| member == b"keep-alive");
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

/// The members of a comma-separated list, without blanks and empty ones.
pub(in crate::proxy) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&octet| octet == b',').map(trimmed).filter(|member| !member.is_empty())
}

/// Without blanks around.
pub(in crate::proxy) fn trimmed(value: &[u8]) -> &[u8] {
    value.trim_ascii_start().trim_ascii_end()
}

/// A length: digits only, below 10^18, so that nobody's arithmetic wraps.
pub(in crate::proxy) fn decimal(value: &[u8]) -> Option<u64> {
    let digits = (1..=18).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    if !digits {
        return None;
    }
    Some(value.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// Only octets that RFC 3986 knows, and no fragment; the forms are the matcher's to judge.
fn target_is_possible(target: &[u8]) -> bool {
    target.iter().all(|&octet| octet.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&octet))
}

/// Where `part` lies in `whole`, of which it is a part.
fn offset(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + part.len()
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
