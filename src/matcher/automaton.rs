//! Running an automaton over bytes.

use crate::artifact::Table;
use crate::artifact::Tables;
use crate::artifact::format::{Automaton, Number};

/// A run that may be fed piece by piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'t> {
    classes: &'t [u8; 256],
    transitions: &'t [[u8; 4]],
    labels: Table<'t, Number>,
    row: Automaton,
    state: u32,
}

impl<'t> Run<'t> {
    pub(super) fn new(tables: &Tables<'t>, automaton: u32) -> Self {
        let row = tables.automata().get(automaton).unwrap_or_default();
        let classes = tables.byte_classes(row.classes);
        let transitions = tables.transitions().stretch(row.transitions, row.stride.saturating_mul(row.states));
        Self { classes, transitions, labels: tables.labels(), row, state: 0 }
    }

    /// Reads `bytes`.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.state = step(self.transitions, self.classes, self.row.resting, self.state, bytes);
    }

    /// What the automaton says if nothing follows.
    pub(super) fn label(&self) -> u32 {
        let state = self.state.checked_div(self.row.stride).unwrap_or(0);
        self.labels.number((self.row.labels + state) as usize)
    }
}

/// The state behind `bytes`. From `resting` on, states do not change any more.
// Not inlined: its five values stay in registers.
#[inline(never)]
fn step(transitions: &[[u8; 4]], classes: &[u8; 256], resting: u32, mut state: u32, bytes: &[u8]) -> u32 {
    for byte in bytes {
        if state >= resting {
            break;
        }
        let class = classes.get(usize::from(*byte)).copied().unwrap_or(0);
        state = transitions.get(state as usize + usize::from(class)).map_or(0, |next| u32::from_le_bytes(*next));
    }
    state
}
