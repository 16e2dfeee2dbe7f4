//! What all cores share: the policy that serves, and counters.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use super::limits::Limits;
use super::listener::DoorCounters;
use super::policy::Policy;

/// What all cores share.
#[derive(Debug)]
pub(super) struct Shared {
    policy: RwLock<Arc<Policy>>,
    generation: AtomicU64,
    /// Meters of policies that served before.
    past: RwLock<BTreeMap<String, u64>>,
    pub(super) counters: Counters,
    pub(super) doors: DoorCounters,
    pub(super) limits: Limits,
    pub(super) stopping: AtomicBool,
    pub(super) begun: Instant,
}

/// Counters for the status page.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) requests: AtomicU64,
    proxied: AtomicU64,
    responded: AtomicU64,
    redirected: AtomicU64,
    refused: AtomicU64,
    closed: AtomicU64,
    failed: AtomicU64,
    aborted: AtomicU64,
}

impl Counters {
    /// The counter of an outcome as the access log names it.
    pub(super) fn outcome(&self, outcome: &str) -> &AtomicU64 {
        match outcome {
            "proxy" => &self.proxied,
            "respond" => &self.responded,
            "redirect" => &self.redirected,
            "refuse" => &self.refused,
            "close" => &self.closed,
            "fail" => &self.failed,
            _ => &self.aborted,
        }
    }

    /// All outcomes with their counts.
    pub(super) fn outcomes(&self) -> BTreeMap<&'static str, u64> {
        let names = ["proxy", "respond", "redirect", "refuse", "close", "fail", "aborted"];
        names.into_iter().map(|name| (name, self.outcome(name).load(Ordering::Relaxed))).collect()
    }
}

impl Shared {
    pub(super) fn new(policy: Policy, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            policy: RwLock::new(Arc::new(policy)),
            generation: AtomicU64::new(1),
            past: RwLock::default(),
            counters: Counters::default(),
            doors: DoorCounters::default(),
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
        let policy = self.policy.read().unwrap_or_else(PoisonError::into_inner);
        (self.generation(), Arc::clone(&policy))
    }

    /// From now on `policy` serves; requests that have begun keep to the old one.
    pub(super) fn replace(&self, mut policy: Policy) {
        policy.inherit(&self.policy().1);
        let mut serving = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        let mut past = self.past.write().unwrap_or_else(PoisonError::into_inner);
        for (name, meter) in serving.manifest.meters.iter().zip(&serving.meters) {
            *past.entry(name.clone()).or_default() += meter.load(Ordering::Relaxed);
        }
        *serving = Arc::new(policy);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Counts of all meters since the start, those of earlier policies included.
    pub(super) fn meters(&self) -> BTreeMap<String, u64> {
        let (_, policy) = self.policy();
        let mut meters = self.past.read().unwrap_or_else(PoisonError::into_inner).clone();
        for (name, meter) in policy.manifest.meters.iter().zip(&policy.meters) {
            *meters.entry(name.clone()).or_default() += meter.load(Ordering::Relaxed);
        }
        meters
    }
}
