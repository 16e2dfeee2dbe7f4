//! File descriptors of this process: how many are left, and how many of them are kept for upstreams.
//!
//! Who is connected already can be served only with descriptors for upstreams, names and files. So clients do not get the
//! last ones: nothing more is accepted while only those that are kept are left, and the kernel's queue holds who comes.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::fs;
use std::sync::OnceLock;
use std::time::Instant;

use super::limits::{DESCRIPTORS_KEPT_MIN, DESCRIPTORS_KEPT_SHARE};
use super::log_limit::LogLimit;

/// What is known of a process's descriptors.
#[derive(Clone, Copy, Debug)]
struct Table {
    /// As many as there may be (`RLIMIT_NOFILE`).
    most: usize,
    open: usize,
}

impl Table {
    /// None where the system does not tell: then nothing is kept.
    fn read() -> Option<Self> {
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        // `unlimited` is no number, and nothing is lacking.
        let most = line.split_whitespace().next()?.parse().ok()?;
        Some(Self { most, open: open()? })
    }

    fn left(self) -> usize {
        self.most.saturating_sub(self.open)
    }
}

/// How many are open: since Linux 6.2 the size of the folder, before that its entries.
fn open() -> Option<usize> {
    const FOLDER: &str = "/proc/self/fd";
    match usize::try_from(fs::metadata(FOLDER).ok()?.len()) {
        Ok(open) if open > 0 => Some(open),
        // Less the one that reads the folder.
        _ => Some(fs::read_dir(FOLDER).ok()?.count().saturating_sub(1)),
    }
}

/// How many of those that were left at the start are kept.
fn kept_of(left: usize) -> usize {
    (left / DESCRIPTORS_KEPT_SHARE).max(DESCRIPTORS_KEPT_MIN).min(left / 2)
}

/// Whether clients are let in; all cores share it.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    kept: OnceLock<usize>,
    /// Nothing is accepted at the moment.
    stopped: AtomicBool,
    /// What the log said of that last.
    said: AtomicBool,
    stops: AtomicU64,
    lines: LogLimit,
}

impl Descriptors {
    /// How many more clients could be let in. Takes two reads of /proc.
    fn spare(&self) -> usize {
        let Some(table) = Table::read() else { return usize::MAX };
        let kept = *self.kept.get_or_init(|| kept_of(table.left()));
        let spare = table.left().saturating_sub(kept);
        let stops = spare == 0;
        if self.stopped.swap(stops, Ordering::Relaxed) != stops && stops {
            self.stops.fetch_add(1, Ordering::Relaxed);
        }
        if stops != self.said.load(Ordering::Relaxed) {
            self.tell(table, kept, stops);
        }
        spare
    }

    /// Says that nothing is accepted any more, or that something is again; twice a minute at most.
    #[cold]
    fn tell(&self, Table { most, open }: Table, kept: usize, stops: bool) {
        let Some(left_out) = self.lines.pass(2) else { return };
        self.said.store(stops, Ordering::Relaxed);
        if stops {
            tracing::error!(
                open,
                most,
                kept,
                left_out,
                "nothing more is accepted: the file descriptors that are left are kept for upstreams; raise LimitNOFILE"
            );
        } else {
            tracing::info!(open, most, kept, left_out, "connections are accepted again");
        }
    }

    /// Looks again where the log has not said yet what is so.
    pub(super) fn tidy(&self) {
        if self.stopped.load(Ordering::Relaxed) || self.said.load(Ordering::Relaxed) {
            self.spare();
        }
    }

    /// Whether nothing is accepted at the moment, for want of descriptors.
    pub(super) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// How often accepting stopped.
    pub(super) fn stops(&self) -> u64 {
        self.stops.load(Ordering::Relaxed)
    }
}

/// How many clients one core may let in before it looks again.
#[derive(Debug, Default)]
pub(super) struct Credit {
    clients: Cell<usize>,
    until: Cell<Option<Instant>>,
}

/// Of what is spare one core takes this part at once: others accept, too, and each client may want an upstream.
const PARTS: usize = 16;

/// What was spare a while ago may be so no more.
const CREDIT_TIME: Duration = Duration::from_secs(1);

impl Credit {
    /// Whether one more client may be let in.
    pub(super) fn take(&self, descriptors: &Descriptors) -> bool {
        let now = Instant::now();
        let clients = self.clients.get();
        if clients > 0 && self.until.get().is_some_and(|until| now < until) {
            self.clients.set(clients - 1);
            return true;
        }
        let spare = descriptors.spare();
        self.clients.set(spare / PARTS);
        self.until.set(Some(now + CREDIT_TIME));
        spare > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_few_and_a_small_part_of_many_are_kept() {
        let kept = [0, 1, 48, 1_000, 20_000, 1_000_000].map(kept_of);
        assert_eq!(kept, [0, 0, 24, 500, 625, 31_250]);
    }

    #[test]
    fn what_is_open_is_seen() {
        let before = Table::read().unwrap();
        let held: Vec<_> = (0..40).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let during = Table::read().unwrap();
        // Other tests open and close some meanwhile.
        assert!(during.open > before.open.saturating_sub(held.len()), "{before:?} {during:?}");
        assert!(during.most > during.open && during.left() < during.most, "{during:?}");
    }
}
