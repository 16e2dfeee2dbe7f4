//! Names of header fields: which spellings are one name, and which fields the `Connection` of a client has no say in.

/// Whether `name` is made of letters, digits and `-` alone. Of other bytes servers make what they like: CGI and those
/// that copy it cannot tell `X_Role` from `X-Role` (nginx: `underscores_in_headers`, `ignore_invalid_headers`).
pub fn is_plain(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Whether `_` is the only reason why `name` may not be plain.
pub fn is_plain_but_for_underscores(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// `byte` of a name as spellings of one name share it: case aside, and every byte that is neither letter nor digit is
/// `-`.
pub fn letter(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

/// Whether `name` and `other` are spellings of one name.
pub fn is_same(name: &[u8], other: &[u8]) -> bool {
    name.len() == other.len() && name.iter().zip(other).all(|(one, other)| letter(*one) == letter(*other))
}

/// Whether `name` begins with a spelling of `front`.
pub fn begins_with(name: &[u8], front: &[u8]) -> bool {
    name.get(..front.len()).is_some_and(|begin| is_same(begin, front))
}

/// Whether `name` is a spelling of one of `names`.
pub fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|have| is_same(name, have.as_bytes()))
}

/// Fields that are about one connection (RFC 9110 7.6.1), and those with which the framing of the next hop is written.
/// No upstream sees a client's, whatever `Connection` says of them.
pub const HOP_BY_HOP: [&str; 10] = [
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

/// Fields that frame a message or belong to one connection: whoever speaks on it writes them, so rules cannot edit them.
pub const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
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

/// Whether a line of `name` is a claim about the client that only a trusted hop may make.
pub fn is_claim(name: &[u8]) -> bool {
    HOP_CLAIM_FAMILIES.iter().any(|family| begins_with(name, family.as_bytes())) || is_one_of(name, &HOP_CLAIMS)
}

/// Fields that a `Connection` cannot take away: they say where a request goes, who sends it and what its body is.
const OF_THE_REQUEST: [&str; 3] = ["host", "authorization", "cookie"];

/// Whether a client that names `name` in `Connection` is refused, whatever the rules.
pub fn is_protected(name: &[u8]) -> bool {
    is_one_of(name, &OF_THE_REQUEST) || begins_with(name, b"content-") || is_claim(name)
}

/// The fields that a `Connection` with `value` names, as they stand there: those that are about one connection anyway
/// are not among them, nor is `close`, and neither is what is no name.
pub fn named_by(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let members = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    members.filter(|member| {
        !member.is_empty() && !member.eq_ignore_ascii_case(b"close") && !is_one_of(member, &HOP_BY_HOP)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_differ_in_case_and_in_what_is_no_letter() {
        for spelling in ["x-role", "X_Role", "X.ROLE", "x~role"] {
            assert!(is_same(spelling.as_bytes(), b"X-Role"), "{spelling}");
        }
        for other in ["xrole", "x-role-", "x-rol", "x-r0le"] {
            assert!(!is_same(other.as_bytes(), b"X-Role"), "{other}");
        }
        assert!(
            is_plain(b"X-Role2") && !is_plain(b"X_Role") && !is_plain(b"X.Role") && !is_plain("X-R\u{f6}".as_bytes())
        );
        assert!(is_plain_but_for_underscores(b"X_Ro-le") && !is_plain_but_for_underscores(b"X_Ro.le"));
    }

    #[test]
    fn claims_are_known_in_every_spelling() {
        for name in ["X-Forwarded-For", "x_forwarded_anything", "Forwarded", "X_Real_IP", "X-Rulec-Plan", "x.host"] {
            assert!(is_claim(name.as_bytes()) && is_protected(name.as_bytes()), "{name}");
        }
        for name in ["X-Forward", "Accept", "X-Plan-Keys", ""] {
            assert!(!is_claim(name.as_bytes()) && !is_protected(name.as_bytes()), "{name}");
        }
        for name in ["Host", "COOKIE", "Authorization", "content-language", "Content_Length"] {
            assert!(is_protected(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_connection_names_fields_whatever_stands_around_them() {
        let named = |value: &str| -> Vec<String> {
            named_by(value.as_bytes()).map(|name| String::from_utf8_lossy(name).into_owned()).collect()
        };
        assert_eq!(named("close"), [""; 0]);
        assert_eq!(named("keep-alive, Upgrade,TE"), [""; 0]);
        assert_eq!(named(" ,\tX-Role ,, x_b,Close"), ["X-Role", "x_b"]);
    }
}
