//! Running an automaton over bytes.

use crate::artifact::Table;
use crate::artifact::Tables;
use crate::artifact::format::{Automaton, NONE, Number};

/// A run that may be fed piece by piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'t> {
    classes: &'t [u8; 256],
    transitions: Table<'t, Number>,
    labels: Table<'t, Number>,
    row: Automaton,
    state: u32,
}

impl<'t> Run<'t> {
    pub(super) fn new(tables: &Tables<'t>, automaton: u32) -> Self {
        let row = tables.automata().get(automaton).unwrap_or_default();
        let classes = tables.byte_classes(row.classes);
        Self { classes, transitions: tables.transitions(), labels: tables.labels(), row, state: 0 }
    }

    /// Reads `bytes`.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut state = self.state;
        for byte in bytes {
            let class = self.classes.get(usize::from(*byte)).copied().unwrap_or(0);
            state = self.transitions.number((self.row.transitions + state + u32::from(class)) as usize);
        }
        self.state = state;
    }

    /// What the automaton says if nothing follows.
    pub(super) fn label(&self) -> u32 {
        let state = self.state.checked_div(self.row.stride).unwrap_or(0);
        self.labels.number((self.row.labels + state) as usize)
    }
}

/// The least label that the automata `first..first + count` of `ranked` give to `bytes`, or `NONE`.
pub(super) fn first_of(tables: &Tables<'_>, first: u32, count: u32, bytes: &[u8]) -> u32 {
    let mut best = NONE;
    for automaton in tables.ranked().range(first, count) {
        let mut run = Run::new(tables, automaton.value);
        run.feed(bytes);
        best = best.min(run.label());
    }
    best
}
