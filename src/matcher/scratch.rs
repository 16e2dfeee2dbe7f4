//! Where a decision puts what it makes: paths, targets, header values, captures.

use super::decision::EditRow;
use crate::artifact::Lost;
use crate::artifact::format::{CAPTURES_MAX, HEADERS_MAX, VARIABLES_MAX};
use core::ops::Range;
use rulec_contract::DECISION_OCTETS_MAX;

/// Octets that a decision makes.
pub(crate) const SCRATCH_OCTETS: usize = DECISION_OCTETS_MAX;

/// Words for taking captures: threads of a regex, with their slots.
pub(crate) const SCRATCH_WORDS: usize = 32 * 1024;

/// Settings that one decision may reach.
pub(crate) const SETTINGS_MAX: usize = 1024;

/// Working memory of a decision, about 300 KiB. It is reused: nothing of an earlier decision shows in a later one.
#[derive(Debug)]
pub struct Scratch {
    lost: Lost,
    work: Work,
}

/// All of it but what says that it means nothing.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) bytes: [u8; SCRATCH_OCTETS],
    pub(super) words: [u32; SCRATCH_WORDS],
    /// By position of a text: which look-around of a regex holds there.
    pub(super) around: [u8; SCRATCH_OCTETS + 1],
    /// Class by variable; `UNKNOWN` where it was not asked for yet.
    pub(super) classes: [u16; VARIABLES_MAX],
    /// Where each header stands; see `lines`.
    pub(super) lines: [u32; HEADERS_MAX],
    /// What each named group captured.
    pub(super) named: [Slice; CAPTURES_MAX],
    /// Operations of the settings reached, in order.
    pub(super) settings: [u32; SETTINGS_MAX],
    pub(super) edits: [EditRow; SETTINGS_MAX],
    pub(super) meters: [u32; SETTINGS_MAX],
}

impl Scratch {
    /// A fresh one. It is large: keep it in a static or on the heap, and reuse it.
    #[expect(clippy::large_stack_arrays, reason = "where it goes is for the caller to say")]
    pub const fn new() -> Self {
        let work = Work {
            bytes: [0; SCRATCH_OCTETS],
            words: [0; SCRATCH_WORDS],
            around: [0; SCRATCH_OCTETS + 1],
            classes: [0; VARIABLES_MAX],
            lines: [0; HEADERS_MAX],
            named: [Slice::EMPTY; CAPTURES_MAX],
            settings: [0; SETTINGS_MAX],
            edits: [EditRow::EMPTY; SETTINGS_MAX],
            meters: [0; SETTINGS_MAX],
        };
        Self { lost: Lost::new(), work }
    }

    /// Its two parts; nothing is lost yet.
    pub(super) fn parts(&mut self) -> (&Lost, &mut Work) {
        self.lost.clear();
        (&self.lost, &mut self.work)
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// A stretch of the arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Slice {
    pub(super) const EMPTY: Self = Self { start: 0, end: 0 };

    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or(&[])
    }
}

/// Bytes of the request or the artifact, or of the arena.
#[derive(Clone, Copy, Debug)]
pub(super) enum Text<'r> {
    Given(&'r [u8]),
    Made(Slice),
}

impl<'r> Text<'r> {
    pub(super) const EMPTY: Self = Self::Given(&[]);

    pub(super) fn of<'x>(self, bytes: &'x [u8]) -> &'x [u8]
    where
        'r: 'x,
    {
        match self {
            Self::Given(given) => given,
            Self::Made(slice) => slice.of(bytes),
        }
    }

    /// What stands from `start` on.
    pub(super) fn behind(self, start: usize) -> Self {
        match self {
            Self::Given(given) => Self::Given(given.get(start..).unwrap_or(&[])),
            Self::Made(slice) => {
                let start = slice.start.saturating_add(u32::try_from(start).unwrap_or(u32::MAX)).min(slice.end);
                Self::Made(Slice { start, ..slice })
            }
        }
    }

    /// The bytes `range` of it.
    pub(super) fn part(self, range: Range<usize>) -> Self {
        match self {
            Self::Given(given) => Self::Given(given.get(range).unwrap_or(&[])),
            Self::Made(slice) => {
                let at = |offset: usize| {
                    slice.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)).min(slice.end)
                };
                Self::Made(Slice { start: at(range.start), end: at(range.end) })
            }
        }
    }
}

/// The arena is full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Full;

/// Memory that only grows, for the time of one decision.
#[derive(Debug)]
pub(super) struct Arena<'s> {
    pub(super) bytes: &'s mut [u8; SCRATCH_OCTETS],
    used: usize,
}

impl<'s> Arena<'s> {
    pub(super) fn new(bytes: &'s mut [u8; SCRATCH_OCTETS]) -> Self {
        Self { bytes, used: 0 }
    }

    /// Where the next byte goes.
    pub(super) fn mark(&self) -> u32 {
        // Below 64 Ki by the type of `bytes`.
        u32::try_from(self.used).unwrap_or(u32::MAX)
    }

    /// What was put since `mark`.
    pub(super) fn since(&self, mark: u32) -> Slice {
        Slice { start: mark, end: self.mark() }
    }

    /// Takes back what was put since `mark`.
    pub(super) fn back_to(&mut self, mark: u32) {
        self.used = self.used.min(mark as usize);
    }

    /// Takes out what was put from `start` to `end`; what was put behind it moves there.
    pub(super) fn cut(&mut self, start: u32, end: u32) {
        let (start, end) = (start as usize, end as usize);
        if start <= end && end <= self.used {
            self.bytes.copy_within(end..self.used, start);
            self.used -= end - start;
        }
    }

    /// Takes back the last byte put.
    pub(super) fn pop(&mut self) {
        self.used = self.used.saturating_sub(1);
    }

    pub(super) fn put_byte(&mut self, byte: u8) -> Result<(), Full> {
        *self.bytes.get_mut(self.used).ok_or(Full)? = byte;
        self.used += 1;
        Ok(())
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.used + bytes.len();
        self.bytes.get_mut(self.used..end).ok_or(Full)?.copy_from_slice(bytes);
        self.used = end;
        Ok(())
    }

    /// Puts a copy of `slice` of the arena itself.
    pub(super) fn put_slice(&mut self, slice: Slice) -> Result<(), Full> {
        let (start, end) = (slice.start as usize, slice.end as usize);
        let octets = end.saturating_sub(start);
        if start > end || end > self.used || self.used + octets > self.bytes.len() {
            return Err(Full);
        }
        self.bytes.copy_within(start..end, self.used);
        self.used += octets;
        Ok(())
    }

    /// `text` as a stretch of the arena: where it is not one, a copy.
    pub(super) fn hold(&mut self, text: Text<'_>) -> Result<Slice, Full> {
        let mark = self.mark();
        match text {
            Text::Given(bytes) => self.put(bytes).map(|()| self.since(mark)),
            Text::Made(slice) => Ok(slice),
        }
    }

    pub(super) fn put_text(&mut self, text: Text<'_>) -> Result<(), Full> {
        match text {
            Text::Given(bytes) => self.put(bytes),
            Text::Made(slice) => self.put_slice(slice),
        }
    }

    /// The byte at `index`; 0 past the end.
    pub(super) fn byte(&self, index: u32) -> u8 {
        self.bytes.get(index as usize).copied().unwrap_or(0)
    }
}
