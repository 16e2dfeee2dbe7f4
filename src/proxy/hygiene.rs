//! Fields that a gateway must not hand on.

use super::http1::{Fields, members};

/// Fields that are about one connection (RFC 9110 7.6.1), and those with which our own framing is written.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "proxy-authenticate",
    "proxy-authorization",
];

/// Fields by which a hop says what a client asked for; from anyone but a trusted hop they are a client's invention.
const HOP_CLAIMS: [&str; 11] = [
    "client-cert",
    "client-cert-chain",
    "forwarded",
    "x-real-ip",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-original-host",
    "x-host",
];

/// Whole families of them; the last is for what this gateway may say itself one day.
const HOP_CLAIM_FAMILIES: [&str; 5] = ["x-forwarded-", "x-client-cert", "x-ssl-client-", "x-envoy-", "x-rulec-"];

/// Names the lines that end here.
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
        is_one_of(name, &HOP_BY_HOP) || self.named.iter().any(|named| named.eq_ignore_ascii_case(name))
    }
}

/// Takes out of an interim answer what belongs to one connection, and Content-Length: an interim answer has no body
/// (RFC 9110 8.6), and HTTP/2 clients end the stream of one that says it has (RFC 9113 8.1).
pub(super) fn clean_interim(fields: &mut Fields) {
    let dropped = Dropped::by_connection(fields.values("connection"));
    fields.retain(|name, _| !dropped.has(name) && !is_one_of(name, &["content-length"]));
}

/// Whether a line of `name` is a claim about the client that only a trusted hop may make.
pub(super) fn is_claim(name: &[u8]) -> bool {
    let begins = |family: &&str| name.get(..family.len()).is_some_and(|front| is_same(front, family));
    HOP_CLAIM_FAMILIES.iter().any(begins) || is_one_of(name, &HOP_CLAIMS)
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

/// Whether `name` is one of `names`, as an upstream may read it.
pub(super) fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|have| is_same(name, have))
}

/// Case aside, and `_` for `-`: servers that put fields in the environment cannot tell those apart.
fn is_same(name: &[u8], have: &str) -> bool {
    let plain = |octet: u8| if octet == b'_' { b'-' } else { octet.to_ascii_lowercase() };
    name.len() == have.len() && name.iter().zip(have.bytes()).all(|(&octet, want)| plain(octet) == want)
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
