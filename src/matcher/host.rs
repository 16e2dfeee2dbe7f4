//! The host of a request (nginx: `ngx_http_validate_host`).

use super::scratch::{Arena, Full, Text};

/// A host as it was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host<'r> {
    name: &'r [u8],
    /// Whether it may hold capital letters.
    has_capitals: bool,
}

/// The host in a Host field or an authority, without port and one final dot; None where it is invalid or empty.
pub(super) fn host(field: &[u8]) -> Option<Host<'_>> {
    if field.first() == Some(&b'[') {
        return literal(field);
    }
    let (mut end, mut before, mut seen) = (0, 0, 0);
    for byte in field {
        let class = class(*byte);
        if class == 0 || class & before & DOT != 0 {
            break;
        }
        before = class;
        seen |= class;
        end += 1;
    }
    let (name, port) = field.split_at_checked(end)?;
    if !port.is_empty() && !is_port(port) {
        return None;
    }
    let name = name.strip_suffix(b".").unwrap_or(name);
    (!name.is_empty()).then_some(Host { name, has_capitals: seen & CAPITAL != 0 })
}

/// The same where it is an address in brackets.
fn literal(field: &[u8]) -> Option<Host<'_>> {
    let end = field.iter().position(|byte| *byte == b']')? + 1;
    let (name, port) = field.split_at_checked(end)?;
    let inner = name.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let allowed = |byte: &u8| *byte == b':' || *byte != b'%' && class(*byte) != 0;
    let is_valid = inner.iter().all(allowed) && !inner.windows(2).any(|pair| pair == b"..");
    (is_valid && (port.is_empty() || is_port(port))).then_some(Host { name, has_capitals: true })
}

/// The host of an absolute-form target; nginx knows fewer bytes in it than in a Host field.
pub(super) fn authority(authority: &[u8]) -> Option<Host<'_>> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    host(authority).filter(|host| host.name.first() == Some(&b'[') || host.name.iter().all(is_plain))
}

/// `host` in lower case; put into the arena where it is not that already.
pub(super) fn lower<'r>(arena: &mut Arena<'_>, host: Host<'r>) -> Result<Text<'r>, Full> {
    if !host.has_capitals {
        return Ok(Text::Given(host.name));
    }
    let mark = arena.mark();
    host.name.iter().try_for_each(|byte| arena.put_byte(byte.to_ascii_lowercase()))?;
    Ok(Text::Made(arena.since(mark)))
}

/// `:` and a number below 65536, or nothing behind the colon.
fn is_port(port: &[u8]) -> bool {
    let digits = port.strip_prefix(b":");
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0u16, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| u16::from(byte - b'0'))?;
            number.checked_mul(10)?.checked_add(digit)
        })
    };
    digits.is_some_and(|digits| number(digits).is_some())
}

/// A byte of a name, a capital letter, a dot.
const OTHER: u8 = 1;
const CAPITAL: u8 = 2;
const DOT: u8 = 4;

/// What `byte` is in a host name: unreserved bytes and sub-delims of RFC 3986, and the start of an escape; others are 0.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler, within 256")]
fn class(byte: u8) -> u8 {
    const CLASSES: [u8; 256] = {
        let mut classes = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            classes[byte] = match byte as u8 {
                b'A'..=b'Z' => CAPITAL,
                b'.' => DOT,
                b'a'..=b'z' | b'0'..=b'9' | b'$'..=b',' | b'-' | b';' | b'=' | b'_' | b'~' | b'!' => OTHER,
                _ => 0,
            };
            byte += 1;
        }
        classes
    };
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}
