//! Where the name of a header stands among those that rules read, found by a few of its letters.
//!
//! The compiler looks for a factor that gives every name a slot of its own. Names that do not differ in those letters
//! share one, and are tried one after the other.

/// What is looked at of `name`: its length, and three of its octets. Letters count alike in both cases.
pub(crate) fn key(name: &[u8]) -> u32 {
    let octet = |index: usize| u32::from(name.get(index).copied().unwrap_or(0) | 0x20);
    let octets = u32::try_from(name.len() & 0xFF).unwrap_or(0);
    let (first, middle, last) = (octet(0), octet(name.len() / 2), octet(name.len().wrapping_sub(1)));
    first | middle << 8 | last << 16 | octets << 24
}

/// The slot of `key` among `2^bits`, of which there are at most 2^16.
pub(crate) fn slot(key: u32, factor: u32, bits: u32) -> usize {
    (key.wrapping_mul(factor) >> 16) as usize >> 16u32.saturating_sub(bits)
}

/// The bit that stands for names as long as `name`.
pub(crate) fn length_bit(name: &[u8]) -> u64 {
    1 << name.len().min(63)
}
