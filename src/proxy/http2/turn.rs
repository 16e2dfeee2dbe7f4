//! How much a connection reads before those who take it have their turn.

use core::task::{Context, Poll};

use crate::proxy::limits::HTTP2_TURN_OCTETS;

/// Bytes that a connection has read since its task last gave way.
///
/// A socket that always has more keeps the task of its connection running, while those who take the frames wait: on a
/// quick way the library then holds more frames than it allows, and ends the connection with all its streams.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Turn(usize);

impl Turn {
    /// Ready while more may be read. Otherwise the task is woken at once, behind all tasks that wait to run.
    pub(in crate::proxy) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.0 < HTTP2_TURN_OCTETS {
            return Poll::Ready(());
        }
        self.0 = 0;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// So many bytes were read; None where there were none, so that the task gives way by itself.
    pub(in crate::proxy) fn has_read(&mut self, octets: Option<usize>) {
        self.0 = octets.map_or(0, |octets| self.0.saturating_add(octets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::task::Waker;

    #[test]
    fn a_turn_ends_and_another_begins() {
        let cx = Context::from_waker(Waker::noop());
        let mut turn = Turn::default();
        turn.has_read(Some(HTTP2_TURN_OCTETS - 1));
        assert!(turn.poll(&cx).is_ready());
        turn.has_read(Some(1));
        assert!(turn.poll(&cx).is_pending());
        assert!(turn.poll(&cx).is_ready());
        turn.has_read(Some(HTTP2_TURN_OCTETS - 1));
        turn.has_read(None);
        turn.has_read(Some(1));
        assert!(turn.poll(&cx).is_ready());
    }
}
