//! A timer that runs while something is waited for.

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Starts when first polled, until it is stopped; costs nothing where nothing is waited for.
#[derive(Debug, Default)]
pub(super) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl Timer {
    /// Ready once `patience` has passed since the first poll after the last stop.
    pub(super) fn poll(&mut self, patience: Duration, cx: &mut Context<'_>) -> Poll<()> {
        if !self.running {
            self.running = true;
            let deadline = Instant::now() + patience;
            match &mut self.sleep {
                Some(sleep) => sleep.as_mut().reset(deadline),
                None => self.sleep = Some(Box::pin(sleep_until(deadline))),
            }
        }
        self.sleep.as_mut().map_or(Poll::Pending, |sleep| sleep.as_mut().poll(cx))
    }

    /// What was waited for has come.
    pub(super) fn stop(&mut self) {
        self.running = false;
    }
}
