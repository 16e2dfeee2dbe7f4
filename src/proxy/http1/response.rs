//! The head of an upstream's answer, as strictly read as a request's.

use core::mem::MaybeUninit;

use bytes::Bytes;

use super::Chunked;
use super::fields::{Fields, decimal, members};
use crate::proxy::fault::UpstreamFault;
use crate::proxy::limits::RESPONSE_LINES_MAX;

/// An answer's head.
#[derive(Debug)]
pub(in crate::proxy) struct ResponseHead {
    pub(in crate::proxy) status: u16,
    pub(in crate::proxy) fields: Fields,
    pub(in crate::proxy) framing: Framing,
    pub(in crate::proxy) persistent: bool,
    /// `Keep-Alive: timeout=`, in seconds.
    pub(in crate::proxy) keep_alive_seconds: Option<u64>,
}

/// How an answer's body ends.
#[derive(Debug)]
pub(in crate::proxy) enum Framing {
    None,
    Octets(u64),
    Chunked(Chunked),
    /// With the connection.
    Close,
}

impl ResponseHead {
    /// Reads the octets up to and including the empty line; `head_only` says that the request was a HEAD.
    pub(in crate::proxy) fn parse(bytes: &Bytes, head_only: bool) -> Result<Self, UpstreamFault> {
        let mut storage = [const { MaybeUninit::uninit() }; RESPONSE_LINES_MAX];
        let mut parsed = httparse::Response::new(&mut []);
        let parser = httparse::ParserConfig::default();
        match parser.parse_response_with_uninit_headers(&mut parsed, bytes, &mut storage) {
            Ok(httparse::Status::Complete(_)) => {}
            Err(httparse::Error::TooManyHeaders) => return Err(UpstreamFault::ResponseHeadTooLarge),
            Ok(httparse::Status::Partial) | Err(_) => return Err(UpstreamFault::ResponseMalformed),
        }
        let status = parsed.code.filter(|code| (100..=599).contains(code)).ok_or(UpstreamFault::ResponseMalformed)?;
        let lines = parsed.headers.iter().map(|line| (line.name.as_bytes(), line.value));
        let fields = Fields::within(bytes.clone(), lines);
        let modern = parsed.version == Some(1);
        let framing = framing(&fields, status, head_only, modern)?;
        let connection = || fields.values("connection").flat_map(members);
        let close = connection().any(|member| member.eq_ignore_ascii_case(b"close"));
        let keep = modern || connection().any(|member| member.eq_ignore_ascii_case(b"keep-alive"));
        let keep_alive_seconds = fields.values("keep-alive").flat_map(members).find_map(timeout);
        Ok(Self { status, framing, persistent: keep && !close, keep_alive_seconds, fields })
    }
}

fn framing(fields: &Fields, status: u16, head_only: bool, modern: bool) -> Result<Framing, UpstreamFault> {
    let mut lengths = fields.values("content-length");
    let mut codings = fields.values("transfer-encoding");
    let framing = match (lengths.next(), codings.next()) {
        (None, None) => Framing::Close,
        (Some(length), None) if lengths.next().is_none() => {
            Framing::Octets(decimal(length).ok_or(UpstreamFault::ResponseFraming)?)
        }
        (None, Some(coding)) if codings.next().is_none() && modern && coding.eq_ignore_ascii_case(b"chunked") => {
            Framing::Chunked(Chunked::new())
        }
        // Both at once, one of them twice, another coding: two hops could cut the stream differently.
        _ => return Err(UpstreamFault::ResponseFraming),
    };
    let bodiless = head_only || status < 200 || status == 204 || status == 304;
    Ok(if bodiless { Framing::None } else { framing })
}

fn timeout(member: &[u8]) -> Option<u64> {
    let (name, value) = member.split_at_checked(8)?;
    if name.eq_ignore_ascii_case(b"timeout=") { decimal(value) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ResponseHead, UpstreamFault> {
        ResponseHead::parse(&Bytes::copy_from_slice(text.as_bytes()), false)
    }

    #[test]
    fn answers_that_could_be_cut_in_two_ways_are_malformed() {
        let lines = [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: -1\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        ];
        for line in lines {
            let answer = read(&format!("HTTP/1.1 200 OK\r\n{line}\r\n"));
            assert_eq!(answer.map(|head| head.status), Err(UpstreamFault::ResponseFraming), "{line}");
        }
        for line in ["X-A: 1\r\n folded\r\n", "X A: 1\r\n"] {
            let answer = read(&format!("HTTP/1.1 200 OK\r\n{line}\r\n"));
            assert_eq!(answer.map(|head| head.status), Err(UpstreamFault::ResponseMalformed), "{line}");
        }
    }

    #[test]
    fn bodies_end_as_method_status_and_fields_say() {
        let framing = |text: &str| format!("{:?}", read(text).unwrap().framing);
        assert_eq!(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), "Octets(5)");
        assert_eq!(framing("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), "None");
        assert_eq!(framing("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), "None");
        assert_eq!(framing("HTTP/1.0 200 OK\r\n\r\n"), "Close");
        let head =
            ResponseHead::parse(&Bytes::from_static(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), true).unwrap();
        assert!(matches!(head.framing, Framing::None));
    }

    #[test]
    fn persistence_and_its_time_are_learnt() {
        let head = read("HTTP/1.1 200 OK\r\nKeep-Alive: max=5, timeout=7\r\nContent-Length: 0\r\n\r\n").unwrap();
        assert_eq!((head.persistent, head.keep_alive_seconds), (true, Some(7)));
        assert!(!read("HTTP/1.1 200 OK\r\nConnection: foo, Close\r\n\r\n").unwrap().persistent);
        assert!(!read("HTTP/1.0 200 OK\r\n\r\n").unwrap().persistent);
    }
}
