//! Running scanners over a text.

use crate::artifact::Tables;
use crate::artifact::format::{
    CHAIN, DEAD, HEAD, LITERAL, NONE, Output, REPEATING_MAX, SPECIAL, Scan, Search, filter_bit, filter_gram, next,
    owner, scan_flag,
};

use core::ops::Range;

/// What the scans of a text have told so far.
pub(super) struct Scanning<'t, 'x> {
    tables: Tables<'t>,
    text: &'x [u8],
    /// The least rank that was told, or `NONE`.
    pub(super) best: u32,
    /// What the literals read so far say, or `NONE`.
    pub(super) outcome: u32,
    bits: Bits<'x>,
    /// The line that `bits.in_line` is of.
    line: Range<usize>,
}

/// A bit for each scan that may be found several times: whether it was started.
pub(super) struct Bits<'x> {
    /// On the text.
    of_text: &'x mut [u64],
    /// In one line, for those that end with the line.
    in_line: &'x mut [u64],
}

/// Runs `then` with bits for `repeating` scans: mostly there are none.
#[inline]
pub(super) fn with_bits<T>(repeating: u32, then: impl FnOnce(Bits<'_>) -> T) -> T {
    const FEW: usize = 2;
    match repeating {
        0 => then(Bits { of_text: &mut [], in_line: &mut [] }),
        1..=128 => then(Bits { of_text: &mut [0; FEW], in_line: &mut [0; FEW] }),
        _ => with_many_bits(then),
    }
}

/// Apart, since room for all that there may be costs time to clear.
#[inline(never)]
fn with_many_bits<T>(then: impl FnOnce(Bits<'_>) -> T) -> T {
    const MANY: usize = REPEATING_MAX as usize / 64;
    then(Bits { of_text: &mut [0; MANY], in_line: &mut [0; MANY] })
}

/// Gaps of one regex that are followed: compiled patterns have fewer, since each takes some of the text.
const DEPTH_MAX: usize = 64;

/// The least rank that `search` gives to `text`, or `NONE`.
pub(super) fn first_of(tables: Tables<'_>, search: Search, text: &[u8]) -> u32 {
    with_bits(search.repeating, |bits| {
        let mut scanning = Scanning::new(tables, text, bits);
        scanning.search(search);
        scanning.best
    })
}

impl<'t, 'x> Scanning<'t, 'x> {
    pub(super) fn new(tables: Tables<'t>, text: &'x [u8], bits: Bits<'x>) -> Self {
        Self { tables, text, best: NONE, outcome: NONE, bits, line: 0..0 }
    }

    /// Runs the scans of `search` that can tell less than is known.
    pub(super) fn search(&mut self, search: Search) {
        for scan in self.tables.scans().range(search.scans, search.scans_count) {
            self.scan(scan, 0, 0);
        }
    }

    fn scan(&mut self, scan: Scan, from: usize, depth: usize) {
        if scan.best >= self.best || !self.starts(scan, from, depth) {
            return;
        }
        let is_backward = scan.flags & scan_flag::BACKWARD != 0;
        let end =
            if scan.flags & scan_flag::LINE == 0 { Some(self.text.len()) } else { self.line_end(from, is_backward) };
        let Some(rest) = end.and_then(|end| self.text.get(from..end)) else { return };
        if scan.filter != NONE && !self.may_hold(scan.filter, rest) {
            return;
        }
        if is_backward {
            self.run::<true>(scan.start, scan.classes, rest, from, depth);
        } else {
            self.run::<false>(scan.start, scan.classes, rest, from, depth);
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
                let rest = self.text.get(from..).unwrap_or(&[]);
                let octets = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                self.line = from..from + octets;
            }
            &mut self.bits.in_line
        };
        let Some(word) = started.get_mut(scan.started as usize / 64) else { return false };
        let bit = 1 << (scan.started % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new && depth < DEPTH_MAX
    }

    /// Where the line ends that goes on at `from`; None where the text goes on behind it, if its end is asked for.
    fn line_end(&self, from: usize, to_the_end: bool) -> Option<usize> {
        let newline = self.text.get(from..)?.iter().position(|byte| *byte == b'\n').map(|octets| from + octets);
        match newline {
            None => Some(self.text.len()),
            // PCRE's `$` is before a final newline too.
            Some(newline) if to_the_end => (newline + 1 == self.text.len()).then_some(self.text.len()),
            newline => newline,
        }
    }

    /// Whether `text` may hold what the filter looks for.
    fn may_hold(&self, filter: u32, text: &[u8]) -> bool {
        let row = self.tables.filters().get(filter).unwrap_or_default();
        let bits = self.tables.filter_bits().get(row.start as usize..).unwrap_or(&[]);
        let holds = |gram: u32| {
            let bit = filter_bit(gram, row.log2);
            bits.get(bit / 8).is_some_and(|octet| octet >> (bit % 8) & 1 == 1)
        };
        let mut at = 0;
        while let Some(gram) = text.get(at..).and_then(filter_gram) {
            if holds(gram) {
                return true;
            }
            at += row.stride as usize;
        }
        false
    }

    /// Runs the scanner at `start` over the whole text, which it looks for the literals of.
    pub(super) fn literals(&mut self, start: u32, classes: u32) {
        self.run::<false>(start, classes, self.text, 0, 0);
    }

    /// Runs the scanner at `start` over `text`, which begins at `from`.
    fn run<const BACKWARD: bool>(&mut self, start: u32, classes: u32, text: &[u8], from: usize, depth: usize) {
        let cells = self.tables.cells();
        let classes = self.tables.byte_classes(classes);
        let mut at = 0;
        let mut to = start;
        let state = loop {
            let state = to & !SPECIAL;
            if to & SPECIAL != 0 {
                if to == DEAD {
                    return;
                }
                let head = cells.get(state);
                let kind = owner(head);
                if kind & CHAIN != 0 {
                    let octets = (kind & !(HEAD | CHAIN)) as usize;
                    let rest = text.get(at..).unwrap_or(&[]);
                    if !reads(rest, octets, cells.text(state + 1)) {
                        return;
                    }
                    at += octets;
                    to = next(head);
                    continue;
                }
                if kind & LITERAL != 0 {
                    self.outcome = kind & !HEAD;
                } else {
                    self.tell(kind, from + at, depth);
                }
            }
            let byte = if BACKWARD { text.len().checked_sub(at + 1).and_then(|at| text.get(at)) } else { text.get(at) };
            let Some(byte) = byte else { break state };
            at += 1;
            let class = classes.get(usize::from(*byte)).copied().unwrap_or(0);
            let cell = cells.get(state + 1 + u32::from(class));
            to = if owner(cell) == state { next(cell) } else { next(cells.get(state)) };
        };
        self.end(owner(cells.get(state)));
    }

    /// Takes in what a state tells where the text ends; `head` is the owner of its head.
    #[inline]
    fn end(&mut self, head: u32) {
        if let Some(output) = self.output(head) {
            self.best = self.best.min(output.end);
            if output.ending != NONE {
                self.outcome = output.ending;
            }
        }
    }

    #[inline]
    fn output(&self, head: u32) -> Option<Output> {
        self.tables.outputs().get((head & !HEAD).wrapping_sub(1))
    }

    /// Takes in what a state tells that was reached before `at`; `head` is the owner of its head.
    fn tell(&mut self, head: u32, at: usize, depth: usize) {
        let Some(output) = self.output(head) else { return };
        self.best = self.best.min(output.seen);
        if output.going_on != NONE {
            self.outcome = output.going_on;
        }
        if output.scans_count > 0 {
            for scan in self.tables.scans().range(output.scans, output.scans_count) {
                self.scan(scan, at, depth + 1);
            }
        }
    }
}

/// Whether `text` begins with the `octets` first of `own`; compares eight at a time.
#[inline]
fn reads(text: &[u8], octets: usize, own: &[[u8; 8]]) -> bool {
    let Some(head) = text.get(..octets) else { return false };
    let (words, tail) = head.as_chunks::<8>();
    let number = |word: &[u8; 8]| u64::from_le_bytes(*word);
    let Some((own, rest)) = own.split_at_checked(words.len()) else { return false };
    if words.iter().zip(own).any(|(one, other)| number(one) != number(other)) {
        return false;
    }
    if tail.is_empty() {
        return true;
    }
    let Some(last) = rest.first() else { return false };
    match text.get(words.len() * 8..).and_then(|rest| rest.first_chunk::<8>()) {
        // What lies behind the chain's end is shifted out.
        Some(rest) => (number(rest) ^ number(last)) << (64 - 8 * tail.len()) == 0,
        None => tail.iter().zip(last).all(|(one, other)| one == other),
    }
}
