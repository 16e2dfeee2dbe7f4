//! Octets of a request as logs hold them: nothing in them can end a line or a field.

use crate::matcher::internal::spelling::pieces;

/// Appends `octets` for a JSON string: each is the character of its number.
pub(in crate::proxy) fn escape_json(octets: &[u8], into: &mut Vec<u8>) {
    let mut plain = 0;
    for (at, &octet) in octets.iter().enumerate() {
        if (b' '..0x7f).contains(&octet) && octet != b'"' && octet != b'\\' {
            continue;
        }
        into.extend_from_slice(octets.get(plain..at).unwrap_or_default());
        plain = at + 1;
        match octet {
            b'"' | b'\\' => into.extend_from_slice(&[b'\\', octet]),
            // C1 controls are controls of a terminal too.
            0..b' ' | 0x7f..=0x9f => {
                into.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(octet >> 4), digit(octet & 15)]);
            }
            // Latin-1 in UTF-8.
            _ => into.extend_from_slice(&[0xc0 | (octet >> 6), 0x80 | (octet & 0x3f)]),
        }
    }
    into.extend_from_slice(octets.get(plain..).unwrap_or_default());
}

/// Appends `octets` as nginx writes a variable: `\xHH` for what is not printable ASCII, for `"` and `\`.
pub(in crate::proxy) fn escape_combined(octets: &[u8], into: &mut Vec<u8>) {
    for &octet in octets {
        if (b' '..0x7f).contains(&octet) && octet != b'"' && octet != b'\\' {
            into.push(octet);
        } else {
            let digit = |half: u8| digit(half).to_ascii_uppercase();
            into.extend_from_slice(&[b'\\', b'x', digit(octet >> 4), digit(octet & 15)]);
        }
    }
}

fn digit(half: u8) -> u8 {
    if half < 10 { b'0' + half } else { b'a' + half - 10 }
}

/// Appends `number` in digits.
pub(in crate::proxy) fn number(mut number: u64, into: &mut Vec<u8>) {
    let begin = into.len();
    loop {
        into.push(b'0' + u8::try_from(number % 10).unwrap_or_default());
        number /= 10;
        if number == 0 {
            break;
        }
    }
    into.get_mut(begin..).unwrap_or_default().reverse();
}

/// Gives `each` the parts of `target`, or of another URL, without the values of the arguments that are `secret`.
///
/// Arguments are looked for behind every sign at which somebody may see one begin: rather too much is cut out than a key
/// is kept.
pub(in crate::proxy) fn redact(target: &[u8], is_secret: impl Fn(&[u8]) -> bool, mut each: impl FnMut(&[u8])) {
    let is_sign = |octet: u8| matches!(octet, b'?' | b'&' | b';' | b'#');
    let Some(first) = target.iter().position(|octet| is_sign(*octet)) else { return each(target) };
    let (path, rest) = target.split_at_checked(first).unwrap_or((target, b""));
    each(path);
    for piece in pieces(rest, is_sign).skip(1) {
        each(rest.get(piece.start.saturating_sub(1)..piece.start).unwrap_or(b""));
        let argument = rest.get(piece).unwrap_or(b"");
        let name = argument.split(|&octet| octet == b'=').next().unwrap_or_default();
        if name.len() < argument.len() && is_secret(name) {
            each(name);
            each(b"=[redacted]");
        } else {
            each(argument);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_cut_from_targets() {
        let check = |target: &str, expect: &str| {
            let mut text = Vec::new();
            redact(
                target.as_bytes(),
                |name| name.eq_ignore_ascii_case(b"user_key"),
                |part| text.extend_from_slice(part),
            );
            assert_eq!(String::from_utf8(text).unwrap(), expect, "{target}");
        };
        check("/words?a=1&user_key=s3cret&b", "/words?a=1&user_key=[redacted]&b");
        check("/words?User_Key=s=3&user_key=", "/words?User_Key=[redacted]&user_key=[redacted]");
        check("/user_key=1", "/user_key=1");
        check("/w?a=1;user_key=k;b", "/w?a=1;user_key=[redacted];b");
        check("/w;user_key=k/x?y", "/w;user_key=[redacted]?y");
        check("/w?a?user_key=k#user_key=k", "/w?a?user_key=[redacted]#user_key=[redacted]");
        check("/w?user_key", "/w?user_key");
        check("/w?", "/w?");
    }

    #[test]
    fn no_octet_leaves_its_field() {
        let all: Vec<u8> = (0..=255).collect();
        let mut json = b"\"".to_vec();
        escape_json(&all, &mut json);
        json.push(b'"');
        let read: String = serde_json::from_slice(&json).unwrap();
        assert!(read.chars().map(u32::from).eq(0..=255));
        assert!(!json.iter().any(u8::is_ascii_control));
        let mut combined = Vec::new();
        escape_combined(&all, &mut combined);
        assert!(combined.iter().all(|&octet| (b' '..0x7f).contains(&octet) && octet != b'"'));
        assert!(combined.starts_with(b"\\x00\\x01") && combined.ends_with(b"\\xFE\\xFF"));
    }

    #[test]
    fn numbers_are_written_in_digits() {
        let mut text = Vec::new();
        for value in [0, 7, 10, 65_536, u64::MAX] {
            number(value, &mut text);
            text.push(b' ');
        }
        assert_eq!(String::from_utf8(text).unwrap(), "0 7 10 65536 18446744073709551615 ");
    }
}
