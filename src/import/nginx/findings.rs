//! What is said of a configuration, as much as anyone would read.

use crate::diagnostic::{Diagnostic, Severity, Span};
use std::collections::BTreeSet;

/// Collects what is found, each thing at its place once, up to a bound.
#[derive(Debug, Default)]
pub(super) struct Findings {
    all: Vec<Diagnostic>,
    said: BTreeSet<(Span, String)>,
    errors: usize,
    warnings: usize,
}

/// Errors, and warnings: a configuration that has more is fixed one kind at a time, and hostile ones have one a byte.
const FINDINGS_MAX: usize = 1_000;

impl Findings {
    /// Adds one; the first that is too many of its severity is replaced by a word about that.
    pub(super) fn push(&mut self, found: Diagnostic) {
        let is_error = found.severity == Severity::Error;
        let count = if is_error { &mut self.errors } else { &mut self.warnings };
        if *count >= FINDINGS_MAX || !self.said.insert((found.place.span, found.message.clone())) {
            return;
        }
        *count += 1;
        let found = match (*count < FINDINGS_MAX, is_error) {
            (true, _) => found,
            (false, true) => {
                let message = format!("more than {FINDINGS_MAX} errors: the others are not told");
                Diagnostic::error("too-many-mistakes", found.place.span, message)
            }
            (false, false) => {
                let message = format!("more than {FINDINGS_MAX} warnings: the others are not told");
                Diagnostic::warning("too-many-mistakes", found.place.span, message)
            }
        };
        self.all.push(found);
    }

    /// Whether no more errors are taken.
    pub(super) fn is_full(&self) -> bool {
        self.errors >= FINDINGS_MAX
    }

    /// Whether there is something that keeps the configuration from meaning anything.
    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// All of them, in the order of their places.
    pub(super) fn sorted(mut self) -> Vec<Diagnostic> {
        self.all.sort_by_key(|found| found.place.span);
        self.all
    }
}

impl Extend<Diagnostic> for Findings {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, found: I) {
        found.into_iter().for_each(|found| self.push(found));
    }
}
