//! What is counted, for whoever watches over the gateway. Each core counts in cells of its own that no other core writes,
//! found by number; names are for the page, which adds the cores up when it is asked for.

mod histogram;
mod page;
mod pool;
mod series;

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use histogram::Histogram;
pub(super) use page::page;
pub(super) use pool::PoolCounts;
pub(super) use series::{Asked, Series};
use series::{Known, Numbers};

use crate::matcher::Omission;

use super::limits::{METRIC_NAMES_MAX, METRIC_SERIES_MAX};

/// Outcomes as the access log names them.
const OUTCOMES: [&str; 7] = ["proxy", "respond", "redirect", "refuse", "close", "fail", "aborted"];

/// All counts of a gateway.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    known: Mutex<Known>,
    cores: Mutex<Vec<Arc<Cells>>>,
}

/// One core's counts. Only that core writes them.
#[derive(Debug)]
pub(super) struct Cells {
    /// By number of the series.
    requests: Box<[AtomicU64]>,
    /// By number of the service: until the answer has ended.
    services: Box<[Histogram]>,
    /// By number of the upstream: until the head of its answer.
    upstreams: Box<[Histogram]>,
    outcomes: [AtomicU64; OUTCOMES.len()],
    /// Lines of requests that were left out: for their names, and because a Connection names them.
    omitted: [AtomicU64; 2],
    in_flight: AtomicU64,
    connections: AtomicU64,
    accepted: AtomicU64,
    pools: Mutex<BTreeMap<String, Arc<PoolCounts>>>,
}

impl Default for Cells {
    fn default() -> Self {
        let histograms = || (0..METRIC_NAMES_MAX).map(|_| Histogram::default()).collect();
        Self {
            requests: (0..METRIC_SERIES_MAX).map(|_| AtomicU64::new(0)).collect(),
            services: histograms(),
            upstreams: histograms(),
            outcomes: Default::default(),
            omitted: Default::default(),
            in_flight: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            pools: Mutex::default(),
        }
    }
}

/// Adds to a cell that only this thread writes: no core has to wait for another's cache line.
fn add(cell: &AtomicU64, count: u64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

fn take(cell: &AtomicU64) {
    cell.store(cell.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// Cells for one more core.
    pub(super) fn core(&self) -> Arc<Cells> {
        let cells = Arc::new(Cells::default());
        locked(&self.cores).push(Arc::clone(&cells));
        cells
    }

    /// The numbers under which requests like this one are counted.
    pub(super) fn numbers(&self, series: Series<'_>) -> Numbers {
        locked(&self.known).numbers(series)
    }

    fn sum(&self, cell: impl Fn(&Cells) -> u64) -> u64 {
        locked(&self.cores).iter().map(|cells| cell(cells)).sum()
    }

    /// Client connections that are open.
    pub(super) fn connections(&self) -> u64 {
        self.sum(|cells| cells.connections.load(Ordering::Relaxed))
    }

    /// Requests by outcome.
    pub(super) fn outcomes(&self) -> BTreeMap<&'static str, u64> {
        let counts = OUTCOMES.iter().enumerate().map(|(at, name)| {
            let count = self.sum(|cells| cells.outcomes.get(at).map_or(0, |cell| cell.load(Ordering::Relaxed)));
            (*name, count)
        });
        counts.collect()
    }

    /// Requests.
    pub(super) fn requests(&self) -> u64 {
        self.outcomes().values().sum()
    }
}

impl Cells {
    /// A client has connected.
    pub(super) fn connected(&self) {
        add(&self.connections, 1);
        add(&self.accepted, 1);
    }

    /// A client's connection has ended.
    pub(super) fn disconnected(&self) {
        take(&self.connections);
    }

    /// A request has begun.
    pub(super) fn begin(&self) {
        add(&self.in_flight, 1);
    }

    /// A request has ended.
    pub(super) fn end(&self) {
        take(&self.in_flight);
    }

    /// A line of a request was left out.
    pub(super) fn omitted(&self, why: Omission) {
        let [name, connection] = &self.omitted;
        add(if why == Omission::Name { name } else { connection }, 1);
    }

    /// What came of it, and how long that took; `answered` is when the head of the upstream's answer was there.
    pub(super) fn count(&self, numbers: Numbers, outcome: &str, took: Duration, answered: Option<Duration>) {
        if let Some(cell) = OUTCOMES.iter().position(|name| *name == outcome).and_then(|at| self.outcomes.get(at)) {
            add(cell, 1);
        }
        if let Some(cell) = self.requests.get(numbers.series) {
            add(cell, 1);
        }
        if let Some(histogram) = self.services.get(numbers.service) {
            histogram.add(took);
        }
        if let (Some(answered), Some(histogram)) = (answered, self.upstreams.get(numbers.upstream)) {
            histogram.add(answered);
        }
    }

    /// Counts of the connections to an upstream; of the same for every policy that has it.
    pub(super) fn pool(&self, upstream: &str) -> Arc<PoolCounts> {
        let mut pools = locked(&self.pools);
        let name =
            if pools.len() < METRIC_NAMES_MAX || pools.contains_key(upstream) { upstream } else { series::OTHER };
        Arc::clone(pools.entry(name.to_owned()).or_default())
    }
}
