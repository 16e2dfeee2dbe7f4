//! Connections to one upstream that one core keeps, and the requests it sends on them.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::time::Instant;

use super::connect::connect;
use super::connection::Connection;
use super::exchange::{Asked, Exchange};
use super::failure::Failure;
use super::relay::Relay;
use super::sender::Upload;
use super::target::{Server, Turns, Upstream};
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::http1::{Framing, ResponseHead};
use crate::proxy::limits::KEEPALIVE_MARGIN;

/// One core's connections to an upstream.
#[derive(Debug)]
pub(in crate::proxy) struct Pool {
    pub(in crate::proxy) upstream: Arc<Upstream>,
    turns: RefCell<Turns>,
    idle: RefCell<Vec<Idle>>,
}

/// Where a connection belongs and how long it may be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    server: usize,
    patience: Duration,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    kept: Kept,
    since: Instant,
}

/// A request to be sent.
pub(in crate::proxy) struct Outgoing<'r> {
    /// Writes the head for a server, given the value of Host.
    pub(in crate::proxy) head: &'r dyn Fn(&str) -> BytesMut,
    pub(in crate::proxy) upload: Option<Upload>,
    /// May be sent again where a kept connection breaks.
    pub(in crate::proxy) idempotent: bool,
    pub(in crate::proxy) asked: Asked<'r>,
}

impl core::fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Outgoing").field("idempotent", &self.idempotent).finish_non_exhaustive()
    }
}

/// An upstream's answer.
#[derive(Debug)]
pub(in crate::proxy) struct Answer {
    pub(in crate::proxy) head: ResponseHead,
    pub(in crate::proxy) then: Then,
    pub(in crate::proxy) peer: core::net::SocketAddr,
}

/// What comes behind the head of an answer.
#[derive(Debug)]
pub(in crate::proxy) enum Then {
    Body(Box<Relay>),
    /// The connection goes on with another protocol.
    Tunnel(Tunnel),
}

/// A connection that goes on with another protocol.
#[derive(Debug)]
pub(in crate::proxy) struct Tunnel {
    pub(in crate::proxy) connection: Connection,
    /// It ends where neither side sends anything for this long.
    pub(in crate::proxy) idle: Duration,
}

impl Pool {
    pub(in crate::proxy) fn new(upstream: Arc<Upstream>) -> Rc<Self> {
        Rc::new(Self { upstream, turns: RefCell::default(), idle: RefCell::default() })
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// Another server is tried while none could be connected to. A kept connection that breaks before the first octet
    /// of an answer is replaced once by a fresh one, if nothing can happen twice by it.
    pub(in crate::proxy) async fn send(self: &Rc<Self>, mut request: Outgoing<'_>) -> Result<Answer, Failure> {
        let servers = &self.upstream.servers;
        let turn = self.turns.borrow_mut().next(servers);
        let first = turn.ok_or_else(|| Failure::new(UpstreamFault::NotConfigured))?;
        let mut tried = 0;
        let mut may_reuse = true;
        loop {
            let index = (first + tried) % servers.len();
            let Some(server) = servers.get(index) else { return Err(Failure::new(UpstreamFault::NotConfigured)) };
            let connection = match self.connection(index, server, may_reuse).await {
                Ok(connection) => connection,
                Err(failure) if failure.is_connect() && tried + 1 < servers.len() => {
                    tried += 1;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            let head = (request.head)(&server.host_header);
            let timers = self.upstream.timers;
            let mut exchange = Exchange::new(connection, head, request.upload.take(), timers);
            match exchange.head(request.asked).await {
                Ok(head) => return Ok(self.answer(exchange, head, index)),
                Err(failure) if may_reuse && can_repeat(&exchange, &failure, request.idempotent) => {
                    request.upload = exchange.sender.into_upload();
                    may_reuse = false;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Takes a connection back.
    pub(super) fn keep(&self, connection: Connection, kept: Kept) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() >= self.upstream.keepalive && !idle.is_empty() {
            drop(idle.remove(0));
        }
        if idle.len() < self.upstream.keepalive {
            idle.push(Idle { connection, kept, since: Instant::now() });
        }
    }

    /// Closes what has been idle for too long.
    pub(in crate::proxy) fn sweep(&self) {
        self.idle.borrow_mut().retain(|idle| idle.since.elapsed() < idle.kept.patience);
    }

    async fn connection(&self, index: usize, server: &Server, may_reuse: bool) -> Result<Connection, Failure> {
        match may_reuse.then(|| self.take(index)).flatten() {
            Some(connection) => Ok(connection),
            None => connect(server, self.upstream.timers).await,
        }
    }

    /// The kept connection to a server that was used last and is still good.
    fn take(&self, server: usize) -> Option<Connection> {
        let mut kept = self.idle.borrow_mut();
        loop {
            let at = kept.iter().rposition(|idle| idle.kept.server == server)?;
            let Idle { mut connection, kept: Kept { patience, .. }, since } = kept.remove(at);
            if since.elapsed() < patience && connection.is_quiet() {
                connection.idle = Some(since.elapsed());
                (connection.sent, connection.received) = (0, 0);
                return Some(connection);
            }
        }
    }

    fn answer(self: &Rc<Self>, exchange: Exchange, mut head: ResponseHead, server: usize) -> Answer {
        let (peer, idle) = (exchange.connection.peer, self.upstream.timers.idle);
        if head.status == 101 {
            return Answer { head, then: Then::Tunnel(Tunnel { connection: exchange.connection, idle }), peer };
        }
        let announced =
            head.keep_alive_seconds.map(|seconds| Duration::from_secs(seconds).saturating_sub(KEEPALIVE_MARGIN));
        let patience = self.upstream.keepalive_idle.min(announced.unwrap_or(Duration::MAX));
        let home = (head.persistent && !patience.is_zero()).then(|| (Rc::clone(self), Kept { server, patience }));
        let framing = core::mem::replace(&mut head.framing, Framing::None);
        Answer { head, then: Then::Body(Box::new(Relay::new(exchange, framing, home, idle))), peer }
    }
}

/// Whether the request may be sent on a fresh connection: nothing was read of an answer or of the client's body, and
/// either no octet was written or doing it twice is doing it once.
fn can_repeat(exchange: &Exchange, failure: &Failure, idempotent: bool) -> bool {
    let broke = failure.fault == Fault::Upstream(UpstreamFault::ReusedConnectionClosed);
    broke && exchange.sender.taken == 0 && (idempotent || exchange.connection.sent == 0)
}
