//! Keeps one connection idle until the server ends it.

use core::time::Duration;
use std::io;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use super::http::Stream;
use super::milliseconds;
use super::report::IdleReport;

/// Waits at most `longest`, from `since` on.
pub(super) async fn measure(stream: &mut dyn Stream, since: Instant, longest: Duration) -> IdleReport {
    let deadline = since + longest;
    let mut report = IdleReport::default();
    let mut octets = [0; 1024];
    loop {
        let read = timeout_at(deadline, stream.read(&mut octets)).await;
        let elapsed = Some(milliseconds(since.elapsed()));
        match read {
            // A body behind the answer to a HEAD, or a session ticket: not the end.
            Ok(Ok(octets)) if octets > 0 => {}
            Ok(Ok(_)) => {
                report.closed_after_milliseconds = elapsed;
                return report;
            }
            Ok(Err(error)) => {
                report.closed_after_milliseconds = elapsed;
                report.reset = error.kind() == io::ErrorKind::ConnectionReset;
                return report;
            }
            Err(_) => {
                report.open_after_milliseconds = elapsed;
                return report;
            }
        }
    }
}
