//! The mistakes of one file, as many as anyone would read.

use crate::diagnostic::Diagnostic;

/// Collects mistakes up to a bound.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    found: Vec<Diagnostic>,
}

impl Mistakes {
    /// A file with more is not a policy; hostile ones have a mistake a byte.
    const MISTAKES_MAX: usize = 1_000;

    /// Adds one; the first that is too many is replaced by a word about that.
    pub(super) fn push(&mut self, mistake: Diagnostic) {
        if self.found.len() + 1 < Self::MISTAKES_MAX {
            self.found.push(mistake);
        } else if !self.full() {
            let message = format!("more than {} mistakes: the rest of the file is not read", Self::MISTAKES_MAX);
            self.found.push(Diagnostic::error("too-many-mistakes", mistake.place.span, message));
        }
    }

    /// Adds one unless the last one has the same code.
    pub(super) fn push_once(&mut self, mistake: Diagnostic) {
        if self.found.last().is_none_or(|last| last.code != mistake.code) {
            self.push(mistake);
        }
    }

    /// Whether no more are taken.
    pub(super) fn full(&self) -> bool {
        self.found.len() >= Self::MISTAKES_MAX
    }

    /// All of them, in the order of their places.
    pub(super) fn sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|mistake| mistake.place.span);
        self.found
    }
}
