//! Which patterns a text holds, told while it is read.
//!
//! An automaton that only tells at the end what it has seen must remember it: each pattern that may match early doubles
//! its states. A scanner tells at once, by the output of a state, and forgets. Whoever runs it keeps the least rank
//! that was told.

mod build;
mod job;
mod tree;

pub(crate) use build::{Literal, build};
pub(crate) use job::{Emission, Job};

/// A deterministic automaton with outputs on the way. Several may share states: each has a start of its own.
#[derive(Debug)]
pub(crate) struct Scanner {
    /// Byte to class. Invariant: every value is below `stride`.
    pub(crate) classes: [u8; 256],
    /// Number of classes.
    pub(crate) stride: usize,
    /// States where runs begin.
    pub(crate) starts: Vec<u32>,
    pub(crate) states: Vec<State>,
}

/// Where nothing can be told any more.
pub(crate) const DEAD: u32 = u32::MAX;

/// No rank.
pub(crate) const NO_RANK: u32 = u32::MAX;

/// A state of a [`Scanner`].
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) output: Output,
    /// Where classes lead that have no edge: a state, or `DEAD`.
    pub(crate) default: u32,
    /// Class and state, or `DEAD`; ascending.
    pub(crate) edges: Vec<(u8, u32)>,
}

/// What a state tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Output {
    /// The least pattern that holds whatever follows.
    pub(crate) seen: u32,
    /// The least pattern that holds if nothing follows, where that is less.
    pub(crate) end: u32,
    /// What goes on from here.
    pub(crate) continuations: Vec<u32>,
    /// The mark of the literal read so far.
    pub(crate) mark: Option<u32>,
}

impl Output {
    pub(crate) const NONE: Self = Self { seen: NO_RANK, end: NO_RANK, continuations: Vec::new(), mark: None };

    /// Whether it tells something wherever the text ends.
    pub(crate) fn tells_on_the_way(&self) -> bool {
        self.seen != NO_RANK || !self.continuations.is_empty() || self.mark.is_some()
    }
}
