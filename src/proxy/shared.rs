//! What all cores share: the policy that serves, and what is counted.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;

use super::descriptors::Descriptors;
use super::limits::Limits;
use super::listener::DoorCounters;
use super::metrics::Metrics;
use super::policy::Policy;
use super::reload::Reloads;
use super::shortage::Shortage;

/// What all cores share.
#[derive(Debug)]
pub(super) struct Shared {
    current: ArcSwap<Current>,
    /// That of `current`, where a core looks at each request whether it has changed.
    generation: AtomicU64,
    past: Mutex<Past>,
    pub(super) reloads: Reloads,
    pub(super) metrics: Metrics,
    pub(super) doors: DoorCounters,
    pub(super) shortage: Arc<Shortage>,
    pub(super) descriptors: Descriptors,
    pub(super) limits: Limits,
    pub(super) stopping: AtomicBool,
    pub(super) begun: Instant,
}

#[derive(Debug)]
struct Current {
    generation: u64,
    policy: Arc<Policy>,
}

/// Policies that served before.
#[derive(Debug, Default)]
struct Past {
    /// Those that requests may still be in flight on. Here, so that no core has to free what a policy holds.
    retired: Vec<Arc<Policy>>,
    /// Meters of those before.
    meters: BTreeMap<String, u64>,
}

impl Shared {
    pub(super) fn new(policy: Policy, limits: Limits, cores: usize) -> Arc<Self> {
        Arc::new(Self {
            current: ArcSwap::from_pointee(Current { generation: 1, policy: Arc::new(policy) }),
            generation: AtomicU64::new(1),
            past: Mutex::default(),
            reloads: Reloads::default(),
            metrics: Metrics::default(),
            doors: DoorCounters::default(),
            shortage: Arc::default(),
            descriptors: Descriptors::new(cores),
            limits,
            stopping: AtomicBool::new(false),
            begun: Instant::now(),
        })
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Goes up with every replacement.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The policy that serves, and its generation.
    pub(super) fn policy(&self) -> (u64, Arc<Policy>) {
        let current = self.current.load();
        (current.generation, Arc::clone(&current.policy))
    }

    /// From now on `policy` serves; requests that have begun keep to the old one.
    pub(super) fn replace(&self, mut policy: Policy) {
        policy.inherit(&self.policy().1);
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.generation() + 1;
        let before = self.current.swap(Arc::new(Current { generation, policy: Arc::new(policy) }));
        past.retired.push(Arc::clone(&before.policy));
        self.generation.store(generation, Ordering::Release);
    }

    /// Frees the policies that no request is in flight on any more.
    pub(super) fn bury(&self) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let (busy, done) = past.retired.drain(..).partition(|policy| Arc::strong_count(policy) > 1);
        past.retired = busy;
        let done: Vec<Arc<Policy>> = done;
        for policy in &done {
            add_meters(&mut past.meters, policy);
        }
        drop(past);
        // It takes its time where there are many rules: the lock is not held meanwhile.
        drop(done);
    }

    /// Counts of all meters since the start, those of earlier policies included.
    pub(super) fn meters(&self) -> BTreeMap<String, u64> {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let mut meters = past.meters.clone();
        for policy in &past.retired {
            add_meters(&mut meters, policy);
        }
        // Under the lock: what is replaced meanwhile would be counted twice or not at all.
        add_meters(&mut meters, &self.current.load().policy);
        meters
    }
}

fn add_meters(meters: &mut BTreeMap<String, u64>, policy: &Policy) {
    for (name, meter) in policy.manifest.meters.iter().zip(&policy.meters) {
        *meters.entry(name.clone()).or_default() += meter.load(Ordering::Relaxed);
    }
}
