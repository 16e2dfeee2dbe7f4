//! Fields that a gateway must not hand on.

use super::http1::{Fields, members};
use crate::contract::field_name::{HOP_BY_HOP, is_plain};
pub(super) use crate::contract::field_name::{is_claim, is_one_of};

/// Whether a line of `name` of a request is about its connection only.
pub(super) fn is_of_connection(name: &[u8]) -> bool {
    is_one_of(name, &HOP_BY_HOP)
}

/// Names the lines of an answer that end here.
#[derive(Debug)]
pub(super) struct Dropped {
    /// What Connection names, in lower case.
    named: Vec<Vec<u8>>,
}

impl Dropped {
    /// `connection` are the values of the Connection lines.
    pub(super) fn by_connection<'v>(connection: impl Iterator<Item = &'v [u8]>) -> Self {
        Self { named: connection.flat_map(members).map(<[u8]>::to_ascii_lowercase).collect() }
    }

    /// Whether lines of `name` are about this connection only.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        is_of_connection(name) || self.named.iter().any(|named| named.eq_ignore_ascii_case(name))
    }
}

/// Takes out of an interim answer what belongs to one connection, and Content-Length: an interim answer has no body
/// (RFC 9110 8.6), and HTTP/2 clients end the stream of one that says it has (RFC 9113 8.1).
pub(super) fn clean_interim(fields: &mut Fields) {
    let dropped = Dropped::by_connection(fields.values("connection"));
    fields.retain(|name, _| !dropped.has(name) && !is_one_of(name, &["content-length"]));
}

/// Fields that decide before the body comes what becomes of a message: behind it they are an attack (RFC 9110 6.5.1).
const BEFORE_THE_BODY: [&str; 22] = [
    "age",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "host",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "retry-after",
    "set-cookie",
    "vary",
    "warning",
    "www-authenticate",
    "x-request-id",
];

/// Whether a trailer of `name` may be sent on.
pub(super) fn may_trail(name: &[u8]) -> bool {
    !is_one_of(name, &HOP_BY_HOP)
        && !is_one_of(name, &BEFORE_THE_BODY)
        && !is_claim(name)
        && name.first() != Some(&b':')
}

/// Whether a trailer of `name` of a request may be sent on: rules do not see trailers, and a name that an upstream may
/// take for another one is not sent.
pub(super) fn may_trail_request(name: &[u8]) -> bool {
    is_plain(name) && may_trail(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_end_here_are_known_in_every_spelling() {
        let dropped = Dropped::by_connection([&b"close, X-Plan-Key"[..]].into_iter());
        for name in ["Connection", "KEEP-ALIVE", "transfer_encoding", "x-plan-key", "Upgrade"] {
            assert!(dropped.has(name.as_bytes()), "{name}");
        }
        for name in ["X-Forwarded-For", "x_forwarded_anything", "Forwarded", "X_Real_IP", "X-Rulec-Plan"] {
            assert!(is_claim(name.as_bytes()), "{name}");
        }
        for name in ["X-Forward", "Accept", "X-Plan-Keys", ""] {
            assert!(!dropped.has(name.as_bytes()) && !is_claim(name.as_bytes()), "{name}");
        }
    }
}
