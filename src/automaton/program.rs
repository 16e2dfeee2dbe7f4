//! A regular language as a list of instructions (Thompson's construction, by regex-automata).

use crate::regex::{Mark, Meaning};
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
    /// Goes on if a look-around holds here.
    Around {
        /// Its index.
        look: u32,
        /// What follows.
        next: u32,
    },
    /// The language, or the look-around that the instruction belongs to, holds the bytes read so far.
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
    /// Its look-around; each asks only those before it.
    pub looks: Vec<LookAround>,
}

/// A look-around of a [`Program`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LookAround {
    /// Something begins here; else something ends here.
    pub ahead: bool,
    /// It must not.
    pub negative: bool,
    /// The first of its instructions, which reach to those of the next look-around, or the end.
    pub from: u32,
    /// Where it begins.
    pub start: u32,
}

/// The instructions of a regex are more than the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooLarge;

impl Program {
    /// The instructions of `meaning`, with the slots of its groups if `captures`.
    ///
    /// # Errors
    /// If there would be more than `instructions_max`; finding that out costs no more than the limit.
    pub fn new(meaning: &Meaning, captures: bool, instructions_max: usize) -> Result<Self, TooLarge> {
        let mut instructions = Vec::new();
        // Look-around is marked by groups.
        let which = if captures || !meaning.looks.is_empty() { WhichCaptures::All } else { WhichCaptures::None };
        let (start, mut slots) = append(&meaning.hir, meaning, which, instructions_max, &mut instructions)?;
        let mut looks = Vec::new();
        for look in &meaning.looks {
            let from = u32::try_from(instructions.len()).map_err(|_| TooLarge)?;
            let (start, own) = append(&look.hir, meaning, which, instructions_max, &mut instructions)?;
            slots = slots.max(own);
            looks.push(LookAround { ahead: look.ahead, negative: look.negative, from, start });
        }
        let anchored = meaning.hir.properties().look_set_prefix().contains(hir::Look::Start);
        Ok(Self { instructions, start, slots, anchored, looks })
    }

    /// The instruction at `index`; past the end it matches nothing.
    pub(crate) fn at(&self, index: u32) -> &Instruction {
        const NONE: &Instruction = &Instruction::Bytes(Vec::new());
        self.instructions.get(index as usize).unwrap_or(NONE)
    }
}

/// Appends the instructions of `hir`; says where it begins and how many slots its groups have.
fn append(
    hir: &Hir,
    meaning: &Meaning,
    which: WhichCaptures,
    instructions_max: usize,
    instructions: &mut Vec<Instruction>,
) -> Result<(u32, u32), TooLarge> {
    // A state of regex-automata takes some 24 bytes and more for its alternatives.
    let config = NFA::config().utf8(false).which_captures(which).nfa_size_limit(Some(instructions_max * 64));
    let nfa = NFA::compiler().configure(config).build_from_hir(hir).map_err(|_| TooLarge)?;
    if instructions.len() + nfa.states().len() > instructions_max {
        return Err(TooLarge);
    }
    let first = u32::try_from(instructions.len()).map_err(|_| TooLarge)?;
    let mut slots = 0;
    for state in nfa.states() {
        let instruction = instruction(state, first, meaning);
        if let Instruction::Save { slot, .. } = &instruction {
            slots = slots.max((slot | 1) + 1);
        }
        instructions.push(instruction);
    }
    Ok((first + nfa.start_anchored().as_u32(), slots))
}

/// `state` as an instruction, states being numbered from `first`.
fn instruction(state: &State, first: u32, meaning: &Meaning) -> Instruction {
    let at = |state: &StateID| first + state.as_u32();
    match state {
        State::ByteRange { trans } => Instruction::Bytes(vec![(trans.start, trans.end, at(&trans.next))]),
        State::Sparse(sparse) => {
            Instruction::Bytes(sparse.transitions.iter().map(|t| (t.start, t.end, at(&t.next))).collect())
        }
        State::Dense(dense) => {
            let next = |byte: u8| Some((byte, byte, at(&dense.matches(&[byte], 0)?)));
            Instruction::Bytes((0..=u8::MAX).filter_map(next).collect())
        }
        State::Look { look, next } => Instruction::Look { look: *look, next: at(next) },
        State::Union { alternates } => Instruction::Split(alternates.iter().map(at).collect()),
        State::BinaryUnion { alt1, alt2 } => Instruction::Split(vec![at(alt1), at(alt2)]),
        State::Capture { next, group_index, slot, .. } => {
            let slot = slot.as_u32();
            match meaning.mark(u32::try_from(group_index.as_usize()).unwrap_or(u32::MAX)) {
                Mark::Group => Instruction::Save { slot, next: at(next) },
                Mark::Look(look) if slot % 2 == 0 => {
                    Instruction::Around { look: u32::try_from(look).unwrap_or(u32::MAX), next: at(next) }
                }
                Mark::Look(_) | Mark::Nothing => Instruction::Split(vec![at(next)]),
            }
        }
        State::Fail => Instruction::Bytes(Vec::new()),
        State::Match { .. } => Instruction::Match,
    }
}
