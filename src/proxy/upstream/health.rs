//! What all cores know of a server: whether it may be asked, what it is doing, and what has happened to it.

use core::net::IpAddr;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::target::{Place, Server, Upstream};
use crate::proxy::limits::LOG_STATE_LINES_MAX;
use crate::proxy::log_limit::LogLimit;

/// Milliseconds since this was first asked for.
pub(super) fn now_ms() -> u64 {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    // It begins at 1, so that 0 is never.
    u64::try_from(BEGUN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
}

/// What all cores know of a server. It outlives a reload that keeps the server.
#[derive(Debug, Default)]
pub(super) struct Health {
    in_flight: AtomicUsize,
    /// Failures that count against `max_fails`.
    fails: AtomicU32,
    /// When it failed last.
    failed_at: AtomicU64,
    /// When it failed last, or was chosen for a try after that.
    checked_at: AtomicU64,
    /// What its checks say.
    sick: AtomicBool,
    /// Checks in a row that say otherwise.
    streak: AtomicU32,
    /// When it came back; 0: it was never away.
    back_at: AtomicU64,
    requests: AtomicU64,
    failures: AtomicU64,
    outages: AtomicU64,
    lines: LogLimit,
}

/// Failures that keep a server out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    /// 0: it is never kept out.
    pub(super) max_fails: u32,
    pub(super) fail_timeout_ms: u64,
}

/// A server's state, for whoever shows it.
#[derive(Clone, Debug, serde::Serialize)]
pub(in crate::proxy) struct ServerState {
    pub(in crate::proxy) server: String,
    pub(in crate::proxy) backup: bool,
    /// Whether it takes requests.
    pub(in crate::proxy) up: bool,
    pub(in crate::proxy) in_flight: usize,
    /// Requests that were sent to it, or tried to be.
    pub(in crate::proxy) requests: u64,
    /// Those of them that it did not answer.
    pub(in crate::proxy) failures: u64,
    /// How often it was taken out.
    pub(in crate::proxy) outages: u64,
    /// What its name was resolved to last.
    pub(in crate::proxy) addresses: Vec<IpAddr>,
    /// Resolutions, and those of them that failed; 0 where its host is an address.
    pub(in crate::proxy) lookups: u64,
    pub(in crate::proxy) failed_lookups: u64,
}

impl Health {
    /// Whether requests may be sent to it.
    pub(super) fn is_up(&self, tolerance: Tolerance, now: u64) -> bool {
        !self.sick.load(Ordering::Relaxed) && !self.is_kept_out(tolerance, now)
    }

    /// nginx's meaning: `max_fails` failures within `fail_timeout` keep it out for as long; then one request tries it.
    fn is_kept_out(&self, tolerance: Tolerance, now: u64) -> bool {
        tolerance.max_fails > 0
            && self.fails.load(Ordering::Relaxed) >= tolerance.max_fails
            && now.saturating_sub(self.checked_at.load(Ordering::Relaxed)) <= tolerance.fail_timeout_ms
    }

    /// Requests that it is answering.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// A request is sent to it.
    pub(super) fn chosen(&self, tolerance: Tolerance, now: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) > 0
            && now.saturating_sub(self.checked_at.load(Ordering::Relaxed)) > tolerance.fail_timeout_ms
        {
            self.checked_at.store(now, Ordering::Relaxed);
        }
    }

    /// It was chosen, and for want of something of our own it was not asked: if that was to be its try, it is still to
    /// come.
    pub(super) fn not_asked(&self) {
        if self.fails.load(Ordering::Relaxed) > 0 {
            self.checked_at.store(self.failed_at.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// It did not answer.
    pub(super) fn failed(&self, tolerance: Tolerance, now: u64) -> Change {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.failed_at.store(now, Ordering::Relaxed);
        self.checked_at.store(now, Ordering::Relaxed);
        let fails = self.fails.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if tolerance.max_fails == 0 || fails != tolerance.max_fails {
            return Change::None;
        }
        self.outages.fetch_add(1, Ordering::Relaxed);
        Change::Out
    }

    /// It answered. What it failed at before is forgotten if it was chosen for a try since.
    pub(super) fn answered(&self, tolerance: Tolerance) -> Change {
        // Mostly there is nothing to forget, and the time need not be asked for.
        if self.fails.load(Ordering::Relaxed) == 0 { Change::None } else { self.answered_at(tolerance, now_ms()) }
    }

    fn answered_at(&self, tolerance: Tolerance, now: u64) -> Change {
        let fails = self.fails.load(Ordering::Relaxed);
        if fails == 0 || self.failed_at.load(Ordering::Relaxed) >= self.checked_at.load(Ordering::Relaxed) {
            return Change::None;
        }
        self.fails.store(0, Ordering::Relaxed);
        if tolerance.max_fails == 0 || fails < tolerance.max_fails {
            return Change::None;
        }
        self.back_at.store(now, Ordering::Relaxed);
        Change::Back
    }

    /// A check says whether it works; so many in a row that say otherwise change its state.
    pub(super) fn checked(&self, works: bool, rise: u32, fall: u32, now: u64) -> Change {
        let is_sick = self.sick.load(Ordering::Relaxed);
        if works != is_sick {
            self.streak.store(0, Ordering::Relaxed);
            return Change::None;
        }
        let streak = self.streak.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if streak < if is_sick { rise } else { fall } {
            return Change::None;
        }
        self.streak.store(0, Ordering::Relaxed);
        self.sick.store(!works, Ordering::Relaxed);
        if works {
            self.fails.store(0, Ordering::Relaxed);
            self.back_at.store(now, Ordering::Relaxed);
            return Change::Back;
        }
        self.outages.fetch_add(1, Ordering::Relaxed);
        Change::Out
    }

    /// Its share in a thousandth, which grows for `slow_start_ms` after it has come back.
    pub(super) fn share(&self, slow_start_ms: u64, now: u64) -> u64 {
        let back_at = self.back_at.load(Ordering::Relaxed);
        if slow_start_ms == 0 || back_at == 0 {
            return 1000;
        }
        (now.saturating_sub(back_at).saturating_mul(1000) / slow_start_ms).clamp(10, 1000)
    }
}

/// What became of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// It takes no requests any more.
    Out,
    /// It takes requests again.
    Back,
}

impl Change {
    /// Tells the log, as often as it may be told of one server.
    pub(super) fn tell(self, upstream: &str, server: &Server, why: &str) {
        if self == Self::None {
            return;
        }
        let Some(left_out) = server.health.lines.pass(LOG_STATE_LINES_MAX) else { return };
        if self == Self::Out {
            tracing::warn!(upstream, %server, why, left_out, "server is taken out");
        } else {
            tracing::info!(upstream, %server, left_out, "server is back");
        }
    }
}

/// A request that a server is answering; it counts as long as this lives.
#[derive(Debug)]
pub(in crate::proxy) struct InFlight(Arc<Health>);

impl InFlight {
    pub(super) fn begin(health: &Arc<Health>) -> Self {
        health.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(health))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Upstream {
    /// The state of each of its servers, in order.
    pub(in crate::proxy) fn states(&self) -> Vec<ServerState> {
        let now = now_ms();
        let state = |server: &Server| {
            let (health, count) = (&server.health, |counter: &AtomicU64| counter.load(Ordering::Relaxed));
            let (addresses, lookups, failed_lookups) = match &server.place {
                Place::Address(address) => (vec![*address], 0, 0),
                Place::Name(name) => (name.known(), count(&name.lookups), count(&name.failures)),
            };
            ServerState {
                server: server.to_string(),
                backup: server.backup,
                up: health.is_up(server.tolerance, now),
                in_flight: health.in_flight(),
                requests: count(&health.requests),
                failures: count(&health.failures),
                outages: count(&health.outages),
                addresses,
                lookups,
                failed_lookups,
            }
        };
        self.servers.iter().map(state).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWICE: Tolerance = Tolerance { max_fails: 2, fail_timeout_ms: 100 };

    #[test]
    fn p_11_so_many_failures_in_the_time_keep_a_server_out_for_as_long() {
        let health = Health::default();
        assert_eq!(health.failed(TWICE, 1000), Change::None);
        assert_eq!(health.answered_at(TWICE, 1010), Change::None);
        assert_eq!(health.failed(TWICE, 1020), Change::Out, "an answer in between does not make up for it");
        assert!(!health.is_up(TWICE, 1120) && health.is_up(TWICE, 1121));
    }

    #[test]
    fn p_11_after_that_one_request_tries_it() {
        let health = Health::default();
        health.failed(TWICE, 1000);
        health.failed(TWICE, 1000);
        health.chosen(TWICE, 1101);
        assert!(!health.is_up(TWICE, 1102), "the others wait for what comes of it");
        assert_eq!(health.answered_at(TWICE, 1103), Change::Back);
        assert!(health.is_up(TWICE, 1104));
        health.failed(TWICE, 1200);
        health.chosen(TWICE, 1301);
        health.answered_at(TWICE, 1302);
        assert_eq!(health.failed(TWICE, 1303), Change::None, "the earlier failure is forgotten");
    }

    #[test]
    fn a_try_that_was_not_made_is_still_to_come() {
        let health = Health::default();
        health.failed(TWICE, 1000);
        health.failed(TWICE, 1000);
        health.chosen(TWICE, 1101);
        health.not_asked();
        assert!(health.is_up(TWICE, 1102), "another request tries it");
        health.chosen(TWICE, 1102);
        assert!(!health.is_up(TWICE, 1103));
        assert_eq!(health.answered_at(TWICE, 1104), Change::Back);
    }

    #[test]
    fn no_failure_counts_where_none_is_to() {
        let health = Health::default();
        let never = Tolerance { max_fails: 0, fail_timeout_ms: 100 };
        for _ in 0..10 {
            assert_eq!(health.failed(never, 1000), Change::None);
        }
        assert!(health.is_up(never, 1000));
    }

    #[test]
    fn checks_change_the_state_when_enough_agree() {
        let health = Health::default();
        let says = |works| health.checked(works, 2, 3, 1000);
        assert_eq!([says(false), says(false), says(true), says(false), says(false)], [Change::None; 5]);
        assert_eq!(says(false), Change::Out);
        assert!(!health.is_up(TWICE, 1000));
        assert_eq!([says(true), says(false), says(true)], [Change::None; 3]);
        assert_eq!(says(true), Change::Back);
        assert!(health.is_up(TWICE, 1000));
    }

    #[test]
    fn a_server_that_has_come_back_gets_its_share_slowly() {
        let health = Health::default();
        assert_eq!(health.share(1000, 5000), 1000, "it was never away");
        for _ in 0..3 {
            let _ = health.checked(false, 1, 3, 1000);
        }
        let _ = health.checked(true, 1, 3, 2000);
        let shares = [2000, 2250, 2500, 3000, 9000].map(|now| health.share(1000, now));
        assert_eq!(shares, [10, 250, 500, 1000, 1000]);
    }
}
