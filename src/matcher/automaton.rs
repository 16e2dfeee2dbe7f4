//! Running an automaton over bytes.

use crate::artifact::Tables;
use crate::artifact::format::NONE;

/// A run that may be fed piece by piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'t> {
    classes: &'t [u8; 256],
    transitions: &'t [[u8; 4]],
    resting: u32,
    /// Where the label of state 0 stands.
    label: usize,
    state: u32,
}

impl<'t> Run<'t> {
    pub(super) fn new(tables: &Tables<'t>, automaton: u32) -> Self {
        let row = tables.automata().get(automaton).unwrap_or_default();
        let classes = tables.byte_classes(row.classes);
        let transitions = tables.transitions().stretch(row.transitions, row.stride.saturating_mul(row.states));
        let label = (row.stride as usize).wrapping_sub(1);
        Self { classes, transitions, resting: row.resting, label, state: 0 }
    }

    /// Reads `bytes`.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.state = step(self.transitions, self.classes, self.resting, self.state, bytes);
    }

    /// What the automaton says if nothing follows.
    pub(super) fn label(&self) -> u32 {
        let label = (self.state as usize).wrapping_add(self.label);
        self.transitions.get(label).map_or(NONE, |label| u32::from_le_bytes(*label))
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
