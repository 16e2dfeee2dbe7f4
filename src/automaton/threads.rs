//! Places in the programs of a set, and where they lead.

use super::byte_classes::is_word;
use super::constraint::Constraint;
use super::program::{Instruction, Program};
use regex_automata::util::look::Look;
use rustc_hash::FxHashMap;

/// A place in one of the programs, and what must follow for it to count. Ids ascend with the programs.
pub(super) type ThreadId = u32;

/// What stands before a position, as far as a look-behind can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Behind {
    Nothing,
    Word,
    NotWord,
}

impl Behind {
    pub(super) fn byte(byte: u8) -> Self {
        if is_word(byte) { Self::Word } else { Self::NotWord }
    }
}

/// All threads of a set of programs.
#[derive(Debug)]
pub(super) struct Threads<'a> {
    programs: &'a [&'a Program],
    /// By place: the program, and the instruction in it.
    places: Vec<(u32, u32)>,
    /// By program: its first place.
    first_places: Vec<u32>,
    /// By thread and what stands behind it: what it reaches without reading a byte, once that was asked.
    closures: FxHashMap<(ThreadId, Behind), Box<[ThreadId]>>,
}

impl<'a> Threads<'a> {
    pub(super) fn new(programs: &'a [&'a Program]) -> Self {
        let mut places = Vec::new();
        let mut first_places = Vec::new();
        for (index, program) in (0u32..).zip(programs) {
            first_places.push(u32::try_from(places.len()).unwrap_or(u32::MAX));
            places.extend((0u32..).take(program.instructions.len()).map(|at| (index, at)));
        }
        Self { programs, places, first_places, closures: FxHashMap::default() }
    }

    /// Adds where the language `program` begins behind `behind`.
    pub(super) fn enter(&mut self, program: u32, behind: Behind, threads: &mut Vec<ThreadId>) {
        let start = self.programs.get(program as usize).map_or(0, |program| program.start);
        let place = self.first_places.get(program as usize).copied().unwrap_or(0) + start;
        self.close(place * STRIDE, behind, threads);
    }

    /// Bytes that `thread` may go on with, as ranges.
    pub(super) fn ranges(&self, thread: ThreadId) -> impl Iterator<Item = (u8, u8)> + 'a {
        let (ranges, any) = match self.instruction(thread) {
            Instruction::Bytes(ranges) => (ranges.as_slice(), None),
            Instruction::Match => ([].as_slice(), Some((0, u8::MAX))),
            _ => ([].as_slice(), None),
        };
        ranges.iter().map(|(first, last, _)| (*first, *last)).chain(any)
    }

    /// Which program `thread` is in.
    pub(super) fn program(&self, thread: ThreadId) -> u32 {
        self.place(thread).0
    }

    /// Whether the language of `thread` holds the field whatever follows.
    pub(super) fn is_certain(&self, thread: ThreadId) -> bool {
        constraint(thread) == Constraint::None && *self.instruction(thread) == Instruction::Match
    }

    /// Whether the language of `thread` holds the field if it ends here.
    pub(super) fn accepts(&self, thread: ThreadId) -> bool {
        constraint(thread).holds_at_end() && *self.instruction(thread) == Instruction::Match
    }

    /// Adds where `thread` leads by reading `byte`.
    pub(super) fn read(&mut self, thread: ThreadId, byte: u8, subset: &mut Vec<ThreadId>) {
        let Some(kept) = constraint(thread).after(byte) else { return };
        let next = match self.instruction(thread) {
            Instruction::Match => return subset.push(self.moved(thread, None, kept)),
            Instruction::Bytes(ranges) => {
                ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&byte)).map(|(_, _, next)| *next)
            }
            _ => None,
        };
        if next.is_some() {
            self.close(self.moved(thread, next, kept), Behind::byte(byte), subset);
        }
    }

    /// Adds what `thread` reaches without reading a byte, itself included.
    fn close(&mut self, thread: ThreadId, behind: Behind, threads: &mut Vec<ThreadId>) {
        if matches!(self.instruction(thread), Instruction::Bytes(_) | Instruction::Match) {
            return threads.push(thread);
        }
        if !self.closures.contains_key(&(thread, behind)) {
            self.closures.insert((thread, behind), self.reach(thread, behind));
        }
        threads.extend(self.closures.get(&(thread, behind)).into_iter().flatten());
    }

    fn reach(&self, thread: ThreadId, behind: Behind) -> Box<[ThreadId]> {
        let mut reached = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut stack = vec![thread];
        while let Some(thread) = stack.pop() {
            if !seen.insert(thread) {
                continue;
            }
            match self.instruction(thread) {
                Instruction::Bytes(_) | Instruction::Match => reached.push(thread),
                Instruction::Split(ways) => {
                    stack.extend(ways.iter().map(|way| self.moved(thread, Some(*way), constraint(thread))));
                }
                Instruction::Save { next, .. } => stack.push(self.moved(thread, Some(*next), constraint(thread))),
                // Look-around was taken out beforehand.
                Instruction::Around { .. } => {}
                Instruction::Look { look, next } => {
                    let kept = demands(*look, behind).iter().filter_map(|demand| constraint(thread).and(*demand));
                    stack.extend(kept.map(|kept| self.moved(thread, Some(*next), kept)));
                }
            }
        }
        reached.into_boxed_slice()
    }

    /// The thread of the same program at instruction `to` (None: where it is) under `kept`.
    fn moved(&self, thread: ThreadId, to: Option<u32>, kept: Constraint) -> ThreadId {
        let (program, at) = self.place(thread);
        let first = self.first_places.get(program as usize).copied().unwrap_or(0);
        let kept = CONSTRAINTS.iter().position(|constraint| *constraint == kept).unwrap_or(0);
        (first + to.unwrap_or(at)) * STRIDE + u32::try_from(kept).unwrap_or(0)
    }

    fn place(&self, thread: ThreadId) -> (u32, u32) {
        self.places.get((thread / STRIDE) as usize).copied().unwrap_or((u32::MAX, 0))
    }

    fn instruction(&self, thread: ThreadId) -> &'a Instruction {
        const NONE: &Instruction = &Instruction::Bytes(Vec::new());
        let (program, at) = self.place(thread);
        self.programs.get(program as usize).map_or(NONE, |program| program.at(at))
    }
}

const CONSTRAINTS: [Constraint; 5] =
    [Constraint::None, Constraint::End, Constraint::FinalNewline, Constraint::Word, Constraint::NotWord];

/// Threads of a place: one a constraint.
const STRIDE: u32 = 5;

fn constraint(thread: ThreadId) -> Constraint {
    CONSTRAINTS.get((thread % STRIDE) as usize).copied().unwrap_or(Constraint::None)
}

/// The ways in which `look` can hold behind `behind`, as demands on what follows.
pub(super) fn demands(look: Look, behind: Behind) -> &'static [Constraint] {
    match look {
        Look::Start if behind == Behind::Nothing => &[Constraint::None],
        Look::End => &[Constraint::End],
        Look::EndLF => &[Constraint::End, Constraint::FinalNewline],
        Look::WordAscii if behind == Behind::Word => &[Constraint::NotWord],
        Look::WordAscii => &[Constraint::Word],
        Look::WordAsciiNegate if behind == Behind::Word => &[Constraint::Word],
        Look::WordAsciiNegate => &[Constraint::NotWord],
        // The pattern parser lets no other kind through.
        _ => &[],
    }
}
