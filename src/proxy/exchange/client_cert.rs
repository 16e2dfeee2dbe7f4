//! `Client-Cert` (RFC 9440): what a client showed in the handshake, for those behind.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of the field: the certificate in base64 between colons.
pub(super) fn value(certificate: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(certificate.len().div_ceil(3) * 4 + 2);
    out.push(b':');
    for three in certificate.chunks(3) {
        let number = (0..3).fold(0_u32, |number, at| number << 8 | three.get(at).map_or(0, |octet| u32::from(*octet)));
        for at in 0..4 {
            let six = usize::try_from(number >> (18 - 6 * at) & 63).unwrap_or_default();
            let letter = LETTERS.get(six).copied().unwrap_or_default();
            out.push(if at > three.len() { b'=' } else { letter });
        }
    }
    out.push(b':');
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_base64_between_colons() {
        let check = |octets: &[u8], expect: &str| assert_eq!(super::value(octets), expect.as_bytes());
        check(b"", "::");
        check(b"f", ":Zg==:");
        check(b"fo", ":Zm8=:");
        check(b"foobar", ":Zm9vYmFy:");
        check(&[0xFB, 0xEF, 0xFF], ":++//:");
    }
}
