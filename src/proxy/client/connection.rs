//! One connection of a client, from its first octet to its last.

use core::cell::RefCell;
use core::future::poll_fn;
use core::time::Duration;
use std::rc::Rc;

use tokio::io::AsyncWrite as _;
use tokio::sync::watch;
use tokio::time::timeout;

use super::http1;
use super::peer::{Peer, Protocol};
use super::stream::Stream;
use super::wire::Wire;
use crate::proxy::config::Listener;
use crate::proxy::limits::{LINGER_OCTETS_MAX, Limits, READ_OCTETS};
use crate::proxy::rare::rare;
use crate::proxy::worker::Worker;

/// What all requests of a connection have in common.
#[derive(Debug)]
pub(in crate::proxy) struct Client {
    pub(in crate::proxy) worker: Rc<Worker>,
    pub(in crate::proxy) listener: Rc<Listener>,
    pub(in crate::proxy) peer: Peer,
    /// The listener's.
    pub(in crate::proxy) limits: Limits,
}

/// How a connection is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Both sides are done with it.
    Close,
    /// The client may still be sending: it is read for a while, so that a reset does not take the answer from it.
    Linger,
    /// Nothing more is said.
    Cut,
    /// An answer whose end is the connection's is not complete: that must be seen.
    Reset,
}

/// Serves a connection until it ends; once `stop` says so, after the request in flight.
pub(in crate::proxy) async fn serve(
    worker: Rc<Worker>,
    listener: Rc<Listener>,
    stream: Stream,
    peer: Peer,
    stop: watch::Receiver<bool>,
) {
    let connected = worker.connected();
    let limits = listener.limits(worker.shared.limits);
    let client = Rc::new(Client { worker, listener, peer, limits });
    if client.peer.protocol == Protocol::Http2 {
        // What that takes a connection of HTTP/1 need not hold.
        rare(super::http2::serve(client, stream, stop)).await;
        return drop(connected);
    }
    let wire = Rc::new(RefCell::new(Wire::new(stream, limits)));
    let ending = http1::serve(&client, &wire, stop).await;
    match ending {
        Ending::Cut => {}
        Ending::Reset => wire.borrow().stream.reset_on_close(),
        // Where it cannot be ended it has ended. Nobody waits long for a client that reads nothing.
        Ending::Close => drop(rare(timeout(limits.linger_time_max, shutdown(&wire))).await),
        Ending::Linger => rare(linger(&wire, limits.linger_time_max)).await,
    }
    drop(connected);
}

/// Closes a connection so that the last answer arrives even where the client is still sending.
async fn linger(wire: &RefCell<Wire>, patience: Duration) {
    let read = async {
        let mut read = 0;
        shutdown(wire).await?;
        loop {
            let more = poll_fn(|cx| wire.borrow_mut().poll_fill(READ_OCTETS, cx)).await?;
            read += more;
            if more == 0 || read > LINGER_OCTETS_MAX {
                return Ok::<(), std::io::Error>(());
            }
            wire.borrow_mut().input.clear();
        }
    };
    // Whoever sends longer is cut off.
    drop(timeout(patience, read).await);
}

async fn shutdown(wire: &RefCell<Wire>) -> std::io::Result<()> {
    poll_fn(|cx| core::pin::Pin::new(&mut wire.borrow_mut().stream).poll_shutdown(cx)).await
}
