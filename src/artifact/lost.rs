//! Whether an index led nowhere, though the check of the artifact had promised that none does.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Set once a row was asked for that is not there. What was read in its place means nothing: a decision refuses then.
///
/// Not an error that each read returns: reads stand in the innermost loops, and one look at the end is enough, since a
/// decision does nothing before. An atomic, so that decisions may be sent between threads; it costs what a `bool` does.
#[derive(Debug)]
pub(crate) struct Lost {
    is_set: AtomicBool,
    is_promised: bool,
}

impl Lost {
    /// Of an artifact that was checked: a missing row is a mistake of the check.
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { is_set: AtomicBool::new(false), is_promised: true }
    }

    /// Of an artifact that is being checked.
    pub(super) const fn of_check() -> Self {
        Self { is_set: AtomicBool::new(false), is_promised: false }
    }

    /// Forgets what an earlier decision lost.
    #[inline]
    pub(crate) fn clear(&self) {
        self.is_set.store(false, Relaxed);
    }

    /// Whether a row was missing.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Relaxed)
    }

    /// Notes what the check does not promise, and what the compiler never writes: a number beyond those that it counts.
    #[cold]
    pub(crate) fn set(&self) {
        self.is_set.store(true, Relaxed);
    }

    /// Notes that a row is missing. Where assertions are on that is a failure at once, but for the tests of this very thing.
    #[cold]
    #[inline(never)]
    pub(crate) fn note(&self) {
        debug_assert!(cfg!(test) || !self.is_promised, "an index of a checked artifact leads nowhere");
        self.set();
    }
}
