//! Several languages as one deterministic automaton (subset construction).

use super::byte_classes::{ByteClasses, is_word};
use super::constraint::Constraint;
use super::program::{Instruction, Program};
use regex_automata::util::look::Look;
use std::collections::{BTreeSet, HashMap};

/// What the automaton tells at the end of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two uses")]
pub enum Labelling {
    /// Which languages hold the field: labels number the sets that occur.
    Set,
    /// The first language that holds it: labels are indices of languages.
    First,
}

/// The label where no language holds the field, under [`Labelling::First`].
pub const NO_LABEL: u32 = u32::MAX;

/// A complete deterministic automaton.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dfa {
    /// Byte to class. Invariant: every value is below `stride`.
    pub classes: [u8; 256],
    /// Number of classes.
    pub stride: usize,
    /// `transitions[state * stride + class]` is the next state. Invariant: every value is below `labels.len()`.
    pub transitions: Vec<u32>,
    /// What holds if the field ends in this state. State 0 is the start.
    pub labels: Vec<u32>,
    /// Under [`Labelling::Set`], by label: indices of the languages that hold the field, ascending.
    pub sets: Vec<Vec<u32>>,
}

/// The automaton has more states, or took more steps, than the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OverBudget;

/// Builds the automaton of `programs`; takes its steps from `steps`.
pub(super) fn determinise(
    programs: &[&Program],
    labelling: Labelling,
    states_max: usize,
    steps: &mut u64,
) -> Result<Dfa, OverBudget> {
    let classes = ByteClasses::new(programs);
    let mut subsets = Subsets { programs, labelling, ids: HashMap::new(), members: Vec::new(), steps };
    let start = subsets.start()?;
    subsets.number(start);
    let mut transitions = Vec::new();
    let mut done = 0;
    while let Some(members) = subsets.members.get(done).cloned() {
        for byte in &classes.representatives {
            let next = subsets.step(&members, *byte)?;
            transitions.push(subsets.number(next));
        }
        done += 1;
        if subsets.members.len() > states_max {
            return Err(OverBudget);
        }
    }
    let (labels, sets) = subsets.labels();
    Ok(Dfa { classes: classes.of, stride: classes.representatives.len(), transitions, labels, sets })
}

/// A place in one of the programs, and what must follow for it to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Thread {
    program: u32,
    at: u32,
    constraint: Constraint,
}

struct Subsets<'a> {
    programs: &'a [&'a Program],
    labelling: Labelling,
    ids: HashMap<Vec<Thread>, u32>,
    members: Vec<Vec<Thread>>,
    steps: &'a mut u64,
}

impl Subsets<'_> {
    fn number(&mut self, subset: BTreeSet<Thread>) -> u32 {
        let subset = self.prune(subset);
        if let Some(id) = self.ids.get(&subset) {
            return *id;
        }
        let id = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        self.members.push(subset.clone());
        self.ids.insert(subset, id);
        id
    }

    /// A language that holds whatever follows needs no other thread of its own, and under
    /// [`Labelling::First`] none of a later language.
    fn prune(&self, subset: BTreeSet<Thread>) -> Vec<Thread> {
        let certain: BTreeSet<u32> = subset.iter().filter(|t| self.is_certain(t)).map(|t| t.program).collect();
        let first = certain.first().copied().unwrap_or(u32::MAX);
        let keep = |thread: &Thread| {
            let beaten = self.labelling == Labelling::First && thread.program > first;
            !beaten && (self.is_certain(thread) || !certain.contains(&thread.program))
        };
        subset.into_iter().filter(keep).collect()
    }

    fn is_certain(&self, thread: &Thread) -> bool {
        thread.constraint == Constraint::None && *self.at(thread) == Instruction::Match
    }

    fn at(&self, thread: &Thread) -> &Instruction {
        const NONE: &Instruction = &Instruction::Bytes(Vec::new());
        self.programs.get(thread.program as usize).map_or(NONE, |program| program.at(thread.at))
    }

    fn start(&mut self) -> Result<BTreeSet<Thread>, OverBudget> {
        let mut subset = BTreeSet::new();
        self.begin(None, &mut subset)?;
        Ok(subset)
    }

    /// Lets every language begin at a position behind `previous`.
    fn begin(&mut self, previous: Option<u8>, subset: &mut BTreeSet<Thread>) -> Result<(), OverBudget> {
        for (index, program) in (0u32..).zip(self.programs) {
            if previous.is_none() || !program.anchored {
                let thread = Thread { program: index, at: program.start, constraint: Constraint::None };
                self.close(thread, previous, subset)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, members: &[Thread], byte: u8) -> Result<BTreeSet<Thread>, OverBudget> {
        let mut subset = BTreeSet::new();
        for thread in members {
            let Some(constraint) = thread.constraint.after(byte) else { continue };
            match self.at(thread) {
                Instruction::Match => {
                    subset.insert(Thread { constraint, ..*thread });
                }
                Instruction::Bytes(ranges) => {
                    let next = ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&byte));
                    if let Some((_, _, at)) = next.copied() {
                        self.close(Thread { at, constraint, ..*thread }, Some(byte), &mut subset)?;
                    }
                }
                _ => {}
            }
        }
        self.begin(Some(byte), &mut subset)?;
        Ok(subset)
    }

    /// Adds what is reached from `thread` without reading a byte.
    fn close(&mut self, thread: Thread, previous: Option<u8>, subset: &mut BTreeSet<Thread>) -> Result<(), OverBudget> {
        let mut stack = vec![thread];
        let mut seen = BTreeSet::new();
        while let Some(thread) = stack.pop() {
            *self.steps = self.steps.checked_sub(1).ok_or(OverBudget)?;
            if subset.contains(&thread) || !seen.insert(thread) {
                continue;
            }
            match self.at(&thread) {
                Instruction::Bytes(_) | Instruction::Match => {
                    subset.insert(thread);
                }
                Instruction::Split(nexts) => stack.extend(nexts.iter().map(|at| Thread { at: *at, ..thread })),
                Instruction::Save { next, .. } => stack.push(Thread { at: *next, ..thread }),
                Instruction::Look { look, next } => {
                    for demand in demands(*look, previous) {
                        if let Some(constraint) = thread.constraint.and(*demand) {
                            stack.push(Thread { at: *next, constraint, ..thread });
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn labels(&self) -> (Vec<u32>, Vec<Vec<u32>>) {
        let mut sets: Vec<Vec<u32>> = Vec::new();
        let mut ids: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut labels = Vec::with_capacity(self.members.len());
        for members in &self.members {
            let accepts = |t: &&Thread| t.constraint.holds_at_end() && *self.at(t) == Instruction::Match;
            let set: BTreeSet<u32> = members.iter().filter(accepts).map(|t| t.program).collect();
            labels.push(match self.labelling {
                Labelling::First => set.first().copied().unwrap_or(NO_LABEL),
                Labelling::Set => {
                    let set: Vec<u32> = set.into_iter().collect();
                    let fresh = u32::try_from(sets.len()).unwrap_or(u32::MAX);
                    *ids.entry(set).or_insert_with_key(|set| {
                        sets.push(set.clone());
                        fresh
                    })
                }
            });
        }
        (labels, sets)
    }
}

/// The ways in which `look` can hold behind `previous` (None: at the start), as demands on what follows.
fn demands(look: Look, previous: Option<u8>) -> &'static [Constraint] {
    let behind_word = previous.is_some_and(is_word);
    match look {
        Look::Start if previous.is_none() => &[Constraint::None],
        Look::End => &[Constraint::End],
        Look::EndLF => &[Constraint::End, Constraint::FinalNewline],
        Look::WordAscii if behind_word => &[Constraint::NotWord],
        Look::WordAscii => &[Constraint::Word],
        Look::WordAsciiNegate if behind_word => &[Constraint::Word],
        Look::WordAsciiNegate => &[Constraint::NotWord],
        // The pattern parser lets no other kind through.
        _ => &[],
    }
}
