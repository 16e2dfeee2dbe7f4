//! The end of a connection whose client is still sending (RFC 9112 9.6).

use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::Pin;
use core::time::Duration;
use std::io;

use tokio::io::AsyncWrite as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::wire::Wire;
use crate::proxy::limits::{Limits, READ_OCTETS};
use crate::proxy::listener::Queue;

/// Ends a connection so that its last answer arrives although the client is still sending: nothing more is written, and
/// what comes is read and dropped, since a socket that is closed with unread octets is reset, and a reset takes the answer
/// from the client before it was read.
///
/// It goes on until the client ends the connection too, sends nothing for `linger_idle_max`, or sends for
/// `linger_time_max`; when the gateway stops, no longer than `close_time_max`. Where more linger than there are `places`
/// for, the oldest is reset.
pub(super) async fn linger(wire: &RefCell<Wire>, limits: Limits, places: &Queue, stop: &mut watch::Receiver<bool>) {
    let place = places.enter();
    let began = Instant::now();
    tokio::select! {
        () = read_on(wire, limits.linger_idle_max) => {}
        () = sleep_until(began + limits.linger_time_max) => {}
        () = stopped(stop, limits.close_time_max) => {}
        () = place.evicted() => wire.borrow().reset_on_close(),
    }
}

/// Ends a connection with which both sides are done. Where it cannot be ended it has ended.
pub(super) async fn close(wire: &RefCell<Wire>, limits: Limits) {
    drop(timeout(limits.close_time_max, shutdown(wire)).await);
}

/// Returns at the end of the stream, or after nothing came for `patience`.
async fn read_on(wire: &RefCell<Wire>, patience: Duration) {
    if shutdown(wire).await.is_err() {
        return;
    }
    loop {
        let read = poll_fn(|cx| {
            let mut wire = wire.borrow_mut();
            wire.input.clear();
            wire.poll_fill(READ_OCTETS, cx)
        });
        if !matches!(timeout(patience, read).await, Ok(Ok(1..))) {
            return;
        }
    }
}

async fn shutdown(wire: &RefCell<Wire>) -> io::Result<()> {
    poll_fn(|cx| Pin::new(&mut wire.borrow_mut().stream).poll_shutdown(cx)).await
}

/// Returns when the gateway has been stopping for `patience`; an error means that it is gone.
async fn stopped(stop: &mut watch::Receiver<bool>, patience: Duration) {
    drop(stop.wait_for(|stop| *stop).await);
    tokio::time::sleep(patience).await;
}
