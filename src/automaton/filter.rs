//! A filter for texts: whether one may hold some of the letters that a set of patterns cannot do without.
//!
//! Every pattern has a run of letters that each of its matches holds. Of a window of it all grams (three letters one
//! behind the other) are noted; looking at every `stride`-th gram of a text then cannot miss the window.

use crate::matcher::internal::format::{filter_bit, filter_gram};
use std::collections::BTreeSet;

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    /// A bit for each hash of a gram.
    pub(crate) bits: Vec<u8>,
    /// Logarithm to base 2 of the number of bits.
    pub(crate) log2: u32,
    /// How far apart the grams of a text are that must be looked at.
    pub(crate) stride: u32,
}

/// Letters of a gram.
const GRAM: usize = 3;

/// A larger stride would need longer runs and note more grams.
const STRIDE_MAX: usize = 4;

/// Bits for each gram, so that a gram of a text that was not noted seldom falls on one.
const BITS_A_GRAM: usize = 64;

/// The filter of patterns that need the runs `required`, in lower case; None where one is too short to look for.
pub(crate) fn filter(required: &[&[u8]]) -> Option<Filter> {
    let shortest = required.iter().map(|run| run.len()).min()?;
    let stride = (shortest + 1).checked_sub(GRAM)?.min(STRIDE_MAX);
    if stride == 0 {
        return None;
    }
    let mut grams: BTreeSet<u32> = BTreeSet::new();
    for run in required {
        let windows = run.windows(stride + GRAM - 1).map(|window| window.windows(GRAM).filter_map(filter_gram));
        let rarest = windows.min_by_key(|window| window.clone().filter(|gram| !grams.contains(gram)).count());
        grams.extend(rarest.into_iter().flatten().collect::<Vec<u32>>());
    }
    let log2 = (grams.len() * BITS_A_GRAM).next_power_of_two().ilog2().clamp(12, 18);
    let mut bits = vec![0; 1 << (log2 - 3)];
    for gram in grams {
        let bit = filter_bit(gram, log2);
        if let Some(octet) = bits.get_mut(bit / 8) {
            *octet |= 1 << (bit % 8);
        }
    }
    Some(Filter { bits, log2, stride: u32::try_from(stride).unwrap_or(1) })
}
