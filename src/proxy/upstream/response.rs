//! The head of an upstream's answer, as strictly read as a request's.

use bytes::Bytes;

use crate::proxy::chunked::Chunked;
use crate::proxy::client::{decimal, members};
use crate::proxy::fault::UpstreamFault;
use crate::proxy::limits::RESPONSE_LINES_MAX;

/// An answer's head.
#[derive(Debug)]
pub(in crate::proxy) struct ResponseHead {
    pub(in crate::proxy) status: u16,
    /// All lines in order: name as sent, value without surrounding blanks.
    pub(in crate::proxy) lines: Vec<(Bytes, Bytes)>,
    pub(super) framing: Framing,
    pub(super) persistent: bool,
    /// `Keep-Alive: timeout=`, in seconds.
    pub(super) keep_alive_seconds: Option<u64>,
}

/// How an answer's body ends.
#[derive(Debug)]
pub(super) enum Framing {
    None,
    Octets(u64),
    Chunked(Chunked),
    /// With the connection.
    Close,
}

/// Where the head at the front of `buffer` ends; None where it does not yet.
pub(super) fn find_end(buffer: &[u8]) -> Result<Option<usize>, UpstreamFault> {
    for (at, _) in buffer.iter().enumerate().filter(|&(_, &octet)| octet == b'\n') {
        match buffer.get(..at).unwrap_or_default() {
            [.., b'\r', b'\n', b'\r'] => return Ok(Some(at + 1)),
            [.., b'\r'] => {}
            _ => return Err(UpstreamFault::ResponseMalformed),
        }
    }
    Ok(None)
}

/// Reads the octets up to and including the empty line; `head_only` says that the request was a HEAD.
pub(super) fn parse(bytes: &Bytes, head_only: bool) -> Result<ResponseHead, UpstreamFault> {
    let mut storage = [httparse::EMPTY_HEADER; RESPONSE_LINES_MAX];
    let mut parsed = httparse::Response::new(&mut storage);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(UpstreamFault::ResponseHeadTooLarge),
        Ok(httparse::Status::Partial) | Err(_) => return Err(UpstreamFault::ResponseMalformed),
    }
    let status = parsed.code.filter(|code| (100..=599).contains(code)).ok_or(UpstreamFault::ResponseMalformed)?;
    let part = |octets: &[u8]| if octets.is_empty() { Bytes::new() } else { bytes.slice_ref(octets) };
    let lines: Vec<(Bytes, Bytes)> =
        parsed.headers.iter().map(|line| (part(line.name.as_bytes()), part(line.value.trim_ascii()))).collect();
    let modern = parsed.version == Some(1);
    let framing = framing(&lines, status, head_only, modern)?;
    let connection = || values(&lines, "connection").flat_map(members);
    let close = connection().any(|member| member.eq_ignore_ascii_case(b"close"));
    let keep = modern || connection().any(|member| member.eq_ignore_ascii_case(b"keep-alive"));
    let keep_alive_seconds = values(&lines, "keep-alive").flat_map(members).find_map(timeout);
    Ok(ResponseHead { status, framing, persistent: keep && !close, keep_alive_seconds, lines })
}

/// The values of all lines of `name`, in order.
pub(super) fn values<'l>(lines: &'l [(Bytes, Bytes)], name: &'l str) -> impl Iterator<Item = &'l [u8]> {
    lines.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value.as_ref())
}

fn framing(lines: &[(Bytes, Bytes)], status: u16, head_only: bool, modern: bool) -> Result<Framing, UpstreamFault> {
    let mut lengths = values(lines, "content-length");
    let mut codings = values(lines, "transfer-encoding");
    let framing = match (lengths.next(), codings.next()) {
        (None, None) => Framing::Close,
        (Some(length), None) if lengths.next().is_none() => {
            Framing::Octets(decimal(length).ok_or(UpstreamFault::ResponseMalformed)?)
        }
        (None, Some(coding)) if codings.next().is_none() && modern && coding.eq_ignore_ascii_case(b"chunked") => {
            Framing::Chunked(Chunked::new())
        }
        // Both at once, one of them twice, another coding: two hops could cut the stream differently.
        _ => return Err(UpstreamFault::ResponseMalformed),
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
        parse(&Bytes::copy_from_slice(text.as_bytes()), false)
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
            "X-A: 1\r\n folded\r\n",
            "X A: 1\r\n",
        ];
        for line in lines {
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
        let head = parse(&Bytes::from_static(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), true).unwrap();
        assert!(matches!(head.framing, Framing::None));
    }

    #[test]
    fn persistence_and_its_time_are_learnt() {
        let head = read("HTTP/1.1 200 OK\r\nKeep-Alive: max=5, timeout=7\r\nContent-Length: 0\r\n\r\n").unwrap();
        assert_eq!((head.persistent, head.keep_alive_seconds), (true, Some(7)));
        assert!(!read("HTTP/1.1 200 OK\r\nConnection: foo, Close\r\n\r\n").unwrap().persistent);
        assert!(!read("HTTP/1.0 200 OK\r\n\r\n").unwrap().persistent);
    }

    #[test]
    fn a_bare_line_feed_is_malformed() {
        assert_eq!(find_end(b"HTTP/1.1 200 OK\n\n"), Err(UpstreamFault::ResponseMalformed));
        assert_eq!(find_end(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"), Ok(Some(25)));
        assert_eq!(find_end(b"HTTP/1.1 200 OK\r\nA: b\r\n"), Ok(None));
    }
}
