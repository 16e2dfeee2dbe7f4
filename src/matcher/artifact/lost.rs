//! Whether an index led nowhere.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Set once a row was asked for that is not there. What was read in its place means nothing: a decision refuses then, with
/// `gateway.internal`, and the check of an artifact fails.
///
/// Not an error that each read returns: reads stand in the innermost loops, and one look at the end is enough, since a
/// decision does nothing before. An atomic, so that decisions may be sent between threads; it costs what a `bool` does.
#[derive(Debug, Default)]
pub struct Lost {
    is_set: AtomicBool,
}

impl Lost {
    /// Nothing is missing yet.
    #[inline]
    pub const fn new() -> Self {
        Self { is_set: AtomicBool::new(false) }
    }

    /// Forgets what an earlier decision lost.
    #[inline]
    pub fn clear(&self) {
        self.is_set.store(false, Relaxed);
    }

    /// Whether a row was missing since it was made or cleared.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.is_set.load(Relaxed)
    }

    /// Notes that a row is missing, or that a number is beyond those that the policy counts.
    #[cold]
    #[inline(never)]
    pub fn note(&self) {
        self.is_set.store(true, Relaxed);
    }
}
