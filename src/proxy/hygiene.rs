//! Fields that a gateway must not hand on.

use super::client::members;

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
const HOP_CLAIMS: [&str; 9] = [
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
const HOP_CLAIM_FAMILIES: [&str; 3] = ["x-forwarded-", "x-envoy-", "x-rulec-"];

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

/// Whether a line of `name` is a claim about the client that only a trusted hop may make.
pub(super) fn is_claim(name: &[u8]) -> bool {
    let begins =
        |family: &&str| name.get(..family.len()).is_some_and(|front| front.eq_ignore_ascii_case(family.as_bytes()));
    HOP_CLAIM_FAMILIES.iter().any(begins) || is_one_of(name, &HOP_CLAIMS)
}

/// Whether `name` is one of `names`, case aside.
pub(super) fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|have| have.as_bytes().eq_ignore_ascii_case(name))
}
