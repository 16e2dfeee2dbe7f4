//! Whether an index led nowhere, though the check of the artifact had promised that none does.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Set once a row was asked for that is not there. What was read in its place means nothing: a decision refuses then.
///
/// Not an error that each read returns: reads stand in the innermost loops, and one look at the end is enough, since a
/// decision does nothing before. An atomic, so that decisions may be sent between threads; it costs what a `bool` does.
#[derive(Debug)]
pub struct Lost {
    is_set: AtomicBool,
    is_promised: AtomicBool,
}

impl Default for Lost {
    fn default() -> Self {
        Self::new()
    }
}

impl Lost {
    /// Of an artifact that was checked: a missing row is a mistake of the check.
    #[inline]
    pub const fn new() -> Self {
        Self { is_set: AtomicBool::new(false), is_promised: AtomicBool::new(true) }
    }

    /// Of an artifact that is being checked.
    pub const fn of_check() -> Self {
        Self { is_set: AtomicBool::new(false), is_promised: AtomicBool::new(false) }
    }

    /// Says whether the artifact was checked.
    #[cfg(feature = "unchecked")]
    pub fn promise(&self, is_checked: bool) {
        self.is_promised.store(is_checked, Relaxed);
    }

    /// Forgets what an earlier decision lost.
    #[inline]
    pub fn clear(&self) {
        self.is_set.store(false, Relaxed);
    }

    /// Whether a row was missing.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.is_set.load(Relaxed)
    }

    /// Notes what the check does not promise, and what the compiler never writes: a number beyond those that it counts.
    #[cold]
    pub fn set(&self) {
        self.is_set.store(true, Relaxed);
    }

    /// Notes that a row is missing. Where assertions are on that is a failure at once, but for the tests of this very thing.
    #[cold]
    #[inline(never)]
    pub fn note(&self) {
        debug_assert!(!self.is_promised.load(Relaxed), "an index of a checked artifact leads nowhere");
        self.set();
    }
}
