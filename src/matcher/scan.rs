//! Running scanners over a text.

use super::reader::{Reader, Told};
use super::simulate;
use crate::artifact::Tables;
use crate::artifact::format::{
    CHAIN, LAST, LITERAL, NONE, Output, REPEATING_MAX, Scan, Search, filter_bit, filter_gram, scan_flag,
};
use core::ops::Range;

/// What the scans of a text have told so far.
pub(super) struct Scanning<'t, 'x> {
    tables: Tables<'t>,
    text: &'x [u8],
    /// The least rank that was told, or `NONE`.
    pub(super) best: u32,
    bits: Bits<'x>,
    /// The line that `bits.in_line` is of.
    line: Range<usize>,
    /// Whether the text has no newline, once that was asked.
    is_one_line: Option<bool>,
}

/// A bit for each scan that may be found several times: whether it was started.
pub(super) struct Bits<'x> {
    /// On the text.
    of_text: &'x mut [u64],
    /// In one line, for those that end with the line.
    in_line: &'x mut [u64],
}

/// Words of 64 bits.
type Room<const WORDS: usize> = [[u64; WORDS]; 2];

const FEW_WORDS: usize = 2;

/// Room for the bits of few scans, which is enough for most searches.
pub(super) const FEW: Room<FEW_WORDS> = [[0; _]; 2];

/// Room for the bits of as many as there may be, which takes time to clear.
pub(super) const MANY: Room<{ REPEATING_MAX as usize / 64 }> = [[0; _]; 2];

impl<'x> Bits<'x> {
    pub(super) fn new<const WORDS: usize>([of_text, in_line]: &'x mut Room<WORDS>) -> Self {
        Self { of_text, in_line }
    }
}

/// Whether [`FEW`] is room for the bits of `repeating` scans.
pub(super) fn are_few(repeating: u32) -> bool {
    repeating as usize <= FEW_WORDS * 64
}

/// Gaps of one regex that are followed: compiled patterns have fewer, since each takes some of the text.
const DEPTH_MAX: usize = 64;

/// The least rank that `search` gives to `text`, or `NONE`.
pub(super) fn first_of(tables: Tables<'_>, search: Search, text: &[u8]) -> u32 {
    let first = |bits| {
        let mut scanning = Scanning::new(tables, text, bits);
        scanning.search(search);
        scanning.best
    };
    if are_few(search.repeating) { first(Bits::new(&mut { FEW })) } else { first(Bits::new(&mut { MANY })) }
}

impl<'t, 'x> Scanning<'t, 'x> {
    pub(super) fn new(tables: Tables<'t>, text: &'x [u8], bits: Bits<'x>) -> Self {
        Self { tables, text, best: NONE, bits, line: 0..0, is_one_line: None }
    }

    /// Runs the scans of `search` that can tell less than is known.
    pub(super) fn search(&mut self, search: Search) {
        self.scans(search.scans, search.scans_count, 0, 0);
    }

    /// Takes in what `reader`, over the whole text, told last, and what it still tells.
    pub(super) fn literals(&mut self, reader: &mut Reader<'_, '_, false>, told: Told) {
        self.take(reader, told, self.text.len(), 0);
    }

    fn scans(&mut self, first: u32, count: u32, from: usize, depth: usize) {
        for scan in self.tables.scans().range(first, count) {
            self.scan(scan, from, depth);
        }
    }

    fn scan(&mut self, scan: Scan, from: usize, depth: usize) {
        if scan.best >= self.best || !self.starts(scan, from, depth) {
            return;
        }
        let is_backward = scan.flags & scan_flag::BACKWARD != 0;
        let end =
            if scan.flags & scan_flag::LINE == 0 { Some(self.text.len()) } else { self.line_end(from, is_backward) };
        let Some(end) = end else { return };
        let Some(rest) = self.text.get(from..end) else { return };
        if scan.filter != NONE && !self.may_hold(scan.filter, rest) {
            return;
        }
        let started = Told::OnTheWay { state: scan.start, head: 0 };
        if is_backward {
            self.take(&mut Reader::<true>::new(self.tables, scan.classes, rest, NONE), started, end, depth);
        } else if scan.flags & scan_flag::SIMULATED == 0 {
            self.take(&mut Reader::<false>::new(self.tables, scan.classes, rest, NONE), started, end, depth);
        } else if simulate::holds(self.tables, scan.start, rest) {
            self.best = scan.best;
        }
    }

    /// Whether `scan` is to be started: what may be found several times goes on where it was found first, and where it
    /// ends with the line where it was found first in that line.
    fn starts(&mut self, scan: Scan, from: usize, depth: usize) -> bool {
        if scan.started == NONE {
            // What is found once is found on the first run over the text, and only there.
            return depth <= 1;
        }
        let started = if scan.flags & scan_flag::LINE == 0 {
            &mut self.bits.of_text
        } else {
            if !(self.line.start..=self.line.end).contains(&from) || self.line.end == 0 {
                self.bits.in_line.fill(0);
                self.line = from..self.newline(from).unwrap_or(self.text.len());
            }
            &mut self.bits.in_line
        };
        let Some(word) = started.get_mut(scan.started as usize / 64) else {
            self.tables.lost().note();
            return false;
        };
        let bit = 1 << (scan.started % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new && depth < DEPTH_MAX
    }

    /// Where the next newline is from `from` on. Hardly any path has one, which is looked for only once.
    fn newline(&mut self, from: usize) -> Option<usize> {
        let text = self.text;
        if *self.is_one_line.get_or_insert_with(|| !text.contains(&b'\n')) {
            return None;
        }
        text.get(from..)?.iter().position(|byte| *byte == b'\n').map(|octets| from + octets)
    }

    /// Where the line ends that goes on at `from`; None where the text goes on behind it, if its end is asked for.
    fn line_end(&mut self, from: usize, to_the_end: bool) -> Option<usize> {
        match self.newline(from) {
            None => Some(self.text.len()),
            // PCRE's `$` is before a final newline too.
            Some(newline) if to_the_end => (newline + 1 == self.text.len()).then_some(self.text.len()),
            newline => newline,
        }
    }

    /// Whether `text` may hold what the filter looks for.
    fn may_hold(&self, filter: u32, text: &[u8]) -> bool {
        let row = self.tables.filters().row(filter);
        let bits = self.tables.bits_of(row);
        let holds = |gram: u32| {
            let bit = filter_bit(gram, row.log2);
            bits.get(bit / 8).is_some_and(|octet| octet >> (bit % 8) & 1 == 1)
        };
        let mut at = 0;
        while let Some(gram) = text.get(at..).and_then(filter_gram) {
            if holds(gram) {
                return true;
            }
            at += row.stride.max(1) as usize;
        }
        false
    }

    /// Takes in what `reader` told last, and what it still tells; its text ends at `end`.
    #[inline]
    fn take<const BACKWARD: bool>(
        &mut self,
        reader: &mut Reader<'_, '_, BACKWARD>,
        told: Told,
        end: usize,
        depth: usize,
    ) {
        let last = if matches!(told, Told::OnTheWay { .. }) { self.follow(reader, told, end, depth) } else { told };
        if let Told::AtTheEnd { head } = last
            && let Some(output) = self.output(head)
        {
            self.best = self.best.min(output.end);
            if output.ending != NONE {
                reader.outcome = output.ending;
            }
        }
    }

    /// Takes in what `reader` tells on the way; gives what it tells last.
    fn follow<const BACKWARD: bool>(
        &mut self,
        reader: &mut Reader<'_, '_, BACKWARD>,
        mut told: Told,
        end: usize,
        depth: usize,
    ) -> Told {
        while let Told::OnTheWay { state, head } = told {
            if let Some(output) = self.output(head) {
                self.best = self.best.min(output.seen);
                if output.going_on != NONE {
                    reader.outcome = output.going_on;
                }
                if output.scans_count > 0 {
                    self.scans(output.scans, output.scans_count, end - reader.left(), depth + 1);
                }
            }
            told = match head & LAST {
                0 => reader.read(state),
                _ if reader.left() == 0 => Told::AtTheEnd { head },
                _ => Told::Nothing,
            };
        }
        told
    }

    /// What a head says that is no literal's and no chain's.
    #[inline]
    fn output(&self, head: u32) -> Option<Output> {
        let index = (head & !LAST).checked_sub(1).filter(|_| head & (LITERAL | CHAIN) == 0)?;
        Some(self.tables.outputs().row(index))
    }
}
