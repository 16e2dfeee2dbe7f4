//! Percent-encoding as nginx does it (`ngx_escape_uri`, `ngx_unescape_uri`).

use super::scratch::{Arena, Full, Slice, Text};

/// Which bytes are escaped.
#[derive(Clone, Copy, Debug)]
pub(super) struct EscapeSet([u64; 4]);

impl EscapeSet {
    /// In a path: controls, bytes from 0x7F on, and a blank and each of "#%<>?\^{|} and the backtick.
    pub(super) const PATH: Self = Self::new(b" \"#%<>?\\^`{|}");
    /// In a query argument: those of a path, and `&+;`.
    pub(super) const ARGUMENT: Self = Self::new(b" \"#%<>?\\^`{|}&+;");
    /// In a Location: what no URI holds (RFC 3986, 2), so that every client reads the same one. `%`, `?` and `#` may be
    /// what the author wants of the request.
    pub(super) const LOCATION: Self = Self::new(b" \"<>\\^`{|}");

    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    const fn new(listed: &[u8]) -> Self {
        let mut bits = [0xFFFF_FFFF, 1 << 63, u64::MAX, u64::MAX];
        let mut index = 0;
        while index < listed.len() {
            let byte = listed[index];
            bits[(byte >> 6) as usize] |= 1 << (byte & 63);
            index += 1;
        }
        Self(bits)
    }

    fn holds(self, byte: u8) -> bool {
        let bits = self.0.get(usize::from(byte >> 6)).copied().unwrap_or(0);
        bits >> (byte & 63) & 1 == 1
    }
}

/// Puts `text` with the bytes of `set` as `%XX`.
pub(super) fn put_escaped(arena: &mut Arena<'_>, text: Text<'_>, set: EscapeSet) -> Result<(), Full> {
    match text {
        Text::Given(bytes) => bytes.iter().try_for_each(|byte| put_escaped_byte(arena, *byte, set)),
        Text::Made(slice) => (slice.start..slice.end).try_for_each(|index| {
            let byte = arena.byte(index);
            put_escaped_byte(arena, byte, set)
        }),
    }
}

/// Escapes what was put since `mark`, in its place.
pub(super) fn escape_since(arena: &mut Arena<'_>, mark: u32, set: EscapeSet) -> Result<(), Full> {
    let plain = arena.since(mark);
    if plain.of(arena.bytes).iter().any(|byte| set.holds(*byte)) {
        put_escaped(arena, Text::Made(plain), set)?;
        arena.cut(plain.start, plain.end);
    }
    Ok(())
}

/// Whether a Location holds `byte` only as `%XX`: 00-20, 7F-FF and ``" < > \ ^ { | } ` `` are nothing that a URI holds.
pub fn is_escaped_in_location(byte: u8) -> bool {
    EscapeSet::LOCATION.holds(byte)
}

fn put_escaped_byte(arena: &mut Arena<'_>, byte: u8, set: EscapeSet) -> Result<(), Full> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if !set.holds(byte) {
        return arena.put_byte(byte);
    }
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    arena.put(&[b'%', digit(byte >> 4), digit(byte & 15)])
}

/// Puts `slice` as nginx unescapes the target of a redirecting rewrite: `%XX` of printable bytes above `%` is decoded
/// up to the first `?` (even an encoded one); a broken escape loses its `%`, and the rest stays.
pub(super) fn put_unescaped_redirect(arena: &mut Arena<'_>, slice: Slice) -> Result<(), Full> {
    let mut index = slice.start;
    let mut first_digit: Option<Option<u8>> = None;
    while index < slice.end {
        let byte = arena.byte(index);
        index += 1;
        match first_digit {
            None if byte == b'%' => first_digit = Some(None),
            None => {
                arena.put_byte(byte)?;
                if byte == b'?' {
                    break;
                }
            }
            Some(None) => {
                first_digit = hex(byte).map(Some);
                if first_digit.is_none() {
                    arena.put_byte(byte)?;
                }
            }
            Some(Some(high)) => {
                first_digit = None;
                let Some(low) = hex(byte) else { continue };
                let decoded = high << 4 | low;
                if decoded == b'?' {
                    arena.put_byte(decoded)?;
                    break;
                }
                if decoded > b'%' && decoded < 0x7F {
                    arena.put_byte(decoded)?;
                } else {
                    arena.put_slice(Slice { start: index - 3, end: index })?;
                }
            }
        }
    }
    arena.put_slice(Slice { start: index, end: slice.end })
}

/// The value of a hexadecimal digit.
pub(super) fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
