//! What stands around the positions of a text.
//!
//! Look-around is decided for all positions before a regex is run: a look-behind by a pass from the start, a look-ahead
//! by a pass from the end, each over the sets of instructions that a thread may be at. A bit a position is kept.

use super::scratch::SCRATCH_OCTETS;
use crate::artifact::Tables;
use crate::artifact::format::{Instruction, Look, Program, instruction, look};

/// Whether `position` of `subject` is of `kind`; `around` has the bits of look-around by position.
pub(super) fn holds(kind: u32, position: usize, subject: &[u8], around: &[u8]) -> bool {
    let is_word = |index: Option<usize>| {
        let byte = index.and_then(|index| subject.get(index));
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let at_boundary = || is_word(position.checked_sub(1)) != is_word(Some(position));
    match kind {
        look::START => position == 0,
        look::END => position == subject.len(),
        look::DOLLAR => matches!(subject.get(position..), Some([] | [b'\n'])),
        look::WORD_BOUNDARY => at_boundary(),
        look::NOT_WORD_BOUNDARY => !at_boundary(),
        _ => around.get(position).is_some_and(|bits| bits & bit(kind - look::AROUND) != 0),
    }
}

/// Notes in `around` where the look-around of `program` holds in `subject`. `words` are for two sets of instructions.
pub(super) fn note(
    tables: &Tables<'_>,
    program: Program,
    words: &mut [u32],
    around: &mut [u8; SCRATCH_OCTETS + 1],
    subject: &[u8],
) {
    let count = program.count as usize;
    let sets = words.split_at_mut_checked(count).and_then(|(now, words)| Some((now, words.get_mut(..count)?)));
    let (Some((now, last)), Some(around)) = (sets, around.get_mut(..=subject.len())) else {
        return tables.lost().note();
    };
    around.fill(0);
    for (index, row) in (0..).zip(tables.looks().range(program.looks, program.looks_count)) {
        if row.end > program.count || !(row.from..row.end).contains(&row.start) {
            return tables.lost().note();
        }
        now.fill(0);
        last.fill(0);
        let mut pass = Pass { tables, program, row, subject, now: &mut *now, last: &mut *last };
        for step in 0..=subject.len() {
            let position = if row.ahead == 1 { subject.len() - step } else { step };
            core::mem::swap(&mut pass.now, &mut pass.last);
            pass.now.fill(0);
            let is_there = if row.ahead == 1 { pass.begins(position, around) } else { pass.ends(position, around) };
            if is_there != (row.negative == 1)
                && let Some(bits) = around.get_mut(position)
            {
                *bits |= bit(index);
            }
        }
    }
}

fn bit(index: u32) -> u8 {
    1u8.checked_shl(index).unwrap_or(0)
}

/// A pass over the positions for one look-around.
struct Pass<'a, 'w> {
    tables: &'a Tables<'a>,
    program: Program,
    row: Look,
    subject: &'a [u8],
    /// By instruction: 1 if it is in the set of this position.
    now: &'w mut [u32],
    /// The set of the position before.
    last: &'w mut [u32],
}

impl Pass<'_, '_> {
    /// Whether a match begins at `position`: makes the set of the instructions from which one does.
    fn begins(&mut self, position: usize, around: &[u8]) -> bool {
        let byte = self.subject.get(position).copied();
        loop {
            let mut changed = false;
            for at in (self.row.from..self.row.end).rev() {
                let Instruction { kind, a, b, c } = self.at(at);
                let leads_on = match kind {
                    instruction::BYTE => reads(byte, a, b) && has(self.last, c),
                    instruction::SPLIT => has(self.now, a) || has(self.now, b),
                    instruction::SAVE => has(self.now, b),
                    instruction::LOOK => has(self.now, b) && holds(a, position, self.subject, around),
                    instruction::MATCH => true,
                    _ => false,
                };
                changed |= leads_on && add(self.now, at);
            }
            if !changed {
                return has(self.now, self.row.start);
            }
        }
    }

    /// Whether a match ends at `position`: makes the set of the instructions that one may be at.
    fn ends(&mut self, position: usize, around: &[u8]) -> bool {
        let byte = position.checked_sub(1).and_then(|before| self.subject.get(before)).copied();
        add(self.now, self.row.start);
        for at in self.row.from..self.row.end {
            let Instruction { kind, a, b, c } = self.at(at);
            if kind == instruction::BYTE && reads(byte, a, b) && has(self.last, at) {
                add(self.now, c);
            }
        }
        loop {
            let (mut changed, mut matched) = (false, false);
            for at in self.row.from..self.row.end {
                if !has(self.now, at) {
                    continue;
                }
                let Instruction { kind, a, b, .. } = self.at(at);
                match kind {
                    instruction::SPLIT => changed |= add(self.now, a) | add(self.now, b),
                    instruction::SAVE => changed |= add(self.now, b),
                    instruction::LOOK if holds(a, position, self.subject, around) => changed |= add(self.now, b),
                    instruction::MATCH => matched = true,
                    _ => {}
                }
            }
            if !changed {
                return matched;
            }
        }
    }

    fn at(&self, index: u32) -> Instruction {
        let row = self.tables.instructions().row(self.program.instructions.saturating_add(index));
        if !row.is_of(self.program) {
            self.tables.lost().note();
        }
        row
    }
}

fn reads(byte: Option<u8>, first: u32, last: u32) -> bool {
    byte.is_some_and(|byte| (first..=last).contains(&u32::from(byte)))
}

fn has(set: &[u32], at: u32) -> bool {
    set.get(at as usize) == Some(&1)
}

/// True if it was not there.
fn add(set: &mut [u32], at: u32) -> bool {
    match set.get_mut(at as usize) {
        Some(place @ 0) => {
            *place = 1;
            true
        }
        _ => false,
    }
}
