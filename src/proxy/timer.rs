//! Timers that run while something is waited for.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Starts when first polled, until it is stopped; costs nothing where nothing is waited for.
#[derive(Debug, Default)]
pub(super) struct Timer {
    alarm: Alarm,
    deadline: Option<Instant>,
}

impl Timer {
    /// Ready once `patience` has passed since the first poll after the last stop.
    pub(super) fn poll(&mut self, patience: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + patience);
        self.alarm.poll(deadline, cx)
    }

    /// What was waited for has come.
    pub(super) fn stop(&mut self) {
        self.deadline = None;
    }
}

/// Rings at a deadline that moves. One that rings too early is wound again: that is cheaper than winding it each time
/// that the deadline moves away.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Ready once `deadline` has passed.
    pub(super) fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}
