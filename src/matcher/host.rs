//! The host of a request (nginx: `ngx_http_validate_host`).

use super::scratch::{Arena, Full, Slice};

/// The host in a Host field or an authority, without port and one final dot; None where it is invalid or empty.
pub(super) fn host(field: &[u8]) -> Option<&[u8]> {
    let end = if field.first() == Some(&b'[') {
        field.iter().position(|byte| *byte == b']')? + 1
    } else {
        field.iter().position(|byte| *byte == b':').unwrap_or(field.len())
    };
    let (host, port) = field.split_at_checked(end)?;
    if !port.is_empty() && !is_port(port) {
        return None;
    }
    let inner = host.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]"));
    let is_literal = inner.is_some();
    let name = inner.unwrap_or(host);
    let allowed = |byte: &u8| is_host_byte(*byte) || (is_literal && *byte == b':') || (!is_literal && *byte == b'%');
    if !name.iter().all(allowed) || name.windows(2).any(|pair| pair == b"..") {
        return None;
    }
    let host = if is_literal { host } else { host.strip_suffix(b".").unwrap_or(host) };
    (!host.is_empty()).then_some(host)
}

/// The host of an absolute-form target; nginx knows fewer bytes in it than in a Host field.
pub(super) fn authority(authority: &[u8]) -> Option<&[u8]> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
    host(authority).filter(|host| host.first() == Some(&b'[') || host.iter().all(is_plain))
}

/// Puts `host` in lower case.
pub(super) fn put_lower(arena: &mut Arena<'_>, host: &[u8]) -> Result<Slice, Full> {
    let mark = arena.mark();
    for byte in host {
        arena.put_byte(byte.to_ascii_lowercase())?;
    }
    Ok(arena.since(mark))
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

/// Unreserved bytes and sub-delims of RFC 3986.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}
