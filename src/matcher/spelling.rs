//! Names of arguments and cookies as upstreams may read them.
//!
//! Rules read the first argument of a name, undecoded. What parses a query behind the gateway decodes names, and then
//! goes its own ways: `;` between arguments (Python before 3.9.2, Perl, old Java), `role[]` for a list (PHP, Rails, qs),
//! `.` and blanks for `_` and names that end at NUL (PHP), `%uXXXX` (ASP), overlong UTF-8 and fullwidth letters (decoders
//! that are lax). Here all of them are one name, so that whoever asks errs on the side of taking two for the same.

use core::ops::Range;

/// Whether some upstream may read `raw`, the name of an argument or a cookie as it was sent, as `name`.
pub fn is_spelling(raw: &[u8], name: &[u8]) -> bool {
    // Most names are not even as long.
    if raw.len() < name.len() {
        return false;
    }
    raw.eq_ignore_ascii_case(name) || is_decoded(raw, name)
}

fn is_decoded(raw: &[u8], name: &[u8]) -> bool {
    let mut letters = Letters { rest: raw };
    let mut next = letters.by_ref().find(|letter| !is_around(*letter));
    for wanted in name {
        if !next.is_some_and(|letter| is_same(letter, *wanted)) {
            return false;
        }
        next = letters.next();
    }
    // `role[]`, `role[x][y]`, `role%00x`.
    let rest = next.into_iter().chain(letters);
    rest.into_iter().find(|letter| !is_around(*letter)).is_none_or(|letter| matches!(letter, b'[' | 0))
}

/// What parsers take off around a name.
fn is_around(letter: u8) -> bool {
    matches!(letter, b' ' | b'\t' | b'\r' | b'\n' | b'"')
}

fn is_same(letter: u8, wanted: u8) -> bool {
    let is_underscore = |byte| matches!(byte, b'_' | b'.' | b' ');
    letter.eq_ignore_ascii_case(&wanted) || is_underscore(letter) && is_underscore(wanted)
}

/// The letters of a name, decoded as often as it is encoded.
struct Letters<'r> {
    rest: &'r [u8],
}

impl Iterator for Letters<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (byte, behind) = take_byte(self.rest)?;
        self.rest = behind;
        let (letter, rest) = match (byte, take_byte(behind)) {
            // Two bytes for what is one.
            (0xC0 | 0xC1, Some((next @ 0x80..=0xBF, rest))) => ((byte & 1) << 6 | next & 0x3F, rest),
            (0xEF, Some((second @ (0xBC | 0xBD), rest))) => fullwidth(second, rest).unwrap_or((byte, behind)),
            _ => (byte, behind),
        };
        self.rest = rest;
        Some(letter)
    }
}

/// The letter that U+FF01 to U+FF5E is a wide form of: the last two of its three bytes are `second` and the first of
/// `rest`.
fn fullwidth(second: u8, rest: &[u8]) -> Option<(u8, &[u8])> {
    let (third, rest) = take_byte(rest)?;
    let letter = match (second, third) {
        (0xBC, 0x81..=0xBF) => third - 0x81 + b'!',
        (0xBD, 0x80..=0x9E) => third - 0x80 + b'`',
        _ => return None,
    };
    Some((letter, rest))
}

/// The first byte that `text` stands for, and what is behind it. A `%` that begins no escape stands for itself.
fn take_byte(text: &[u8]) -> Option<(u8, &[u8])> {
    let (first, mut rest) = text.split_first()?;
    match first {
        b'+' => return Some((b' ', rest)),
        b'%' => {}
        byte => return Some((*byte, rest)),
    }
    // `%2561` is `%61` to whoever decodes once more.
    while let Some(inner) = rest.strip_prefix(b"25").filter(|inner| escaped(inner).is_some()) {
        rest = inner;
    }
    Some(escaped(rest).unwrap_or((b'%', rest)))
}

/// The byte of an escape whose `%` stands before `text`, and what is behind it.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let digits = |pair: &[u8]| match pair {
        [high, low] => Some(super::escape::hex(*high)? << 4 | super::escape::hex(*low)?),
        _ => None,
    };
    if let [b'u' | b'U', b'0', b'0', rest @ ..] = text {
        let (pair, rest) = rest.split_at_checked(2)?;
        return Some((digits(pair)?, rest));
    }
    let (pair, rest) = text.split_at_checked(2)?;
    Some((digits(pair)?, rest))
}

/// An argument as some upstream may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Where its name stands.
    pub name: Range<usize>,
    /// Where its value stands: behind the `=`, or nowhere.
    pub value: Range<usize>,
    /// Whether all upstreams see it there: no `;` begins or ends it.
    pub is_plain: bool,
}

/// The arguments of `query`, with `;` between them as well as `&`.
pub fn arguments(query: &[u8]) -> impl Iterator<Item = Argument> {
    pieces(query, |byte| matches!(byte, b'&' | b';')).map(|piece| {
        let text = query.get(piece.clone()).unwrap_or(&[]);
        let end = text.iter().position(|byte| *byte == b'=').unwrap_or(text.len());
        let is_semicolon = |at: Option<usize>| at.and_then(|at| query.get(at)) == Some(&b';');
        Argument {
            name: piece.start..piece.start + end,
            value: (piece.start + end + 1).min(piece.end)..piece.end,
            is_plain: !is_semicolon(piece.start.checked_sub(1)) && !is_semicolon(Some(piece.end)),
        }
    })
}

/// Where the pieces of `text` between the bytes that `ends` knows stand.
pub fn pieces(text: &[u8], ends: impl Fn(u8) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut start = Some(0);
    core::iter::from_fn(move || {
        let begin = start?;
        let rest = text.get(begin..).unwrap_or(&[]);
        let length = rest.iter().position(|byte| ends(*byte));
        start = length.map(|length| begin + length + 1);
        Some(begin..begin + length.unwrap_or(rest.len()))
    })
}

/// Whether all upstreams read `value` alike, decoded or not: what need not be encoded is not, and nothing is encoded
/// that ends a text, or that is no byte.
pub fn value_is_plain(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let behind = rest.get(at + 1..).unwrap_or(&[]);
        let byte = match behind {
            [high, low, ..] => {
                super::escape::hex(*high).zip(super::escape::hex(*low)).map(|(high, low)| high << 4 | low)
            }
            _ => None,
        };
        let Some(byte) = byte else { return false };
        let overlong = matches!(byte, 0 | 0xC0 | 0xC1);
        if overlong || byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            return false;
        }
        rest = behind.get(2..).unwrap_or(&[]);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_name_are_one() {
        let spellings = [
            "api_key",
            "API_KEY",
            "%61pi_key",
            "%61%70%69_%6b%65y",
            "api%5fkey",
            "api%5Fkey",
            "api+key",
            "api%20key",
            "api.key",
            "api%2ekey",
            "api_key[]",
            "api_key[0]",
            "api_key%5B%5D",
            "api_key[a][b]",
            "api_key%00",
            "api_key%00x",
            "+api_key",
            "%20api_key",
            "api_key+",
            "api_key%20",
            "%09api_key",
            "%u0061pi_key",
            "%U0061pi_key",
            "%2561pi_key",
            "%252561pi_key",
            "%c1%a1pi_key",
            "\u{ff41}pi_key",
            "%ef%bd%81pi%ef%bc%bfkey",
            "\"api_key\"",
            "%22api_key%22",
        ];
        for spelling in spellings {
            assert!(is_spelling(spelling.as_bytes(), b"api_key"), "{spelling}");
        }
        let others = [
            "",
            "api",
            "apikey",
            "api-key",
            "api_keys",
            "xapi_key",
            "api_key%",
            "api_key%zz",
            "%api_key",
            "api_ke%79s",
            "[api_key]",
            "api%5key",
            "a%70i_kex",
        ];
        for other in others {
            assert!(!is_spelling(other.as_bytes(), b"api_key"), "{other}");
        }
        assert!(is_spelling(b"filter[x]", b"filter[x]") && is_spelling(b"filter%5Bx%5D", b"filter[x]"));
    }

    #[test]
    fn arguments_end_at_either_sign() {
        let read = |query: &str| -> Vec<(String, String, bool)> {
            let text = |range: Range<usize>| String::from_utf8_lossy(&query.as_bytes()[range]).into_owned();
            arguments(query.as_bytes()).map(|own| (text(own.name), text(own.value), own.is_plain)).collect()
        };
        let argument = |name: &str, value: &str, is_plain| (name.to_owned(), value.to_owned(), is_plain);
        assert_eq!(read(""), [argument("", "", true)]);
        assert_eq!(read("a=1&b"), [argument("a", "1", true), argument("b", "", true)]);
        assert_eq!(read("a=1;b=2&c="), [argument("a", "1", false), argument("b", "2", false), argument("c", "", true)]);
    }

    #[test]
    fn a_plain_value_has_one_reading() {
        for plain in ["", "admin", "a+b", "a%20b", "%C3%A9", "a%2Fb", "a%3Db", "%7E", "%0A"] {
            assert!(value_is_plain(plain.as_bytes()), "{plain}");
        }
        for other in
            ["%61dmin", "admi%6E", "%2e", "%5F", "%2D", "%30", "a%", "a%2", "a%zz", "admin%00", "%c0%a0", "%u0061"]
        {
            assert!(!value_is_plain(other.as_bytes()), "{other}");
        }
    }
}
