//! Connections to an upstream, as one core has them.

use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::Mutex;

use super::{add, locked};

/// Counts of one core's connections to one upstream.
#[derive(Debug, Default)]
pub(in crate::proxy) struct PoolCounts {
    opened: AtomicU64,
    reused: AtomicU64,
    idle: AtomicU64,
    /// By code. A failure costs more than a lock that nobody else holds.
    failed: Mutex<BTreeMap<&'static str, u64>>,
}

impl PoolCounts {
    /// A connection was made.
    pub(in crate::proxy) fn opened(&self) {
        add(&self.opened, 1);
    }

    /// A kept connection was taken.
    pub(in crate::proxy) fn reused(&self) {
        add(&self.reused, 1);
    }

    /// A connection could not be made, or broke.
    pub(in crate::proxy) fn failed(&self, code: &'static str) {
        *locked(&self.failed).entry(code).or_default() += 1;
    }

    /// So many connections are kept.
    pub(in crate::proxy) fn idle(&self, count: usize) {
        self.idle.store(u64::try_from(count).unwrap_or_default(), Ordering::Relaxed);
    }
}

/// Counts of all cores.
#[derive(Debug, Default)]
pub(super) struct PoolSums {
    pub(super) opened: u64,
    pub(super) reused: u64,
    pub(super) idle: u64,
    pub(super) failed: BTreeMap<&'static str, u64>,
}

impl PoolSums {
    pub(super) fn add(&mut self, counts: &PoolCounts) {
        self.opened += counts.opened.load(Ordering::Relaxed);
        self.reused += counts.reused.load(Ordering::Relaxed);
        self.idle += counts.idle.load(Ordering::Relaxed);
        for (code, count) in locked(&counts.failed).iter() {
            *self.failed.entry(code).or_default() += count;
        }
    }
}
