//! `paths strict`: paths that two hops may read differently.

use super::escape::hex;

/// Whether the path of `target`, in origin-form, may be read differently by two hops: it has dot segments or empty ones,
/// raw or encoded, encoded slashes, backslashes, control bytes, overlong UTF-8, fullwidth forms of `.`, `/`, `;` and
/// `\`, an encoded `%` before two hexadecimal digits, or a `;`. If it `takes_parameters`, a `;` counts only beside a dot
/// and at the start of a segment.
pub(super) fn is_ambiguous(target: &[u8], takes_parameters: bool) -> bool {
    let mut reader = Reader { takes_parameters, segment: Segment::Start, last: b'/', tail: [0; 2] };
    let mut rest = target.strip_prefix(b"/").unwrap_or(target);
    while let [first, others @ ..] = rest {
        rest = others;
        let byte = match (*first, others) {
            (b'?' | b'#', _) => break,
            (b'%', [high, low, behind @ ..]) => {
                let Some(byte) = hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low) else { return true };
                rest = behind;
                let is_double = byte == b'%' && begins_as_digits(behind);
                if is_double || byte == b'/' {
                    return true;
                }
                byte
            }
            (b'%', _) => return true,
            (b'/', _) => {
                // Only the last segment may be empty.
                if reader.segment != Segment::Usual {
                    return true;
                }
                reader.segment = Segment::Start;
                reader.last = b'/';
                continue;
            }
            (byte, _) => byte,
        };
        if !reader.takes(byte) {
            return true;
        }
    }
    matches!(reader.segment, Segment::Dot | Segment::DotDot)
}

/// Whether two hexadecimal digits come next, as they are or encoded.
fn begins_as_digits(text: &[u8]) -> bool {
    let digit = |text: &'_ [u8]| -> Option<usize> {
        match text {
            [b'%', high, low, ..] => hex(hex(*high)? << 4 | hex(*low)?).map(|_| 3),
            [byte, ..] => hex(*byte).map(|_| 1),
            [] => None,
        }
    };
    digit(text).and_then(|octets| digit(text.get(octets..)?)).is_some()
}

/// What is known of a segment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Segment {
    /// Nothing yet.
    Start,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// It is none of these.
    Usual,
}

struct Reader {
    takes_parameters: bool,
    segment: Segment,
    /// The byte before, decoded.
    last: u8,
    /// The two before that.
    tail: [u8; 2],
}

impl Reader {
    /// Whether `byte`, decoded and no slash, leaves the path with one reading.
    fn takes(&mut self, byte: u8) -> bool {
        let [_, second] = self.tail;
        let before = [second, self.last];
        let is_clear = match byte {
            b'\\' | 0xC0 | 0xC1 => false,
            b';' => self.takes_parameters && self.last != b'.' && self.segment != Segment::Start,
            b'.' => self.last != b';',
            0x80..=0x9F if self.last == 0xE0 => false,
            0x80..=0x8F if self.last == 0xF0 => false,
            0x80..=0x87 if self.last == 0xF8 => false,
            0x80..=0x83 if self.last == 0xFC => false,
            0x8E | 0x8F | 0x9B | 0xBC => before != [0xEF, 0xBC],
            byte => !byte.is_ascii_control(),
        };
        self.segment = match (self.segment, byte) {
            (Segment::Start, b'.') => Segment::Dot,
            (Segment::Dot, b'.') => Segment::DotDot,
            _ => Segment::Usual,
        };
        self.tail = before;
        self.last = byte;
        is_clear
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_paths_have_one_reading() {
        for path in [
            "/",
            "/a",
            "/a/",
            "/a/b.c",
            "/...",
            "/..a/b..",
            "/.well-known/x",
            "/a%20b",
            "/%C3%A9",
            "/a%2Ec",
            "/a?/../b;c//d%2F",
            "/100%25",
            "/%25zz",
            "",
            "?a",
        ] {
            assert!(!is_ambiguous(path.as_bytes(), false), "{path}");
        }
        for path in [
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/./",
            "/../",
            "/a/.",
            "/a/..",
            "/a/./b",
            "/a/../b",
            "/.%2e/",
            "/%2E./a",
            "/%2e",
            "/a/%2E%2e?x",
            "/a%2Fb",
            "/a%2fb",
            "/a%5Cb",
            "/a%5cb",
            "/a\\b",
            "/a%01",
            "/a%7F",
            "/a%0A",
            "/%c0%ae",
            "/%c1%9c",
            "/%e0%80%af",
            "/%f0%80%80%af",
            "/%f8%80%80%80%af",
            "/%fc%80%80%80%80%af",
            "/%252e",
            "/%2525",
            "/%2541",
            "/%25%34%31",
            "/%254%31",
            "/a;b",
            "/a%3Bb",
            "/;",
            "/..;/a",
            "/.;/",
            "/a/..%3b/b",
            "/%ef%bc%8f",
            "/%EF%BC%8E%EF%BC%8E/",
            "/\u{ff3c}a",
            "/a\u{ff1b}b",
            "/a%",
            "/a%2",
        ] {
            assert!(is_ambiguous(path.as_bytes(), false), "{path}");
        }
    }

    #[test]
    fn parameters_are_taken_where_no_dot_is_beside_them() {
        for path in ["/a;b", "/a;x=1/b", "/a%3Bx=1", "/file.txt;v=1", "/a;v=1.5"] {
            assert!(!is_ambiguous(path.as_bytes(), true), "{path}");
        }
        for path in [
            "/..;/a",
            "/.;/a",
            "/..;x/a",
            "/a/..%3B/b",
            "/%2e%2e;/a",
            "/;../a",
            "/a;.",
            "/a.;b",
            "/;a/b",
            "/a/;x/b",
            "/a/%3Bx",
        ] {
            assert!(is_ambiguous(path.as_bytes(), true), "{path}");
        }
    }
}
