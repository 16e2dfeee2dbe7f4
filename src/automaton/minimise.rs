//! The smallest automaton of a language, as a program.

use super::byte_classes::ByteClasses;
use super::program::{Instruction, Program, TooLarge};
use regex_automata::util::look::Look;
use std::collections::HashMap;

/// A deterministic automaton of one language; state 0 is the start.
pub(super) struct Table {
    pub(super) classes: ByteClasses,
    /// `transitions[state * classes + class]`
    pub(super) transitions: Vec<u32>,
    /// By state: whether the language holds a field that ends there.
    pub(super) accepts: Vec<bool>,
}

/// The language of `table` as a program of its smallest automaton (Moore's refinement: states are told apart by whether
/// they accept, then by where they lead, until nothing changes). Takes its steps from `steps`.
///
/// # Errors
/// If the steps end.
pub(super) fn smallest(table: &Table, steps: &mut u64) -> Result<Program, TooLarge> {
    let stride = table.classes.representatives.len();
    let mut blocks: Vec<u32> = table.accepts.iter().map(|accepts| u32::from(*accepts)).collect();
    let mut count = 0;
    loop {
        *steps = steps.checked_sub(table.transitions.len() as u64).ok_or(TooLarge)?;
        let mut ids: HashMap<Vec<u32>, u32> = HashMap::new();
        let mut refined = Vec::with_capacity(blocks.len());
        for (own, row) in blocks.iter().zip(table.transitions.chunks(stride)) {
            let mut key = vec![*own];
            key.extend(row.iter().map(|next| block(&blocks, *next)));
            let fresh = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            refined.push(*ids.entry(key).or_insert(fresh));
        }
        blocks = refined;
        if ids.len() == count {
            return Ok(program(table, &blocks, count));
        }
        count = ids.len();
    }
}

fn block(blocks: &[u32], state: u32) -> u32 {
    blocks.get(state as usize).copied().unwrap_or(0)
}

/// Instructions of a state: its choice, the end of the field, its bytes.
const OF_STATE: u32 = 3;

fn program(table: &Table, blocks: &[u32], count: usize) -> Program {
    let stride = table.classes.representatives.len();
    let end = u32::try_from(count).unwrap_or(u32::MAX).saturating_mul(OF_STATE);
    let mut instructions = Vec::new();
    for own in (0u32..).take(count) {
        // Numbers were given in order of the states.
        let state = blocks.iter().position(|block| *block == own).unwrap_or(0);
        let row = table.transitions.get(state * stride..(state + 1) * stride).unwrap_or(&[]);
        let row: Vec<u32> = row.iter().map(|next| block(blocks, *next)).collect();
        let accepts = table.accepts.get(state) == Some(&true);
        let is_last = row.iter().all(|next| *next == own);
        let first = own * OF_STATE;
        let bytes = Instruction::Bytes(if is_last { Vec::new() } else { ranges(table, &row) });
        instructions.push(match (accepts, is_last) {
            (true, true) => Instruction::Match,
            (true, false) => Instruction::Split(vec![first + 1, first + 2]),
            (false, _) => bytes.clone(),
        });
        instructions.push(Instruction::Look { look: Look::End, next: end });
        instructions.push(bytes);
    }
    instructions.push(Instruction::Match);
    Program { instructions, start: block(blocks, 0) * OF_STATE, slots: 2, anchored: true, looks: Vec::new() }
}

/// Where each byte leads, equal neighbours together.
fn ranges(table: &Table, row: &[u32]) -> Vec<(u8, u8, u32)> {
    let mut ranges: Vec<(u8, u8, u32)> = Vec::new();
    for (byte, class) in (0..=u8::MAX).zip(table.classes.of) {
        let next = row.get(usize::from(class)).copied().unwrap_or(0) * OF_STATE;
        match ranges.last_mut() {
            Some((_, last, before)) if *before == next => *last = byte,
            _ => ranges.push((byte, byte, next)),
        }
    }
    ranges
}
