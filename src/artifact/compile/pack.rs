//! Scanners to cells.

use super::layout::{Kind, Layout, Placed};
use super::tables::{Builder, index};
use crate::artifact::format::{CHAIN, DEAD, HEAD, LAST, LOOP, NOBODY, OctetSet, SOME, SPECIAL, cell};
use crate::automaton::scanner::{Output, Scanner};

/// A scanner whose states have got their cells.
pub(super) struct Packed<'s> {
    /// Index of its byte classes.
    pub(super) classes: u32,
    /// By start: the state, as transitions lead to it.
    pub(super) starts: Vec<u32>,
    layout: Layout<'s>,
    placed: Vec<Placed>,
    /// By node: its cell, as transitions lead to it; none for those inside chains.
    cells: Vec<u32>,
}

/// What fills the last cell of a text up; see `CHAIN_WORD_ENDS`.
const FILLING: u8 = 0x7F;

/// Places that are tried for a row, which are those before the end: what is read together is close together, and rows
/// with many edges seldom fit between others.
const TRIES_MAX: usize = 256;

impl Builder<'_> {
    /// Gives the states of `scanner` their cells.
    pub(super) fn pack<'s>(&mut self, scanner: &'s Scanner, backward: bool) -> Packed<'s> {
        let classes = index(self.byte_classes.len() / 256);
        self.byte_classes.extend(scanner.classes);
        let layout = Layout::new(scanner, backward);
        let placed = layout.order();
        let mut cells = vec![DEAD; layout.nodes()];
        for Placed { node, kind } in &placed {
            let offsets: Vec<usize> = match kind {
                Kind::Row => layout.row(*node).edges.iter().map(|(class, _)| usize::from(*class) + 1).collect(),
                Kind::Chain { text, .. } => (1..=text.len().div_ceil(8)).collect(),
                Kind::Loop { .. } => Vec::new(),
            };
            let base = self.reserve(&offsets);
            let is_special = !matches!(kind, Kind::Row) || layout.output(*node).tells_on_the_way();
            if let Some(place) = cells.get_mut(*node as usize) {
                *place = index(base) | if is_special { SPECIAL } else { 0 };
            }
        }
        let starts = scanner.starts.iter().map(|start| target(&cells, *start)).collect();
        Packed { classes, starts, layout, placed, cells }
    }

    /// Writes the cells of `packed`; `head` says what the head of a state says that has an output.
    pub(super) fn fill(&mut self, packed: &Packed<'_>, mut head: impl FnMut(&mut Self, &Output) -> u32) {
        let Packed { layout, cells, .. } = packed;
        for Placed { node, kind } in &packed.placed {
            let base = target(cells, *node) & !SPECIAL;
            match kind {
                Kind::Row => {
                    let (output, row) = (layout.output(*node), layout.row(*node));
                    let mut tells = if *output == Output::NONE { 0 } else { head(self, output) };
                    if tells != 0 && row.default == DEAD && row.edges.is_empty() {
                        tells |= LAST;
                    }
                    self.put_cell(base, HEAD | tells, target(cells, row.default));
                    for (class, next) in row.edges.iter() {
                        self.put_cell(base + 1 + u32::from(*class), base, target(cells, *next));
                    }
                }
                Kind::Chain { text, end } => {
                    self.put_cell(base, HEAD | CHAIN | index(text.len()), target(cells, *end));
                    for (place, word) in (base + 1..).zip(text.chunks(8)) {
                        let mut octets = [FILLING; 8];
                        octets.iter_mut().zip(word).for_each(|(octet, byte)| *octet = *byte);
                        if let Some(own) = self.cells.get_mut(place as usize) {
                            *own = u64::from_le_bytes(octets);
                        }
                    }
                }
                Kind::Loop { set, some, body } => {
                    let set = self.octet_set(*set);
                    self.put_cell(base, HEAD | LOOP | if *some { SOME } else { 0 } | set, target(cells, *body));
                }
            }
        }
    }

    /// Index of `set`; equal sets are one.
    fn octet_set(&mut self, set: OctetSet) -> u32 {
        let fresh = index(self.octet_sets_known.len());
        let octets = &mut self.octet_sets;
        *self.octet_sets_known.entry(set).or_insert_with(|| {
            octets.extend(set.0);
            fresh
        })
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

fn target(cells: &[u32], node: u32) -> u32 {
    cells.get(node as usize).copied().unwrap_or(DEAD)
}
