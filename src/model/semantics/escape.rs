//! Escapes (nginx: `ngx_escape_uri`, `ngx_unescape_uri`).

/// Which bytes are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EscapeSet {
    /// `NGX_ESCAPE_URI`: for a path.
    Path,
    /// `NGX_ESCAPE_ARGS`: for a value in a query.
    Args,
    /// For a Location: what no URI holds (RFC 3986, 2); `%`, `?` and `#` may be what the author wants of the request.
    Location,
}

/// `text` with `%XX` for the bytes of `set`.
pub(super) fn escape(text: &[u8], set: EscapeSet) -> Vec<u8> {
    let named: &[u8] = match set {
        EscapeSet::Path => b" \"#%<>?\\^`{|}\x7f",
        EscapeSet::Args => b" \"#%&+;<>?\\^`{|}\x7f",
        EscapeSet::Location => b" \"<>\\^`{|}\x7f",
    };
    let mut escaped = Vec::new();
    for byte in text {
        if *byte < b' ' || !byte.is_ascii() || named.contains(byte) {
            escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            escaped.push(*byte);
        }
    }
    escaped
}

/// `text`, the target of a redirecting rewrite, with the printable part of its path decoded
/// (`NGX_UNESCAPE_REDIRECT`): up to the first `?`, `%XX` above `%` and below DEL. A `%` that begins no escape is
/// dropped, with a digit behind it.
pub(super) fn unescape_redirect(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = text;
    while let [first, others @ ..] = rest {
        rest = others;
        match (first, others) {
            (b'?', _) => {
                plain.push(b'?');
                plain.extend_from_slice(others);
                return plain;
            }
            (b'%', [high, others @ ..]) if high.is_ascii_hexdigit() => {
                let Some((low, others)) = others.split_first() else { return plain };
                rest = others;
                if let Some(byte) = hex_byte(*high, *low) {
                    if byte == b'?' {
                        plain.push(byte);
                        plain.extend_from_slice(others);
                        return plain;
                    }
                    if byte > b'%' && byte < 0x7f {
                        plain.push(byte);
                    } else {
                        plain.extend_from_slice(&[b'%', *high, *low]);
                    }
                }
            }
            (b'%', [other, others @ ..]) => {
                plain.push(*other);
                rest = others;
            }
            (b'%', []) => {}
            (byte, _) => plain.push(*byte),
        }
    }
    plain
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digits = [high, low];
    let digits = core::str::from_utf8(&digits).ok().filter(|_| low.is_ascii_hexdigit())?;
    u8::from_str_radix(digits, 16).ok()
}
