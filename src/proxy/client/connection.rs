//! One connection of a client, from its first octet to its last.

use core::cell::RefCell;
use std::rc::Rc;

use tokio::sync::watch;

use super::linger::{close, linger};
use super::peer::{Peer, Protocol};
use super::stream::Stream;
use super::wire::Wire;
use super::{http1, http2};
use crate::proxy::config::Listener;
use crate::proxy::limits::Limits;
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
    /// The client may still be sending: see [`linger`].
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
    mut stop: watch::Receiver<bool>,
) {
    let connected = worker.connected();
    let limits = listener.limits(worker.shared.limits);
    let client = Rc::new(Client { worker, listener, peer, limits });
    if client.peer.protocol == Protocol::Http2 {
        // What that takes a connection of HTTP/1 need not hold.
        rare(http2::serve(client, stream, stop)).await;
        return drop(connected);
    }
    let wire = Rc::new(RefCell::new(Wire::new(stream, limits)));
    let ending = http1::serve(&client, &wire, &mut stop).await;
    match ending {
        Ending::Cut => {}
        Ending::Reset => wire.borrow().reset_on_close(),
        // Nobody waits long for a client that reads nothing.
        Ending::Close => rare(close(&wire, limits)).await,
        Ending::Linger => rare(linger(&wire, limits, &client.worker.lingering, &mut stop)).await,
    }
    drop(connected);
}
