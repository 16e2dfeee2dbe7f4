//! What the HTTP/2 library does not tell about header blocks: a fragment in `:path`, pseudo-fields in trailers.
//!
//! Walks HPACK (RFC 7541) without decoding it. Of the dynamic table only what its names are matters, and that an entry
//! was evicted need not be known: the library refuses whoever refers to one.

/// Entries of a dynamic table of 4 KiB, each at least 32 octets: no other index is valid.
const DYNAMIC_MAX: u32 = 128;

/// Entries of the static table; the first 14 are pseudo-fields.
const STATIC: u64 = 61;
const STATIC_PSEUDO: u64 = 14;
const STATIC_PATH: [u64; 2] = [4, 5];

/// `:path` in the Huffman code.
const HUFFMAN_PATH: [u8; 4] = [0xb9, 0x58, 0xd3, 0x3f];

/// Follows the header blocks of a connection.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Bit n: the name of the n-th youngest entry is `:path`.
    paths: u128,
    /// Bit n: it begins with a colon.
    pseudos: u128,
}

/// What makes a block one that must not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused;

#[derive(Clone, Copy, Debug, Default)]
struct Name {
    is_path: bool,
    is_pseudo: bool,
}

impl Blocks {
    /// Reads a whole block. What is malformed is left to the library, which reads it, too.
    pub(super) fn read(&mut self, mut block: &[u8], trailers: bool) -> Result<(), Refused> {
        while let Some(&first) = block.first() {
            let field = match first {
                0x80.. => self.indexed(&mut block),
                0x40..0x80 => self.literal(&mut block, 6),
                // A new size of the table.
                0x20..0x40 => integer(&mut block, 5).map(|_| Field::default()),
                _ => self.literal(&mut block, 4),
            };
            let Some(field) = field else { return Ok(()) };
            if field.has_fragment || (trailers && field.name.is_pseudo) {
                return Err(Refused);
            }
            if (0x40..0x80).contains(&first) {
                self.paths = self.paths << 1 | u128::from(field.name.is_path);
                self.pseudos = self.pseudos << 1 | u128::from(field.name.is_pseudo);
            }
        }
        Ok(())
    }

    fn indexed(&self, block: &mut &[u8]) -> Option<Field> {
        let name = self.name(integer(block, 7)?);
        // Its value was looked at when it was put into the table.
        Some(Field { name, has_fragment: false })
    }

    fn literal(&self, block: &mut &[u8], prefix: u32) -> Option<Field> {
        let name = match integer(block, prefix)? {
            0 => {
                let (name, huffman) = string(block)?;
                let is_path = if huffman { name == HUFFMAN_PATH } else { name == b":path" };
                // The code of a colon is 1011100.
                let is_pseudo = if huffman {
                    name.first().is_some_and(|octet| octet >> 1 == 0x5c)
                } else {
                    name.first() == Some(&b':')
                };
                Name { is_path, is_pseudo }
            }
            index => self.name(index),
        };
        let (value, huffman) = string(block)?;
        let has_hash = || if huffman { huffman_has_hash(value) } else { value.contains(&b'#') };
        Some(Field { name, has_fragment: name.is_path && has_hash() })
    }

    fn name(&self, index: u64) -> Name {
        match u32::try_from(index.saturating_sub(STATIC + 1)) {
            _ if index <= STATIC => {
                Name { is_path: STATIC_PATH.contains(&index), is_pseudo: (1..=STATIC_PSEUDO).contains(&index) }
            }
            Ok(entry @ 0..DYNAMIC_MAX) => {
                Name { is_path: self.paths >> entry & 1 == 1, is_pseudo: self.pseudos >> entry & 1 == 1 }
            }
            _ => Name::default(),
        }
    }
}

#[derive(Debug, Default)]
struct Field {
    name: Name,
    has_fragment: bool,
}

/// An integer with a prefix of so many bits (RFC 7541 5.1).
fn integer(block: &mut &[u8], prefix: u32) -> Option<u64> {
    let (&first, mut rest) = block.split_first()?;
    let mask = (1_u64 << prefix) - 1;
    let mut value = u64::from(first) & mask;
    if value == mask {
        for shift in [0, 7, 14, 21, 28] {
            let (&octet, more) = rest.split_first()?;
            rest = more;
            value += u64::from(octet & 0x7f) << shift;
            if octet < 0x80 {
                *block = rest;
                return Some(value);
            }
        }
        return None;
    }
    *block = rest;
    Some(value)
}

/// A string as it stands there, and whether it is Huffman coded.
fn string<'b>(block: &mut &'b [u8]) -> Option<(&'b [u8], bool)> {
    let huffman = block.first()? & 0x80 != 0;
    let length = usize::try_from(integer(block, 7)?).ok()?;
    let (string, rest) = block.split_at_checked(length)?;
    *block = rest;
    Some((string, huffman))
}

/// Whether `#` is one of the characters. The code is canonical: codes of a length follow each other, longer ones are
/// greater, so that where a code ends is known by comparing.
fn huffman_has_hash(coded: &[u8]) -> bool {
    // The first code that is longer, against the left: length, bound.
    const LENGTHS: [(u32, u32); 8] = [
        (5, 0x0a << 27),
        (6, 0x2e << 26),
        (7, 0x7c << 25),
        (8, 0xfe << 24),
        (10, 0x3fd << 22),
        (11, 0x7fd << 21),
        (12, 0xffc << 20),
        (13, 0x1ffe << 19),
    ];
    const HASH: u32 = 0xffa;
    let (mut window, mut bits) = (0_u64, 0_u32);
    let mut octets = coded.iter();
    loop {
        while bits <= 32 {
            let Some(&octet) = octets.next() else { break };
            window = window << 8 | u64::from(octet);
            bits += 8;
        }
        // The front of what is left, padded with ones as the end is.
        let front =
            if bits >= 32 { window >> (bits - 32) } else { window << (32 - bits) | ((1_u64 << (32 - bits)) - 1) };
        let front = u32::try_from(front & 0xffff_ffff).unwrap_or(u32::MAX);
        // Longer codes are of octets that no target may hold: it is refused for them.
        let Some(&(length, _)) = LENGTHS.iter().find(|(_, bound)| front < *bound) else { return false };
        if length > bits {
            return false;
        }
        if length == 12 && front >> 20 == HASH {
            return true;
        }
        bits -= length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/a` and `/a#b` by an encoder: '/' 011000, 'a' 00011, '#' 111111111010, 'b' 100011.
    const PLAIN: [u8; 2] = [0b0110_0000, 0b0111_1111];
    const HASH: [u8; 4] = [0b0110_0000, 0b0111_1111, 0b1111_0101, 0b0001_1111];

    fn block(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    #[test]
    fn a_fragment_in_the_path_is_seen_in_every_form() {
        assert!(!huffman_has_hash(&PLAIN) && huffman_has_hash(&HASH));
        let refused = [
            block(&[&[0x04, 4], b"/a#b"]),
            block(&[&[0x44, 0x84], &HASH]),
            block(&[&[0x00, 5], b":path", &[4], b"/a#b"]),
            block(&[&[0x00, 0x84], &HUFFMAN_PATH, &[4], b"/a#b"]),
        ];
        for block in refused {
            assert_eq!(Blocks::default().read(&block, false), Err(Refused), "{block:?}");
        }
        // Another field may hold one.
        assert_eq!(Blocks::default().read(&block(&[&[0x00, 1], b"x", &[3], b"a#b"]), false), Ok(()));
        assert_eq!(Blocks::default().read(&block(&[&[0x44, 0x82], &PLAIN, &[0x82]]), false), Ok(()));
    }

    #[test]
    fn names_are_known_by_the_entry_that_has_them() {
        let mut blocks = Blocks::default();
        // :path is put in, then x; :path is the second youngest.
        assert_eq!(blocks.read(&block(&[&[0x44, 2], b"/a", &[0x40, 1], b"x", &[1], b"y"]), false), Ok(()));
        assert_eq!(blocks.read(&block(&[&[0x0f, 0x2f, 3], b"/#b"]), false), Ok(()));
        assert_eq!(blocks.read(&block(&[&[0x0f, 0x30, 3], b"/#b"]), false), Err(Refused));
    }

    #[test]
    fn trailers_have_no_pseudo_fields() {
        let read = |block: &[u8]| Blocks::default().read(block, true);
        assert_eq!(read(&block(&[&[0x00, 1], b"x", &[1], b"y"])), Ok(()));
        assert_eq!(read(&[0x84]), Err(Refused));
        assert_eq!(read(&block(&[&[0x00, 5], b":path", &[1], b"/"])), Err(Refused));
        assert_eq!(read(&block(&[&[0x00, 0x84], &HUFFMAN_PATH, &[1], b"/"])), Err(Refused));
    }
}
