//! Cells: the states of scanners and their transitions, packed into each other.
//!
//! A state is the index of its head. The transition of a byte of class `c` is the cell `c + 1` behind the head, if that
//! cell belongs to the state; else the head says where the state leads. So a step costs one look where there is an
//! edge, two where there is none, and states with few edges need few cells.
//!
//! A cell is two numbers, the owner and the next state. In a head the owner says [`HEAD`] and what the state is: nothing
//! special, a literal, a state with an output, a chain or a loop. A chain is a state that reads a text one way only: its
//! head says how long it is and where it leads, and the text stands in the cells behind the head. A loop is a state that
//! stays on some octets: its head says which, and where it leads on the first octet that is none of them, which it does
//! not read, or at the end of the text. So a state that stays on many octets needs one cell for them.

use core::ops::RangeInclusive;

/// Set in the owner of a head.
pub const HEAD: u32 = 1 << 31;

/// Set in the head of a chain; the bits below are the octets of its text.
pub const CHAIN: u32 = 1 << 30;

/// Set in the head of a state that tells only that a location takes the path, whether it ends or goes on; the bits below
/// are [`ROOT_FIRST`], [`LAST`] and the location. In other heads they are those of a [`LOOP`], or [`LAST`] and an
/// output's index plus 1, or 0.
pub const LITERAL: u32 = 1 << 29;

/// Set in a literal where the search of the outermost level goes before its location.
pub const ROOT_FIRST: u32 = 1 << 28;

/// Set in a literal or an output that nothing follows: what the text has behind it need not be read.
pub const LAST: u32 = 1 << 27;

/// The bits of an output's index plus 1. There are fewer outputs, each taking 32 octets, with a head, of an artifact below
/// 4 GiB.
pub const OUTPUT: u32 = LAST - 1;

/// In a literal: no location. There are fewer of them, each taking more than 32 octets of an artifact below 4 GiB.
pub const NOWHERE: u32 = LAST - 1;

/// Set in the head of a loop, which is no chain and no literal; the bits below are [`SOME`] and the set of octets.
pub const LOOP: u32 = 1 << 28;

/// Set in a loop that reads one octet at least: the text does not go on with anything else.
pub const SOME: u32 = 1 << 27;

/// The longest text of one chain, in octets: longer ones are several.
pub const CHAIN_MAX: usize = 0xFFFF;

/// Texts of chains hold no byte below it.
pub const CHAIN_BYTE_MIN: u8 = 0x20;

/// What the last octet of each cell of a text is, and of what fills it up: so no cell of a text has an owner that is a
/// state, states being below 2^29 where an artifact is below 4 GiB, and none can be taken for a head.
pub const CHAIN_WORD_ENDS: RangeInclusive<u8> = CHAIN_BYTE_MIN..=0x7F;

/// The owner of a cell that nobody owns. No state has this index: cells are fewer.
pub const NOBODY: u32 = HEAD - 1;

/// Set in a next state whose head must be looked at before the next byte: a chain, a loop, or a state that tells something
/// on the way.
pub const SPECIAL: u32 = 1 << 31;

/// The next state where nothing can be told any more.
pub const DEAD: u32 = u32::MAX;

/// A set of octets, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OctetSet(pub [u8; 32]);

#[expect(clippy::len_without_is_empty, reason = "an empty set is a mistake of the compiler")]
impl OctetSet {
    /// Whether `octet` is in it.
    #[inline]
    pub fn has(&self, octet: u8) -> bool {
        self.0.get(usize::from(octet / 8)).is_some_and(|bits| bits >> (octet % 8) & 1 == 1)
    }

    /// Puts `octet` in.
    pub fn insert(&mut self, octet: u8) {
        if let Some(bits) = self.0.get_mut(usize::from(octet / 8)) {
            *bits |= 1 << (octet % 8);
        }
    }

    /// How many octets are in it.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|bits| bits.count_ones()).sum()
    }
}

/// A cell: its owner in the high half, the next state in the low half.
pub fn cell(owner: u32, next: u32) -> u64 {
    u64::from(owner) << 32 | u64::from(next)
}

/// The owner of a cell.
pub fn owner(cell: u64) -> u32 {
    u32::try_from(cell >> 32).unwrap_or(NOBODY)
}

/// The next state of a cell.
pub fn next(cell: u64) -> u32 {
    u32::try_from(cell & u64::from(u32::MAX)).unwrap_or(DEAD)
}

/// Three letters as a number, whatever their case.
pub fn filter_gram(letters: &[u8]) -> Option<u32> {
    let [first, second, third] = *letters.first_chunk::<3>()?;
    Some(u32::from_le_bytes([first, second, third, 0]) | 0x0020_2020)
}

/// The bit of a gram in a filter of `2^log2` bits (multiplicative hashing, Knuth 6.4).
pub fn filter_bit(gram: u32, log2: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B1) >> (32 - log2.clamp(1, 31))) as usize
}
