//! The body of a request that goes on without it.

use core::future::poll_fn;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use super::request_body::{Piece, RequestBody};
use crate::matcher::Refusal;
use crate::proxy::fault::{Fault, RequestFault};
use crate::proxy::limits::{Limits, STRIP_OCTETS_MAX};
use crate::proxy::timer::Timer;

/// Reads and drops `body`, which holds at most `octets_max`. However long all of it takes, the client must not pause for
/// longer than within a body that is sent on.
pub(super) async fn strip(mut body: RequestBody, octets_max: Option<u64>, limits: &Limits) -> Result<(), Fault> {
    let octets_max = octets_max.unwrap_or(STRIP_OCTETS_MAX);
    let (mut octets, mut pause) = (0, Timer::default());
    while let Some(piece) = poll_fn(|cx| poll_piece(&mut body, &mut pause, limits.client_body_idle_max, cx)).await {
        if let Piece::Data(data) = piece? {
            octets += data.len() as u64;
        }
        if octets > octets_max {
            return Err(Refusal::BodyTooLarge.into());
        }
    }
    Ok(())
}

/// The next piece, or the fault of a client that has paused for `patience`.
fn poll_piece(
    body: &mut RequestBody,
    pause: &mut Timer,
    patience: Duration,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Piece, RequestFault>>> {
    let piece = body.poll_piece(cx);
    if piece.is_ready() {
        pause.stop();
        return piece;
    }
    ready!(pause.poll(patience, cx));
    Poll::Ready(Some(Err(RequestFault::BodyTimeout)))
}
