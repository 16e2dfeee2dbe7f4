//! Reading a text with a scanner, from one thing that it tells to the next.

use crate::artifact::format::{CHAIN, DEAD, HEAD, LAST, LITERAL, LOOP, SOME, SPECIAL, next, owner};
use crate::artifact::{Cells, Tables};

/// A text, forward or backward, and how far it is read.
pub(super) struct Reader<'t, 'x, const BACKWARD: bool> {
    tables: Tables<'t>,
    cells: Cells<'t>,
    classes: &'t [u8; 256],
    /// What is still to be read.
    rest: &'x [u8],
    /// What the literals read so far say.
    pub(super) outcome: u32,
}

/// What a scanner tells; `head` says what the state is, without [`HEAD`].
#[derive(Clone, Copy)]
pub(super) enum Told {
    /// Nothing any more.
    Nothing,
    /// That `state` was reached.
    OnTheWay { state: u32, head: u32 },
    /// That the text ended there.
    AtTheEnd { head: u32 },
}

impl<'t, 'x, const BACKWARD: bool> Reader<'t, 'x, BACKWARD> {
    #[inline]
    pub(super) fn new(tables: Tables<'t>, classes: u32, text: &'x [u8], outcome: u32) -> Self {
        Self { tables, cells: tables.cells(), classes: tables.byte_classes(classes), rest: text, outcome }
    }

    /// Octets that are still to be read.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Reads on, until something is told that is more than which literal was read.
    ///
    /// `to` is a state as transitions lead to it, or one that was told, which is not told again. Costs one or two looks
    /// at a cell for each octet outside chains.
    #[expect(clippy::inline_always, reason = "a call, and its results in memory, cost as much as ten octets")]
    #[inline(always)]
    pub(super) fn read(&mut self, mut to: u32) -> Told {
        let Self { cells, classes, mut rest, .. } = *self;
        let edge = |state: u32, byte: u8| {
            cells.get(state + 1 + u32::from(classes.get(usize::from(byte)).copied().unwrap_or(0)))
        };
        let told = loop {
            let state = to & !SPECIAL;
            if to & SPECIAL != 0 {
                if to == DEAD {
                    break Told::Nothing;
                }
                let cell = cells.head(state);
                let head = owner(cell) & !HEAD;
                if head & CHAIN != 0 {
                    let Some((text, behind)) = text_first::<BACKWARD>(rest, (head & !CHAIN) as usize) else {
                        break Told::Nothing;
                    };
                    if cells.text(state + 1).get(..text.len()) != Some(text) {
                        break Told::Nothing;
                    }
                    rest = behind;
                    to = next(cell);
                    continue;
                }
                if head & LITERAL == 0 {
                    if head & LOOP != 0 {
                        let Some(behind) = self.stay(head, rest) else { break Told::Nothing };
                        rest = behind;
                        to = next(cell);
                        continue;
                    }
                    break Told::OnTheWay { state, head };
                }
                self.outcome = head;
                if head & LAST != 0 {
                    break Told::Nothing;
                }
            }
            let Some((byte, behind)) = first::<BACKWARD>(rest) else {
                break Told::AtTheEnd { head: owner(cells.head(state)) & !HEAD };
            };
            rest = behind;
            let cell = edge(state, byte);
            if owner(cell) == state {
                to = next(cell);
                continue;
            }
            to = next(cells.head(state));
            // A state that leads to itself is not waited for at every octet.
            while to == state
                && let Some((byte, behind)) = first::<BACKWARD>(rest)
                && owner(edge(state, byte)) != state
            {
                rest = behind;
            }
        };
        self.rest = rest;
        told
    }

    /// What is behind the octets of `rest` on which the loop of `head` stays; None if there must be some and are none.
    #[inline]
    fn stay<'r>(&self, head: u32, rest: &'r [u8]) -> Option<&'r [u8]> {
        let set = self.tables.octet_sets().get(head & !(LOOP | SOME));
        let mut left = rest;
        while let Some((octet, behind)) = first::<BACKWARD>(left)
            && set.has(octet)
        {
            left = behind;
        }
        (head & SOME == 0 || left.len() < rest.len()).then_some(left)
    }
}

/// The octet that is read next, and what is behind it.
#[inline]
fn first<const BACKWARD: bool>(text: &[u8]) -> Option<(u8, &[u8])> {
    let (byte, behind) = if BACKWARD { text.split_last() } else { text.split_first() }?;
    Some((*byte, behind))
}

/// As many octets as are read next, as they stand in the text, and what is behind them.
#[inline]
fn text_first<const BACKWARD: bool>(text: &[u8], octets: usize) -> Option<(&[u8], &[u8])> {
    if BACKWARD {
        let (behind, own) = text.split_at_checked(text.len().checked_sub(octets)?)?;
        return Some((own, behind));
    }
    text.split_at_checked(octets)
}
