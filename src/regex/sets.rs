//! The named sets of bytes: Perl's escapes and POSIX's classes, in the C locale.

use regex_syntax::hir::{ClassBytes, ClassBytesRange};

/// First and last byte of each range of a set.
pub(super) type Ranges = &'static [(u8, u8)];

pub(super) const ANY: Ranges = &[(0, 0xFF)];
pub(super) const NOT_NEWLINE: Ranges = &[(0, 9), (11, 0xFF)];
pub(super) const DIGIT: Ranges = &[(b'0', b'9')];
pub(super) const WORD: Ranges = &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')];
/// With the vertical tab, as Perl since 5.18 and PCRE2.
pub(super) const SPACE: Ranges = &[(9, 13), (b' ', b' ')];
const ALPHA: Ranges = &[(b'A', b'Z'), (b'a', b'z')];

/// The set that `\d` and its like stand for, and whether it is to be negated.
pub(super) fn of_escape(letter: char) -> Option<(Ranges, bool)> {
    let set = match letter.to_ascii_lowercase() {
        'd' => DIGIT,
        'w' => WORD,
        's' => SPACE,
        _ => return None,
    };
    Some((set, letter.is_ascii_uppercase()))
}

/// The set of `[:name:]`. Where case does not count, `upper` and `lower` are `alpha` before they are negated.
pub(super) fn of_posix(name: &str, caseless: bool) -> Option<Ranges> {
    Some(match name {
        "alnum" => &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')],
        "alpha" => ALPHA,
        "upper" | "lower" if caseless => ALPHA,
        "upper" => &[(b'A', b'Z')],
        "lower" => &[(b'a', b'z')],
        "ascii" => &[(0, 0x7F)],
        "blank" => &[(9, 9), (b' ', b' ')],
        "cntrl" => &[(0, 0x1F), (0x7F, 0x7F)],
        "digit" => DIGIT,
        "graph" => &[(0x21, 0x7E)],
        "print" => &[(0x20, 0x7E)],
        "punct" => &[(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)],
        "space" => SPACE,
        "word" => WORD,
        "xdigit" => &[(b'0', b'9'), (b'A', b'F'), (b'a', b'f')],
        _ => return None,
    })
}

/// `ranges` as regex-syntax holds them.
pub(super) fn class(ranges: &[(u8, u8)]) -> ClassBytes {
    ClassBytes::new(ranges.iter().map(|(first, last)| ClassBytesRange::new(*first, *last)))
}

/// `ranges`, or all other bytes.
pub(super) fn class_or_others(ranges: &[(u8, u8)], others: bool) -> ClassBytes {
    let mut class = class(ranges);
    if others {
        class.negate();
    }
    class
}
