//! The name of a header among those that rules read: where it stands is found by its ends.
//!
//! The compiler looks for a factor that gives every name a slot of its own. Names that share one, with the same ends
//! among them, are tried one after the other.

use super::format::HeaderName;

/// The first octets of a name and its last, which together are the whole of most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    head: u64,
    tail: u64,
}

/// Names up to this length are told by their ends alone.
const OCTETS_MAX: usize = 16;

impl Ends {
    /// Those of `name`.
    #[inline]
    pub fn of(name: &[u8]) -> Self {
        if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
            return Self { head: u64::from_le_bytes(*head), tail: u64::from_le_bytes(*tail) };
        }
        if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
            let [head, tail] = [head, tail].map(|octets| u64::from(u32::from_le_bytes(*octets)));
            return Self { head, tail };
        }
        let octet = |index: usize| u64::from(name.get(index).copied().unwrap_or(0));
        Self { head: octet(0) | octet(1) << 8 | octet(2) << 16, tail: 0 }
    }

    /// Those of `name` with `letter` put over each octet.
    pub fn of_letters(name: &[u8], letter: impl Fn(u8) -> u8) -> Self {
        let (mut front, mut back) = ([0; 8], [0; 8]);
        let octets = name.len().min(8);
        for (to, octet) in front.iter_mut().zip(name) {
            *to = letter(*octet);
        }
        for (to, octet) in back.iter_mut().zip(name.get(name.len() - octets..).unwrap_or_default()) {
            *to = letter(*octet);
        }
        match octets {
            8 => Self { head: u64::from_le_bytes(front), tail: u64::from_le_bytes(back) },
            _ => Self::of(front.get(..octets).unwrap_or_default()),
        }
    }

    /// The slot among `2^bits`, of which there are from 2 to 2^16. Letters count alike in both cases.
    #[inline]
    pub fn slot(self, factor: u32, bits: u32) -> usize {
        const LOWER: u64 = 0x2020_2020_2020_2020;
        let key = (self.head | LOWER) ^ (self.tail | LOWER).rotate_left(23);
        let mixed = key.wrapping_mul(u64::from(factor) << 32 | u64::from(factor));
        usize::from((mixed >> 48) as u16 >> (16u32.wrapping_sub(bits) & 15))
    }
}

impl HeaderName {
    /// The row of the name `lower`, in lower case, that begins at `start` in the bytes.
    #[expect(clippy::cast_possible_truncation, reason = "the numbers are kept in two pieces")]
    pub fn new(start: u32, lower: &[u8], next: u32) -> Self {
        let Ends { head, tail } = Ends::of(lower);
        let (head_letters, tail_letters) = (letters_of(head), letters_of(tail));
        Self {
            start,
            octets: u32::try_from(lower.len()).unwrap_or(u32::MAX),
            next,
            head_low: head as u32,
            head_high: (head >> 32) as u32,
            tail_low: tail as u32,
            tail_high: (tail >> 32) as u32,
            head_letters_low: head_letters as u32,
            head_letters_high: (head_letters >> 32) as u32,
            tail_letters_low: tail_letters as u32,
            tail_letters_high: (tail_letters >> 32) as u32,
        }
    }

    /// The name in lower case.
    pub fn lower(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..).and_then(|bytes| bytes.get(..self.octets as usize)).unwrap_or(&[])
    }

    /// Whether it is `name`, which has these `ends`, in whatever case.
    #[inline]
    pub fn is(self, name: &[u8], ends: Ends, bytes: &[u8]) -> bool {
        let number = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        name.len() == self.octets as usize
            && ends.head | number(self.head_letters_low, self.head_letters_high)
                == number(self.head_low, self.head_high)
            && ends.tail | number(self.tail_letters_low, self.tail_letters_high)
                == number(self.tail_low, self.tail_high)
            && (name.len() <= OCTETS_MAX || name.eq_ignore_ascii_case(self.lower(bytes)))
    }
}

/// 0x20 for each octet that is a letter in lower case.
fn letters_of(octets: u64) -> u64 {
    u64::from_le_bytes(octets.to_le_bytes().map(|octet| if octet.is_ascii_lowercase() { 0x20 } else { 0 }))
}

/// The bit that stands for names as long as `name`, or 64 octets longer.
#[inline]
pub fn length_bit(name: &[u8]) -> u64 {
    1 << (name.len() & 63)
}
