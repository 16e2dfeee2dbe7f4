//! A regular language as a list of instructions (Thompson's construction, by regex-automata).

use regex_automata::nfa::thompson::{NFA, State, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::{self, Hir};

/// One step of a [`Program`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every reader has to consider every one")]
pub enum Instruction {
    /// Reads a byte in one of the ranges (first, last, next), which do not overlap; fails on others.
    Bytes(Vec<(u8, u8, u32)>),
    /// Goes on at each of these; earlier ones are preferred.
    Split(Vec<u32>),
    /// Notes the position in a slot: slot 2i is where group i starts, 2i+1 where it ends.
    Save {
        /// The slot.
        slot: u32,
        /// What follows.
        next: u32,
    },
    /// Goes on if the position is of this kind; `EndLF` is PCRE's `$`.
    Look {
        /// The kind.
        look: Look,
        /// What follows.
        next: u32,
    },
    /// The language holds the bytes read so far.
    Match,
}

/// A regular language, unanchored: it may begin at any position.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Program {
    /// Every index in them is below their number.
    pub instructions: Vec<Instruction>,
    /// Where it begins.
    pub start: u32,
    /// Slots of the groups, group 0 (the whole match) among them.
    pub slots: u32,
    /// Whether every match begins at the first byte.
    pub anchored: bool,
}

/// The instructions of a regex are more than the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooLarge;

impl Program {
    /// The instructions of `hir`, with the slots of its groups if `captures`.
    ///
    /// # Errors
    /// If there would be more than `instructions_max`; finding that out costs no more than the limit.
    pub fn new(hir: &Hir, captures: bool, instructions_max: usize) -> Result<Self, TooLarge> {
        let which = if captures { WhichCaptures::All } else { WhichCaptures::None };
        // A state of regex-automata takes some 24 bytes and more for its alternatives.
        let config = NFA::config().utf8(false).which_captures(which).nfa_size_limit(Some(instructions_max * 64));
        let nfa = NFA::compiler().configure(config).build_from_hir(hir).map_err(|_| TooLarge)?;
        if nfa.states().len() > instructions_max {
            return Err(TooLarge);
        }
        let instructions = nfa.states().iter().map(instruction).collect();
        let slots = u32::try_from(nfa.group_info().slot_len()).map_err(|_| TooLarge)?;
        let start = nfa.start_anchored().as_u32();
        let anchored = hir.properties().look_set_prefix().contains(hir::Look::Start);
        Ok(Self { instructions, start, slots, anchored })
    }

    /// The instruction at `index`; past the end it matches nothing.
    pub(crate) fn at(&self, index: u32) -> &Instruction {
        const NONE: &Instruction = &Instruction::Bytes(Vec::new());
        self.instructions.get(index as usize).unwrap_or(NONE)
    }
}

fn instruction(state: &State) -> Instruction {
    match state {
        State::ByteRange { trans } => Instruction::Bytes(vec![(trans.start, trans.end, trans.next.as_u32())]),
        State::Sparse(sparse) => {
            Instruction::Bytes(sparse.transitions.iter().map(|t| (t.start, t.end, t.next.as_u32())).collect())
        }
        State::Dense(dense) => {
            let next = |byte: u8| Some((byte, byte, dense.matches(&[byte], 0)?.as_u32()));
            Instruction::Bytes((0..=u8::MAX).filter_map(next).collect())
        }
        State::Look { look, next } => Instruction::Look { look: *look, next: next.as_u32() },
        State::Union { alternates } => Instruction::Split(alternates.iter().map(StateID::as_u32).collect()),
        State::BinaryUnion { alt1, alt2 } => Instruction::Split(vec![alt1.as_u32(), alt2.as_u32()]),
        State::Capture { next, slot, .. } => Instruction::Save { slot: slot.as_u32(), next: next.as_u32() },
        State::Fail => Instruction::Bytes(Vec::new()),
        State::Match { .. } => Instruction::Match,
    }
}
