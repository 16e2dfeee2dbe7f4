//! The host of a request (nginx: `ngx_http_validate_host`).

use super::scratch::{Arena, Full, Text};

/// The host in a Host field or an authority, without port and one final dot; None where it is invalid or empty.
pub(super) fn host(field: &[u8]) -> Option<&[u8]> {
    if field.first() == Some(&b'[') {
        return literal(field);
    }
    let (mut end, mut before) = (0, 0);
    for byte in field {
        if !is_name_byte(*byte) || before == b'.' && *byte == b'.' {
            break;
        }
        before = *byte;
        end += 1;
    }
    let (name, port) = field.split_at_checked(end)?;
    if !port.is_empty() && !is_port(port) {
        return None;
    }
    let name = name.strip_suffix(b".").unwrap_or(name);
    (!name.is_empty()).then_some(name)
}

/// The same where it is an address in brackets.
fn literal(field: &[u8]) -> Option<&[u8]> {
    let end = field.iter().position(|byte| *byte == b']')? + 1;
    let (host, port) = field.split_at_checked(end)?;
    let inner = host.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let allowed = |byte: &u8| *byte == b':' || *byte != b'%' && is_name_byte(*byte);
    let is_valid = inner.iter().all(allowed) && !inner.windows(2).any(|pair| pair == b"..");
    (is_valid && (port.is_empty() || is_port(port))).then_some(host)
}

/// The host of an absolute-form target; nginx knows fewer bytes in it than in a Host field.
pub(super) fn authority(authority: &[u8]) -> Option<&[u8]> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    host(authority).filter(|host| host.first() == Some(&b'[') || host.iter().all(is_plain))
}

/// `host` in lower case; put into the arena where it is not that already.
pub(super) fn lower<'r>(arena: &mut Arena<'_>, host: &'r [u8]) -> Result<Text<'r>, Full> {
    if !host.iter().any(u8::is_ascii_uppercase) {
        return Ok(Text::Given(host));
    }
    let mark = arena.mark();
    host.iter().try_for_each(|byte| arena.put_byte(byte.to_ascii_lowercase()))?;
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

/// Unreserved bytes and sub-delims of RFC 3986, and the start of an escape.
#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler, within 256")]
fn is_name_byte(byte: u8) -> bool {
    const ALLOWED: [bool; 256] = {
        let mut allowed = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            allowed[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let others = b"-._~!$&'()*+,;=%";
        let mut index = 0;
        while index < others.len() {
            allowed[others[index] as usize] = true;
            index += 1;
        }
        allowed
    };
    ALLOWED.get(usize::from(byte)).copied().unwrap_or(false)
}
