//! Several languages as one deterministic automaton (subset construction).

use super::byte_classes::ByteClasses;
use super::program::Program;
use super::threads::{Behind, ThreadId, Threads};
use std::collections::HashMap;

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
    /// By label: indices of the languages that hold the field, ascending.
    pub sets: Vec<Vec<u32>>,
}

/// The automaton has more states, or took more steps, than the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverBudget;

/// Builds the automaton of `programs`; takes its steps from `steps`.
pub(super) fn determinise(programs: &[&Program], states_max: usize, steps: &mut u64) -> Result<Dfa, OverBudget> {
    let classes = ByteClasses::new(programs);
    let mut threads = Threads::new(programs);
    let [start, behind_word, behind_other] =
        [Behind::Nothing, Behind::Word, Behind::NotWord].map(|behind| beginnings(&mut threads, programs, behind));
    let begins = [behind_word, behind_other];
    let mut subsets = Subsets { threads, begins, ids: HashMap::new(), members: Vec::new(), steps };
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

/// Where `programs` may begin behind `behind`.
fn beginnings(threads: &mut Threads<'_>, programs: &[&Program], behind: Behind) -> Vec<ThreadId> {
    let mut all = Vec::new();
    for (index, program) in (0..).zip(programs) {
        if behind == Behind::Nothing || !program.anchored {
            threads.enter(index, behind, &mut all);
        }
    }
    all
}

struct Subsets<'a> {
    threads: Threads<'a>,
    /// Where languages begin behind a byte of a word, and behind another.
    begins: [Vec<ThreadId>; 2],
    ids: HashMap<Vec<ThreadId>, u32>,
    members: Vec<Vec<ThreadId>>,
    steps: &'a mut u64,
}

impl Subsets<'_> {
    fn number(&mut self, mut subset: Vec<ThreadId>) -> u32 {
        subset.sort_unstable();
        subset.dedup();
        self.prune(&mut subset);
        if let Some(id) = self.ids.get(&subset) {
            return *id;
        }
        let id = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        self.members.push(subset.clone());
        self.ids.insert(subset, id);
        id
    }

    /// A language that holds whatever follows needs no other thread of its own.
    fn prune(&self, subset: &mut Vec<ThreadId>) {
        let threads = &self.threads;
        let certain: Vec<u32> =
            subset.iter().filter(|t| threads.is_certain(**t)).map(|t| threads.program(*t)).collect();
        if !certain.is_empty() {
            let is_certain = |thread| certain.binary_search(&threads.program(thread)).is_ok();
            subset.retain(|thread| threads.is_certain(*thread) || !is_certain(*thread));
        }
    }

    fn step(&mut self, members: &[ThreadId], byte: u8) -> Result<Vec<ThreadId>, OverBudget> {
        let mut subset = Vec::with_capacity(members.len());
        for thread in members {
            self.threads.read(*thread, byte, &mut subset);
        }
        let [behind_word, behind_other] = &self.begins;
        subset.extend(if Behind::byte(byte) == Behind::Word { behind_word } else { behind_other });
        let left = self.steps.checked_sub(1 + subset.len() as u64);
        *self.steps = left.unwrap_or(0);
        left.ok_or(OverBudget)?;
        Ok(subset)
    }

    fn labels(&self) -> (Vec<u32>, Vec<Vec<u32>>) {
        let mut sets: Vec<Vec<u32>> = Vec::new();
        let mut ids: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut labels = Vec::with_capacity(self.members.len());
        for members in &self.members {
            let accepting = members.iter().filter(|thread| self.threads.accepts(**thread));
            let mut set: Vec<u32> = accepting.map(|thread| self.threads.program(*thread)).collect();
            set.dedup();
            let fresh = u32::try_from(sets.len()).unwrap_or(u32::MAX);
            labels.push(*ids.entry(set).or_insert_with_key(|set| {
                sets.push(set.clone());
                fresh
            }));
        }
        (labels, sets)
    }
}
