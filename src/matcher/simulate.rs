//! Regexes whose automata are too large: all places of the program that a text may have led to, byte by byte.
//!
//! Unlike where captures are taken, no place is preferred to another and nothing is kept of how it was reached.

use super::look;
use crate::artifact::Tables;
use crate::artifact::format::{Instruction, SIMULATED_MAX, instruction};

/// Whether `program` holds somewhere in `text`. Each of its instructions is looked at once a byte.
#[inline(never)]
pub(super) fn holds(tables: Tables<'_>, program: u32, text: &[u8]) -> bool {
    let program = tables.programs().row(program);
    let (mut now, mut next) = (&mut Places::new(), &mut Places::new());
    for position in 0..=text.len() {
        if position == 0 || program.anchored == 0 {
            if program.start >= program.count {
                tables.lost().note();
            }
            now.add(program.start);
        }
        let byte = text.get(position).map(|byte| u32::from(*byte));
        let mut done = 0;
        // It grows meanwhile.
        while let Some(at) = now.get(done) {
            done += 1;
            let row = tables.instructions().row(program.instructions.saturating_add(at));
            if !row.is_of(program) {
                tables.lost().note();
            }
            let Instruction { kind, a, b, c } = row;
            match kind {
                instruction::BYTE if byte.is_some_and(|byte| (a..=b).contains(&byte)) => next.add(c),
                instruction::SPLIT => {
                    now.add(a);
                    now.add(b);
                }
                instruction::SAVE => now.add(b),
                instruction::LOOK if look::holds(a, position, text, &[]) => now.add(b),
                instruction::MATCH => return true,
                _ => {}
            }
        }
        if next.count == 0 && program.anchored == 1 {
            return false;
        }
        now.clear();
        core::mem::swap(&mut now, &mut next);
    }
    false
}

/// A set of instructions in the order in which they were reached.
struct Places {
    list: [u16; SIMULATED_MAX],
    count: usize,
    /// A bit for each instruction.
    known: [u64; SIMULATED_MAX / 64],
}

impl Places {
    fn new() -> Self {
        Self { list: [0; SIMULATED_MAX], count: 0, known: [0; SIMULATED_MAX / 64] }
    }

    #[inline]
    fn add(&mut self, at: u32) {
        let (Ok(place), Some(word)) = (u16::try_from(at), self.known.get_mut(at as usize / 64)) else { return };
        let bit = 1 << (at % 64);
        if *word & bit == 0
            && let Some(free) = self.list.get_mut(self.count)
        {
            *word |= bit;
            *free = place;
            self.count += 1;
        }
    }

    #[inline]
    fn get(&self, index: usize) -> Option<u32> {
        self.list.get(..self.count)?.get(index).map(|at| u32::from(*at))
    }

    fn clear(&mut self) {
        self.known.fill(0);
        self.count = 0;
    }
}
