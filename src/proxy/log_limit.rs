//! Lines of the operator's log that a client or a server can cause: a few a minute of each kind, and how many were left
//! out. The operator's log is for the gateway's own faults, and nobody else decides how long it gets.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::limits::LOG_LIMIT_SPAN;

/// Lets a few lines of a kind through in each span of time and counts the others.
#[derive(Debug, Default)]
pub(super) struct LogLimit(Mutex<Option<Span>>);

#[derive(Debug)]
struct Span {
    begun: Instant,
    /// Lines that were let through.
    lines: u32,
    /// Lines that were not, since one was let through.
    left_out: u64,
}

impl LogLimit {
    /// Whether one more line may be written where `lines_max` may be in a minute; how many were left out before it.
    pub(super) fn pass(&self, lines_max: u32) -> Option<u64> {
        self.pass_at(Instant::now(), lines_max)
    }

    fn pass_at(&self, now: Instant, lines_max: u32) -> Option<u64> {
        let mut span = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let span = span.get_or_insert(Span { begun: now, lines: 0, left_out: 0 });
        if now.saturating_duration_since(span.begun) >= LOG_LIMIT_SPAN {
            (span.begun, span.lines) = (now, 0);
        }
        if span.lines >= lines_max {
            span.left_out += 1;
            return None;
        }
        span.lines += 1;
        Some(core::mem::take(&mut span.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_lines_pass_in_a_span_and_the_next_says_how_many_did_not() {
        let (limit, begun) = (LogLimit::default(), Instant::now());
        let passed: Vec<_> = (0..5).map(|_| limit.pass_at(begun, 2)).collect();
        assert_eq!(passed, [Some(0), Some(0), None, None, None]);
        assert_eq!(limit.pass_at(begun + LOG_LIMIT_SPAN, 2), Some(3));
        assert_eq!(limit.pass_at(begun + LOG_LIMIT_SPAN, 2), Some(0));
        assert_eq!(limit.pass_at(begun + LOG_LIMIT_SPAN, 2), None);
    }
}
