//! Replacing the policy while it serves: built and tested aside, then swapped as a whole; kept as it is on any failure.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use super::config::LoadError;
use super::policy::Policy;
use super::serve::Handle;

/// What became of reloads since the start.
#[derive(Debug, Default)]
pub(super) struct Reloads {
    done: AtomicU64,
    failed: AtomicU64,
    last: Mutex<Option<Reload>>,
}

/// One attempt.
#[derive(Clone, Debug)]
pub(super) struct Reload {
    pub(super) time: SystemTime,
    /// Until the new policy served, or was refused.
    pub(super) took: Duration,
    /// Why the policy before goes on serving.
    pub(super) error: Option<String>,
    /// Of the policy that serves since.
    pub(super) hash: String,
}

impl Reloads {
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// The last attempt.
    pub(super) fn last(&self) -> Option<Reload> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, reload: Reload) {
        let counter = if reload.error.is_none() { &self.done } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(reload);
    }
}

impl Handle {
    /// From the next request on, what `build` gives decides; requests that have begun keep to the policy before.
    /// `build` gets that one, so that connections to upstreams which stay as they are can go on ([`Policy::renew`]).
    ///
    /// It runs in this thread, no core waits for it.
    ///
    /// # Errors
    /// Those of `build`: then the policy before goes on serving, and the status page and the metrics say so.
    pub fn reload(&self, build: impl FnOnce(&Policy) -> Result<Policy, LoadError>) -> Result<(), LoadError> {
        let began = Instant::now();
        let (_, before) = self.shared.policy();
        let policy = build(&before);
        let note = |error, hash: &str| {
            let (time, took, hash) = (SystemTime::now(), began.elapsed(), hash.to_owned());
            self.shared.reloads.note(Reload { time, took, error, hash });
        };
        match policy {
            Ok(policy) => {
                let (hash, rules) = (policy.hash.clone(), policy.manifest.locations.len());
                self.shared.replace(policy);
                note(None, &hash);
                tracing::info!(hash, rules, milliseconds = began.elapsed().as_millis(), "a new policy serves");
                Ok(())
            }
            Err(error) => {
                for problem in &error.problems {
                    tracing::error!(hash = before.hash, "reload refused, the policy before goes on serving: {problem}");
                }
                note(Some(error.problems.join("\n")), &before.hash);
                Err(error)
            }
        }
    }

    /// Frees what earlier policies hold that no request is in flight on any more.
    pub fn tidy(&self) {
        self.shared.bury();
    }
}
