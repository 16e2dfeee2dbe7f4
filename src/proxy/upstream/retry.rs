//! Whether a request that failed is sent again, and where.

use core::sync::atomic::{AtomicU64, Ordering};

use super::exchange::Exchange;
use super::failure::Failure;
use super::health::now_ms;
use super::http2::Refused;
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::limits::{RETRIES_FREE, RETRY_WINDOW_SECONDS};

/// What is done with a request after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Nothing.
    No,
    /// It is sent on a fresh connection to the same server.
    Fresh,
    /// It is sent to another server: nothing of it was written.
    Unsent,
    /// It is sent to another server, if retries are left.
    Elsewhere,
}

/// What may be done where no connection was made: another server is asked, unless it is this machine that lacks something.
pub(super) fn after_connect(failure: &Failure) -> Again {
    if matches!(failure.fault, Fault::Gateway(_)) { Again::No } else { Again::Unsent }
}

/// What may be done where the head of an answer did not come. Nothing that may happen but once is sent twice.
pub(super) fn after(exchange: &Exchange, failure: &Failure, idempotent: bool, may_reuse: bool) -> Again {
    // What was read of the client's body is gone.
    if exchange.sender.rest.taken > 0 || !matches!(failure.fault, Fault::Upstream(_)) {
        return Again::No;
    }
    let unsent = exchange.connection.sent == 0;
    let raced = may_reuse && failure.fault == Fault::Upstream(UpstreamFault::ReusedConnectionClosed);
    match (unsent, idempotent) {
        (true, _) | (_, true) if raced => Again::Fresh,
        (true, _) => Again::Unsent,
        (_, true) if exchange.connection.received == 0 => Again::Elsewhere,
        _ => Again::No,
    }
}

/// The same of a request that went by HTTP/2. What a server says that it did nothing about may be sent again, whatever
/// it is (RFC 9113 8.7).
pub(super) fn after_http2(refused: &Refused, idempotent: bool, may_reuse: bool) -> Again {
    if refused.taken > 0 || !matches!(refused.failure.fault, Fault::Upstream(_)) {
        return Again::No;
    }
    match (refused.unprocessed, idempotent) {
        (true, _) if may_reuse => Again::Fresh,
        (_, true) if may_reuse && refused.raced => Again::Fresh,
        (true, _) => Again::Unsent,
        (false, true) => Again::Elsewhere,
        (false, false) => Again::No,
    }
}

/// Retries that one upstream may cost, shared by all cores: a share of the requests of the last seconds, and a few more.
/// Without it, retries are what a struggling upstream gets most of.
#[derive(Debug)]
pub(super) struct Budget {
    percent: u64,
    /// By second modulo their number.
    slots: [AtomicU64; RETRY_WINDOW_SECONDS],
}

/// A slot holds the second, the requests and the retries of it.
#[derive(Clone, Copy, Default)]
struct Slot {
    second: u64,
    requests: u64,
    retries: u64,
}

const SECOND_BITS: u32 = 20;
const RETRIES_BITS: u32 = 20;
const REQUESTS_BITS: u32 = 24;

impl Slot {
    fn unpack(word: u64) -> Self {
        let field = |shift: u32, bits: u32| word >> shift & ((1 << bits) - 1);
        Self {
            second: field(0, SECOND_BITS),
            retries: field(SECOND_BITS, RETRIES_BITS),
            requests: field(SECOND_BITS + RETRIES_BITS, REQUESTS_BITS),
        }
    }

    fn pack(self) -> u64 {
        let most = |bits: u32| (1 << bits) - 1;
        self.second
            | self.retries.min(most(RETRIES_BITS)) << SECOND_BITS
            | self.requests.min(most(REQUESTS_BITS)) << (SECOND_BITS + RETRIES_BITS)
    }

    /// Of this second: it starts anew where it was of an earlier one.
    fn at(self, second: u64) -> Self {
        if self.second == second { self } else { Self { second, ..Self::default() } }
    }
}

impl Budget {
    pub(super) fn new(percent: u32) -> Self {
        Self { percent: percent.into(), slots: [const { AtomicU64::new(0) }; RETRY_WINDOW_SECONDS] }
    }

    /// Counts a request.
    pub(super) fn request(&self) {
        self.count(now_ms() / 1000, |slot| slot.requests += 1);
    }

    /// Whether there may be another retry, which is counted.
    pub(super) fn take(&self) -> bool {
        self.take_at(now_ms() / 1000)
    }

    fn take_at(&self, second: u64) -> bool {
        let (mut requests, mut retries) = (0, 0);
        let window = u64::try_from(RETRY_WINDOW_SECONDS).unwrap_or(1);
        for age in 0..window {
            let of = second.saturating_sub(age);
            let slot = self.slot(of).map(|slot| Slot::unpack(slot.load(Ordering::Relaxed)).at(low(of)));
            let slot = slot.unwrap_or_default();
            (requests, retries) = (requests + slot.requests, retries + slot.retries);
        }
        let is_left = retries < RETRIES_FREE + requests * self.percent / 100;
        if is_left {
            self.count(second, |slot| slot.retries += 1);
        }
        is_left
    }

    fn count(&self, second: u64, change: impl Fn(&mut Slot)) {
        let Some(slot) = self.slot(second) else { return };
        // It always gives a value, so that it never fails.
        let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            let mut slot = Slot::unpack(word).at(low(second));
            change(&mut slot);
            Some(slot.pack())
        });
    }

    fn slot(&self, second: u64) -> Option<&AtomicU64> {
        let place = usize::try_from(second).unwrap_or(0) % RETRY_WINDOW_SECONDS;
        self.slots.get(place)
    }
}

/// As much of a second as a slot holds.
fn low(second: u64) -> u64 {
    second & ((1 << SECOND_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_requests_of_the_last_seconds_may_be_retried() {
        let budget = Budget::new(20);
        for _ in 0..100 {
            budget.count(50, |slot| slot.requests += 1);
        }
        let taken = (0..1000).filter(|_| budget.take_at(51)).count() as u64;
        assert_eq!(taken, RETRIES_FREE + 20);
        assert!(!budget.take_at(59), "those of ten seconds count");
        let later = (0..1000).filter(|_| budget.take_at(61)).count() as u64;
        assert_eq!(later, RETRIES_FREE, "the requests and the retries are forgotten");
    }

    #[test]
    fn a_slot_keeps_to_its_bits() {
        let slot = Slot { second: 7, requests: u64::MAX, retries: u64::MAX };
        let read = Slot::unpack(slot.pack());
        assert_eq!((read.second, read.requests, read.retries), (7, (1 << 24) - 1, (1 << 20) - 1));
    }
}
