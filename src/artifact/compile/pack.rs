//! Scanners to cells.

use super::tables::{Builder, index};
use crate::artifact::format::{CHAIN, CHAIN_BYTE_MIN, CHAIN_MAX, DEAD, HEAD, LAST, LITERAL, NOBODY, SPECIAL, cell};
use crate::automaton::scanner::{self, Output, Scanner};
use std::collections::VecDeque;

/// A scanner whose states have got their cells.
pub(super) struct Packed {
    /// Index of its byte classes.
    pub(super) classes: u32,
    /// By start: the state, as transitions lead to it.
    pub(super) starts: Vec<u32>,
    placed: Vec<Placed>,
    /// By state: its cell, as transitions lead to it; none for those inside chains.
    cells: Vec<u32>,
}

/// A state that has cells of its own.
enum Placed {
    Plain(u32),
    Chain { state: u32, text: Vec<u8>, end: u32 },
}

/// Shorter texts are cheaper as states.
const CHAIN_MIN: usize = 2;

/// What fills the last cell of a text up; see `CHAIN_BYTE_MIN`.
const FILLING: u8 = 0x7F;

/// As many branches are laid out by themselves, or more: of what is before them most paths read much the same.
const BRANCHES: usize = 256;

/// Places that are tried for a row, which are those before the end: what is read together is close together, and rows
/// with many edges seldom fit between others.
const TRIES_MAX: usize = 256;

impl Builder<'_> {
    /// Gives the states of `scanner` their cells.
    pub(super) fn pack(&mut self, scanner: &Scanner, backward: bool) -> Packed {
        let classes = index(self.byte_classes.len() / 256);
        self.byte_classes.extend(scanner.classes);
        let placed = order(scanner, backward);
        let mut cells = vec![DEAD; scanner.states.len()];
        for item in &placed {
            let (state, base) = match item {
                Placed::Plain(state) => {
                    let offsets: Vec<usize> = edges(scanner, *state).map(|(class, _)| usize::from(class) + 1).collect();
                    (*state, self.reserve(&offsets))
                }
                Placed::Chain { state, text, .. } => {
                    let offsets: Vec<usize> = (1..=text.len().div_ceil(8)).collect();
                    (*state, self.reserve(&offsets))
                }
            };
            let is_special = matches!(item, Placed::Chain { .. }) || output(scanner, state).tells_on_the_way();
            if let Some(place) = cells.get_mut(state as usize) {
                *place = index(base) | if is_special { SPECIAL } else { 0 };
            }
        }
        let starts = scanner.starts.iter().map(|start| target(&cells, *start)).collect();
        Packed { classes, starts, placed, cells }
    }

    /// Writes the cells of `scanner`; `head` says what the head of a state says that has an output.
    pub(super) fn fill(&mut self, scanner: &Scanner, packed: &Packed, mut head: impl FnMut(&mut Self, &Output) -> u32) {
        for item in &packed.placed {
            match item {
                Placed::Plain(state) => {
                    let base = target(&packed.cells, *state) & !SPECIAL;
                    let output = output(scanner, *state);
                    let default = scanner.states.get(*state as usize).map_or(DEAD, |state| state.default);
                    let mut tells = if *output == Output::NONE { 0 } else { head(self, output) };
                    if tells & LITERAL != 0 && default == DEAD && edges(scanner, *state).next().is_none() {
                        tells |= LAST;
                    }
                    self.put_cell(base, HEAD | tells, target(&packed.cells, default));
                    for (class, next) in edges(scanner, *state) {
                        self.put_cell(base + 1 + u32::from(class), base, target(&packed.cells, next));
                    }
                }
                Placed::Chain { state, text, end } => {
                    let base = target(&packed.cells, *state) & !SPECIAL;
                    self.put_cell(base, HEAD | CHAIN | index(text.len()), target(&packed.cells, *end));
                    for (place, word) in (base + 1..).zip(text.chunks(8)) {
                        let mut octets = [FILLING; 8];
                        octets.iter_mut().zip(word).for_each(|(octet, byte)| *octet = *byte);
                        if let Some(own) = self.cells.get_mut(place as usize) {
                            *own = u64::from_le_bytes(octets);
                        }
                    }
                }
            }
        }
    }

    fn put_cell(&mut self, place: u32, owner: u32, next: u32) {
        if let Some(cells) = self.cells.get_mut(place as usize) {
            *cells = cell(owner, next);
        }
    }

    /// A place near the end where a head and cells at `offsets` behind it are free; takes them.
    fn reserve(&mut self, offsets: &[usize]) -> usize {
        const FREE: u64 = cell_of_nobody();
        let taken = |cells: &[u64], place: usize| cells.get(place).is_some_and(|cell| *cell != FREE);
        let fits = |base: &usize| {
            !taken(&self.cells, *base) && offsets.iter().all(|offset| !taken(&self.cells, base + offset))
        };
        let mut before_end = self.cells.len().saturating_sub(TRIES_MAX)..self.cells.len();
        let base = before_end.find(fits).unwrap_or(self.cells.len());
        let end = base + 1 + offsets.last().copied().unwrap_or(0);
        self.cells.resize(self.cells.len().max(end), FREE);
        for place in core::iter::once(base).chain(offsets.iter().map(|offset| base + offset)) {
            if let Some(cells) = self.cells.get_mut(place) {
                *cells = TAKEN;
            }
        }
        base
    }
}

/// A cell that is somebody's, and is written later.
const TAKEN: u64 = 0;

const fn cell_of_nobody() -> u64 {
    (NOBODY as u64) << 32
}

/// States in the order in which they get their cells. Those near a start, which most paths visit, stand together; behind
/// them each branch by itself, so that what one path reads is close together.
fn order(scanner: &Scanner, backward: bool) -> Vec<Placed> {
    let letters = if backward { vec![None; scanner.stride] } else { letters(scanner) };
    let mut known = vec![false; scanner.states.len()];
    let mut waiting: VecDeque<u32> = scanner.starts.iter().copied().collect();
    let mut is_near = true;
    let mut placed = Vec::new();
    while let Some(state) = waiting.pop_front() {
        let Some(is_known) = known.get_mut(state as usize).filter(|known| !**known) else { continue };
        *is_known = true;
        let (text, end) = chain(scanner, &letters, state);
        let mut behind: Vec<u32> = Vec::new();
        if text.len() >= CHAIN_MIN {
            behind.push(end);
            placed.push(Placed::Chain { state, text, end });
        } else {
            behind.extend(edges(scanner, state).map(|(_, next)| next));
            behind.extend(scanner.states.get(state as usize).map(|state| state.default));
            placed.push(Placed::Plain(state));
        }
        is_near &= waiting.len() < BRANCHES;
        if is_near {
            waiting.extend(behind);
        } else {
            behind.into_iter().rev().for_each(|next| waiting.push_front(next));
        }
    }
    placed
}

/// By class: its byte, if it has only one.
fn letters(scanner: &Scanner) -> Vec<Option<u8>> {
    let mut letters = vec![None; scanner.stride];
    let mut counts = vec![0; scanner.stride];
    for (byte, class) in (0..=u8::MAX).zip(scanner.classes) {
        if let (Some(letter), Some(count)) = (letters.get_mut(usize::from(class)), counts.get_mut(usize::from(class))) {
            *count += 1;
            *letter = (*count == 1).then_some(byte);
        }
    }
    letters
}

/// The text that `state` and those behind it read one way only, and where it ends.
fn chain(scanner: &Scanner, letters: &[Option<u8>], state: u32) -> (Vec<u8>, u32) {
    let mut text = Vec::new();
    let mut at = state;
    while let Some(scanner::State { output, default: scanner::DEAD, edges }) = scanner.states.get(at as usize)
        && *output == Output::NONE
        && let [(class, next)] = edges.as_slice()
        && let Some(Some(letter)) = letters.get(usize::from(*class))
        && *letter >= CHAIN_BYTE_MIN
        && text.len() < CHAIN_MAX
        && *next != at
    {
        text.push(*letter);
        at = *next;
    }
    (text, at)
}

fn edges(scanner: &Scanner, state: u32) -> impl Iterator<Item = (u8, u32)> {
    scanner.states.get(state as usize).into_iter().flat_map(|state| state.edges.iter().copied())
}

fn output(scanner: &Scanner, state: u32) -> &Output {
    const NONE: &Output = &Output::NONE;
    scanner.states.get(state as usize).map_or(NONE, |state| &state.output)
}

fn target(cells: &[u32], state: u32) -> u32 {
    cells.get(state as usize).copied().unwrap_or(DEAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automaton::Limits;
    use crate::automaton::scanner::Literal;
    use crate::automaton::search::search;

    /// What follows a state behind the first branches stands right behind it: a path reads few pages.
    #[test]
    fn a_branch_stands_together() {
        let texts: Vec<String> =
            (0..2_000).map(|number| format!("/{}/{}/r{number}/", number % 37, number % 41)).collect();
        let mut literals: Vec<Literal<'_>> =
            texts.iter().zip(0..).map(|(text, mark)| Literal { text: text.as_bytes(), mark }).collect();
        literals.sort_by_key(|literal| literal.text);
        let limits = Limits::default();
        let found = search(&[], Some(&literals), &limits, &mut limits.steps_max.clone()).expect("within the limits");
        let scanner = found.scanners.first().expect("literals have a scanner");
        let placed = order(scanner, false);
        let near = 4 * BRANCHES;
        let apart = placed.windows(2).skip(near).filter(|pair| {
            let [one, other] = pair else { return false };
            let next = match one {
                Placed::Plain(state) => edges(scanner, *state).map(|(_, next)| next).next(),
                Placed::Chain { end, .. } => Some(*end),
            };
            let (Placed::Plain(behind) | Placed::Chain { state: behind, .. }) = other;
            next.is_some_and(|next| next != *behind)
        });
        assert!(placed.len() > 2 * near, "{} states", placed.len());
        assert_eq!(apart.count(), 0);
    }
}
