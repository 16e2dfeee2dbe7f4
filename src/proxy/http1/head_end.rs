//! Where a head ends.

use super::is_token;

/// What [`head_end`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum HeadEnd {
    /// Behind this many octets.
    At(usize),
    /// Not among these octets.
    Unseen,
    /// These octets are no head, whatever follows.
    Malformed,
}

/// Where the head at the front of `buffer` ends. It begins with a token, and no line of it ends in a bare LF.
///
/// `scanned` octets at the front have been looked at before.
pub(in crate::proxy) fn head_end(buffer: &[u8], scanned: usize) -> HeadEnd {
    if buffer.first().is_some_and(|&octet| !is_token(octet) && octet != b'\r') {
        return HeadEnd::Malformed;
    }
    let from = scanned.saturating_sub(3);
    let rest = buffer.get(from..).unwrap_or_default();
    for at in memchr::memchr_iter(b'\n', rest) {
        match buffer.get(..from + at).unwrap_or_default() {
            [.., b'\r', b'\n', b'\r'] => return HeadEnd::At(from + at + 1),
            [.., b'\r'] => {}
            _ => return HeadEnd::Malformed,
        }
    }
    HeadEnd::Unseen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line_and_has_no_bare_line_feed() {
        assert_eq!(head_end(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", 0), HeadEnd::At(25));
        assert_eq!(head_end(b"GET / HTTP/1.1\r\nA: b\r\n\r\n", 23), HeadEnd::At(24));
        assert_eq!(head_end(b"HTTP/1.1 200 OK\r\nA: b\r\n", 0), HeadEnd::Unseen);
        assert_eq!(head_end(b"HTTP/1.1 200 OK\n\n", 0), HeadEnd::Malformed);
        assert_eq!(head_end(b" GET / HTTP/1.1\r\n", 0), HeadEnd::Malformed);
    }
}
