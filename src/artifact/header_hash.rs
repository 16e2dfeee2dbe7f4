//! The name of a header among those that rules read: where it stands is found by a few of its letters.
//!
//! The compiler looks for a factor that gives every name a slot of its own. Names that do not differ in those letters
//! share one, and are tried one after the other.

use super::format::HeaderName;

impl HeaderName {
    /// The name in lower case.
    pub(crate) fn lower(self, bytes: &[u8]) -> &[u8] {
        self.halves(bytes).0
    }

    /// Whether it is `name`, in whatever case.
    #[inline]
    pub(crate) fn is(self, name: &[u8], bytes: &[u8]) -> bool {
        let (lower, letters) = self.halves(bytes);
        is_alike(name, lower, letters)
    }

    /// The name in lower case, and what makes an octet of another spelling lower case, both as long as the name.
    pub(crate) fn halves(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        let (start, octets) = (self.start as usize, self.octets as usize);
        let both = bytes.get(start..).and_then(|bytes| bytes.get(..2 * octets)).unwrap_or(&[]);
        both.split_at_checked(octets).unwrap_or((&[], &[]))
    }
}

/// What is put behind a name in lower case: 0x20 for each letter.
pub(crate) fn letters(lower: &[u8]) -> impl Iterator<Item = u8> {
    lower.iter().map(|octet| if octet.is_ascii_lowercase() { 0x20 } else { 0 })
}

/// Compares many octets at a time, of which the last overlap those before.
#[inline(never)]
fn is_alike(name: &[u8], lower: &[u8], letters: &[u8]) -> bool {
    let octets = name.len();
    if lower.len() != octets || letters.len() != octets {
        return false;
    }
    let eight = |start: usize| {
        let word = |octets: &[u8]| octets.get(start..)?.first_chunk().map(|eight| u64::from_ne_bytes(*eight));
        matches!((word(name), word(letters), word(lower)), (Some(name), Some(letters), Some(lower)) if name | letters == lower)
    };
    let four = |start: usize| {
        let word = |octets: &[u8]| octets.get(start..)?.first_chunk().map(|four| u32::from_ne_bytes(*four));
        matches!((word(name), word(letters), word(lower)), (Some(name), Some(letters), Some(lower)) if name | letters == lower)
    };
    match octets {
        0..4 => name.iter().zip(lower).zip(letters).all(|((name, lower), letter)| name | letter == *lower),
        4..8 => four(0) && four(octets - 4),
        _ => (0..octets / 8).all(|index| eight(8 * index)) && eight(octets - 8),
    }
}

/// What is looked at of `name`: its length, and three of its octets. Letters count alike in both cases.
pub(crate) fn key(name: &[u8]) -> u32 {
    let octet = |index: usize| u32::from(name.get(index).copied().unwrap_or(0) | 0x20);
    let octets = u32::try_from(name.len() & 0xFF).unwrap_or(0);
    let (first, middle, last) = (octet(0), octet(name.len() / 2), octet(name.len().wrapping_sub(1)));
    first | middle << 8 | last << 16 | octets << 24
}

/// The slot of `key` among `2^bits`, of which there are from 2 to 2^16.
pub(crate) fn slot(key: u32, factor: u32, bits: u32) -> usize {
    (key.wrapping_mul(factor) >> 16) as usize >> (16u32.wrapping_sub(bits) & 15)
}

/// The bit that stands for names as long as `name`, or 64 octets longer.
pub(crate) fn length_bit(name: &[u8]) -> u64 {
    1 << (name.len() & 63)
}
