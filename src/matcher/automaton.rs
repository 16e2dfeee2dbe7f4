//! Running an automaton over bytes.

use crate::artifact::format::NONE;
use crate::artifact::{Lost, Tables};

/// A run that may be fed piece by piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'t> {
    lost: &'t Lost,
    classes: &'t [u8; 256],
    transitions: &'t [[u8; 4]],
    resting: u32,
    /// Where the label of state 0 stands.
    label: usize,
    state: u32,
}

impl<'t> Run<'t> {
    #[inline]
    pub(super) fn new(tables: &Tables<'t>, automaton: u32) -> Self {
        let row = tables.automata().row(automaton);
        let classes = tables.byte_classes(row.classes);
        let transitions = tables.transitions().stretch(row.transitions, row.stride.saturating_mul(row.states));
        let label = (row.stride as usize).wrapping_sub(1);
        Self { lost: tables.lost(), classes, transitions, resting: row.resting, label, state: 0 }
    }

    /// Reads `bytes`.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.state = step(self.transitions, self.classes, self.resting, self.state, bytes);
    }

    /// What the automaton says if nothing follows.
    pub(super) fn label(&self) -> u32 {
        let label = (self.state as usize).wrapping_add(self.label);
        let label = self.transitions.get(label).map(|label| u32::from_le_bytes(*label));
        label.unwrap_or_else(|| {
            self.lost.note();
            NONE
        })
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
        let Some(next) = transitions.get(state as usize + usize::from(class)) else { return u32::MAX };
        state = u32::from_le_bytes(*next);
    }
    state
}
