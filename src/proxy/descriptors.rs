//! File descriptors of this process: how many are left, and how many of them are kept for upstreams.
//!
//! Who is connected already can be served only with descriptors for upstreams, names and files. So clients do not get the
//! last ones: nothing more is accepted while only those that are kept are left, and the kernel's queue holds who comes.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::OnceLock;
use std::time::Instant;
use std::{fs, io};

use super::limits::{DESCRIPTORS_KEPT_MIN, DESCRIPTORS_KEPT_SHARE, DESCRIPTORS_OTHERS};
use super::log_limit::LogLimit;
use super::shortage;

/// What is known of a process's descriptors.
#[derive(Clone, Copy, Debug)]
struct Table {
    /// As many as there may be (`RLIMIT_NOFILE`).
    most: usize,
    open: usize,
}

impl Table {
    /// Ok(None) where the system does not tell: then nothing is kept. An error may be that none is left to look with.
    fn read() -> io::Result<Option<Self>> {
        let limits = fs::read_to_string("/proc/self/limits")?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap_or_default();
        // `unlimited` is no number, and nothing is lacking.
        let most = line.split_whitespace().next().and_then(|most| most.parse().ok());
        most.map(|most| Ok(Self { most, open: open()? })).transpose()
    }

    fn left(self) -> usize {
        self.most.saturating_sub(self.open)
    }
}

/// How many are open: since Linux 6.2 the size of the folder, before that its entries.
fn open() -> io::Result<usize> {
    const FOLDER: &str = "/proc/self/fd";
    match usize::try_from(fs::metadata(FOLDER)?.len()) {
        Ok(open) if open > 0 => Ok(open),
        // Less the one that reads the folder.
        _ => Ok(fs::read_dir(FOLDER)?.count().saturating_sub(1)),
    }
}

/// How many of those that were left at the start are kept by a gateway of so many cores.
///
/// A core looks before it waits for the next client: when that one comes, others may have let in theirs. So each core may
/// be one client beyond what was spare, and that client's upstream.
fn kept_of(left: usize, cores: usize) -> usize {
    let others = cores.saturating_mul(2).saturating_add(DESCRIPTORS_OTHERS).min(left / 4);
    (left / DESCRIPTORS_KEPT_SHARE).max(DESCRIPTORS_KEPT_MIN).min(usize::midpoint(left, others))
}

/// Whether clients are let in; all cores share it.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    cores: usize,
    kept: OnceLock<usize>,
    /// As many as there may be, when that was read last.
    most: AtomicUsize,
    /// Nothing is accepted at the moment.
    stopped: AtomicBool,
    /// What the log said of that last.
    said: AtomicBool,
    stops: AtomicU64,
    lines: LogLimit,
}

impl Descriptors {
    pub(super) fn new(cores: usize) -> Self {
        Self { cores, ..Self::default() }
    }

    /// Sees how many are left: from now on they are for clients and upstreams.
    pub(super) fn begin(&self) {
        self.spare();
    }

    /// How many more clients could be let in. Takes two reads of /proc.
    fn spare(&self) -> usize {
        match Table::read() {
            Ok(Some(table)) => {
                self.most.store(table.most, Ordering::Relaxed);
                self.spare_of(table, *self.kept.get_or_init(|| kept_of(table.left(), self.cores)))
            }
            Err(error) if shortage::of(&error).is_some() => {
                let most = self.most.load(Ordering::Relaxed);
                self.spare_of(Table { most, open: most }, self.kept.get().copied().unwrap_or_default())
            }
            Ok(None) | Err(_) => usize::MAX,
        }
    }

    fn spare_of(&self, table: Table, kept: usize) -> usize {
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

/// Of what is spare all cores together take this part at once: each client may want an upstream.
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
        self.clients.set(spare / PARTS / descriptors.cores.max(1));
        self.until.set(Some(now + CREDIT_TIME));
        spare > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_few_and_a_small_part_of_many_are_kept() {
        let kept = [0, 1, 48, 1_000, 20_000, 1_000_000].map(|left| kept_of(left, 1));
        assert_eq!(kept, [0, 0, 29, 505, 625, 31_250]);
        assert_eq!([48, 1_000, 20_000].map(|left| kept_of(left, 64)), [30, 512, 625]);
    }

    #[test]
    fn what_is_open_is_seen() {
        let read = || Table::read().unwrap().unwrap();
        let before = read();
        let held: Vec<_> = (0..40).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let during = read();
        // Other tests open and close some meanwhile.
        assert!(during.open > before.open.saturating_sub(held.len()), "{before:?} {during:?}");
        assert!(during.most > during.open && during.left() < during.most, "{during:?}");
    }
}
