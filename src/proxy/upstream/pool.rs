//! Connections to one upstream that one core keeps, and the requests it sends on them.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::time::{Instant, timeout_at};

use super::balance::Turns;
use super::connect::connect;
use super::connection::Connection;
use super::exchange::{Asked, Exchange};
use super::failure::{Attempt, Failure};
use super::health::{InFlight, now_ms};
use super::http2::{self, Sessions};
use super::incoming::Relay;
use super::kept::{Idle, Kept};
use super::relay;
use super::retry::{self, Again};
use super::target::{Server, Upstream};
use super::upload::Upload;
use crate::contract::manifest::Protocol;
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::http1::{Framing, ResponseHead};
use crate::proxy::limits::KEEPALIVE_MARGIN;
use crate::proxy::metrics::PoolCounts;
use crate::proxy::rare::rare;
use crate::proxy::shortage::Shortage;

/// One core's connections to an upstream.
#[derive(Debug)]
pub(in crate::proxy) struct Pool {
    pub(in crate::proxy) upstream: Arc<Upstream>,
    turns: RefCell<Turns>,
    idle: RefCell<Idle>,
    /// By server, where HTTP/2 is spoken.
    sessions: Vec<Sessions>,
    counts: Arc<PoolCounts>,
    shortage: Arc<Shortage>,
}

fn no_connection(failure: Failure) -> (Failure, Again) {
    let again = retry::after_connect(&failure);
    (failure, again)
}

/// An answer whose head has come.
enum Begun {
    Http1(Box<Exchange>),
    Http2(Box<http2::Relay>),
}

/// A request to be sent.
pub(in crate::proxy) struct Outgoing<'r> {
    /// Writes the head for a server, given the value of Host.
    pub(in crate::proxy) head: &'r dyn Fn(&str) -> BytesMut,
    pub(in crate::proxy) upload: Option<Upload>,
    /// May be sent again where a kept connection breaks.
    pub(in crate::proxy) idempotent: bool,
    pub(in crate::proxy) asked: Asked<'r>,
    /// Picks the server, where the upstream is balanced by a hash.
    pub(in crate::proxy) key: Option<&'r [u8]>,
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
    Tunnel(Box<Tunnel>),
}

/// A connection that goes on with another protocol.
#[derive(Debug)]
pub(in crate::proxy) struct Tunnel {
    pub(in crate::proxy) connection: Box<Connection>,
    /// It ends where neither side sends anything for this long.
    pub(in crate::proxy) idle: Duration,
}

impl Pool {
    pub(in crate::proxy) fn new(upstream: Arc<Upstream>, counts: Arc<PoolCounts>, shortage: Arc<Shortage>) -> Rc<Self> {
        let sessions = upstream.servers.iter().map(|_| Sessions::default()).collect();
        Rc::new(Self { upstream, turns: RefCell::default(), idle: RefCell::default(), sessions, counts, shortage })
    }

    /// Sends a request and waits for the head of the answer.
    ///
    /// Another server is tried as long as nothing was sent, and for what may happen twice as often as the rules and the
    /// budget let. A kept connection that breaks before the first octet of an answer is replaced once by a fresh one, if
    /// nothing can happen twice by it.
    pub(in crate::proxy) async fn send(self: &Rc<Self>, request: &mut Outgoing<'_>) -> Result<Answer, Failure> {
        let asked = Cell::new(None);
        let Some(patience) = self.upstream.timers.request else { return self.attempts(request, None, &asked).await };
        let deadline = Instant::now() + patience;
        if let Ok(answer) = timeout_at(deadline, rare(self.attempts(request, Some(deadline), &asked))).await {
            return answer;
        }
        let mut failure = Failure::new(UpstreamFault::RequestTimeout).elapsed(patience);
        self.counts.failed(failure.fault.code());
        if let Some(server) = asked.get().and_then(|index: usize| self.upstream.servers.get(index)) {
            failure = self.told(failure, server, &[]);
            failure.peer = server.address();
            self.failed(server, &failure);
        }
        Err(failure)
    }

    async fn attempts(
        self: &Rc<Self>,
        request: &mut Outgoing<'_>,
        deadline: Option<Instant>,
        asked: &Cell<Option<usize>>,
    ) -> Result<Answer, Failure> {
        let upstream = &*self.upstream;
        let may_retry = upstream.retries > 0 && upstream.servers.len() > 1;
        if may_retry {
            upstream.budget.request();
        }
        let (mut retries, mut may_reuse, mut tried) = (0, true, Vec::new());
        let (mut last, mut attempts) = (None, Vec::new());
        loop {
            // After a kept connection has broken, the same server is asked on a fresh one.
            let chosen = if may_reuse || last.is_some() {
                upstream.choose(&mut self.turns.borrow_mut(), &tried, request.key)
            } else {
                asked.get()
            };
            let Some((index, server)) = chosen.and_then(|index| Some((index, upstream.servers.get(index)?))) else {
                return Err(last.unwrap_or_else(|| Failure::new(UpstreamFault::NoServerAvailable)));
            };
            asked.set(Some(index));
            let (failure, again) = match self.attempt(index, server, request, may_reuse, deadline).await {
                Ok((begun, head)) => {
                    server.health.answered(server.tolerance).tell(&upstream.name, server, "");
                    return Ok(match begun {
                        Begun::Http1(exchange) => self.answer(exchange, head, index, deadline),
                        Begun::Http2(relay) => {
                            let peer = relay.peer();
                            Answer { head, then: Then::Body(Box::new(Relay::Http2(relay))), peer }
                        }
                    });
                }
                Err((failure, again)) => (self.told(failure, server, &attempts), again),
            };
            attempts.push(failure.attempt());
            match again {
                Again::Fresh => {
                    (may_reuse, last) = (false, None);
                    continue;
                }
                Again::Unsent => {}
                Again::Elsewhere if may_retry && retries < upstream.retries && upstream.budget.take() => retries += 1,
                Again::Elsewhere | Again::No => {
                    self.failed(server, &failure);
                    return Err(failure);
                }
            }
            self.failed(server, &failure);
            tried.push(index);
            last = Some(failure);
        }
    }

    /// Asks one server; where the head of its answer does not come, what may be done about it. A body of which nothing
    /// was taken is put back.
    async fn attempt(
        &self,
        index: usize,
        server: &Server,
        request: &mut Outgoing<'_>,
        may_reuse: bool,
        deadline: Option<Instant>,
    ) -> Result<(Begun, ResponseHead), (Failure, Again)> {
        if let Some(sessions) = self.sessions.get(index).filter(|_| self.upstream.protocol == Protocol::Http2) {
            return rare(self.attempt_http2(sessions, server, request, may_reuse, deadline)).await;
        }
        let connection = self.connection(index, server, may_reuse, request.idempotent).await;
        let connection = connection.map_err(no_connection)?;
        let head = (request.head)(&server.host_header);
        let mut exchange = Exchange::new(connection, head, request.upload.take(), self.upstream.timers);
        let failure = match exchange.head(request.asked).await {
            Ok(head) => return Ok((Begun::Http1(exchange), head)),
            Err(failure) => failure,
        };
        let again = retry::after(&exchange, &failure, request.idempotent, may_reuse);
        request.upload = exchange.sender.rest.into_upload();
        Err((failure, again))
    }

    /// The same over HTTP/2.
    async fn attempt_http2(
        &self,
        sessions: &Sessions,
        server: &Server,
        request: &mut Outgoing<'_>,
        may_reuse: bool,
        deadline: Option<Instant>,
    ) -> Result<(Begun, ResponseHead), (Failure, Again)> {
        let timers = self.upstream.timers;
        let in_flight = InFlight::begin(&server.health);
        let connect = async || {
            let begun = Instant::now();
            let connection = connect(server, timers).await?;
            self.counts.opened();
            let peer = connection.peer;
            let not_offered = || Failure::new(UpstreamFault::Http2NotOffered).peer(peer).elapsed(begun.elapsed());
            connection.into_http2().map(|stream| (stream, peer)).ok_or_else(not_offered)
        };
        let place = sessions.place(request.upload.is_some(), timers.response, connect).await.map_err(no_connection)?;
        if place.idle.is_some() {
            self.counts.reused();
        }
        let head = (request.head)(&server.host_header);
        let sending = http2::Sending { head, is_tls: server.tls.is_some(), asked: request.asked, timers, deadline };
        match http2::send(place, in_flight, sending, request.upload.take()).await {
            Ok((head, relay)) => Ok((Begun::Http2(Box::new(relay)), head)),
            Err(refused) => {
                let again = retry::after_http2(&refused, request.idempotent, may_reuse);
                request.upload = refused.upload;
                Err((refused.failure, again))
            }
        }
    }

    /// Notes that a server did not answer; what the client did wrong, or this machine lacks, is not its fault.
    #[cold]
    fn failed(&self, server: &Server, failure: &Failure) {
        match failure.fault {
            Fault::Upstream(_) => {
                let change = server.health.failed(server.tolerance, now_ms());
                change.tell(&self.upstream.name, server, &failure.reason());
            }
            Fault::Gateway(fault) => {
                server.health.not_asked();
                self.shortage.met(fault, &format!("a connection to {server}"), failure.reason());
            }
            Fault::Refused { .. } | Fault::Request(_) => {}
        }
    }

    /// `failure`, counted, with what the rules say of the server, and what was tried before.
    #[cold]
    fn told(&self, mut failure: Failure, server: &Server, attempts: &[Attempt]) -> Failure {
        if matches!(failure.fault, Fault::Upstream(_)) {
            self.counts.failed(failure.fault.code());
        }
        failure.server_name = server.tls.as_ref().map(|tls| tls.name.to_str().into_owned());
        failure.kept_for = Some(self.upstream.keepalive_idle);
        failure.attempts = attempts.to_vec();
        failure
    }

    /// Takes a connection back.
    pub(super) fn keep(&self, mut connection: Box<Connection>, kept: Kept) {
        connection.in_flight = None;
        let mut idle = self.idle.borrow_mut();
        idle.put(connection, kept, self.upstream.keepalive);
        self.counts.idle(idle.len());
    }

    /// Closes what has been idle for too long.
    pub(in crate::proxy) fn sweep(&self) {
        let mut idle = self.idle.borrow_mut();
        idle.sweep(&self.upstream.servers);
        let http2 = self.sessions.iter().map(|sessions| sessions.sweep(self.upstream.keepalive_idle));
        self.counts.idle(idle.len() + http2.sum::<usize>());
    }

    /// A connection to a server, kept or fresh, which counts as in flight from now on.
    async fn connection(
        &self,
        index: usize,
        server: &Server,
        may_reuse: bool,
        idempotent: bool,
    ) -> Result<Box<Connection>, Failure> {
        let in_flight = InFlight::begin(&server.health);
        let kept = if may_reuse { self.idle.borrow_mut().take(index, idempotent) } else { None };
        self.counts.idle(self.idle.borrow().len());
        let mut connection = if let Some(connection) = kept {
            self.counts.reused();
            connection
        } else {
            let connection = rare(connect(server, self.upstream.timers)).await?;
            self.counts.opened();
            connection
        };
        connection.in_flight = Some(in_flight);
        Ok(connection)
    }

    fn answer(
        self: &Rc<Self>,
        mut exchange: Box<Exchange>,
        mut head: ResponseHead,
        server: usize,
        deadline: Option<Instant>,
    ) -> Answer {
        let (peer, idle) = (exchange.connection.peer, self.upstream.timers.idle);
        if head.status == 101 {
            return Answer {
                head,
                then: Then::Tunnel(Box::new(Tunnel { connection: exchange.connection, idle })),
                peer,
            };
        }
        exchange.connection.announced = head.keep_alive_seconds.map(Duration::from_secs);
        let announced =
            head.keep_alive_seconds.map(|seconds| Duration::from_secs(seconds).saturating_sub(KEEPALIVE_MARGIN));
        let patience = self.upstream.keepalive_idle.min(announced.unwrap_or(Duration::MAX));
        let home = (head.persistent && !patience.is_zero()).then(|| (Rc::clone(self), Kept { server, patience }));
        let framing = core::mem::replace(&mut head.framing, Framing::None);
        let relay = relay::Relay::new(exchange, framing, home, idle, deadline);
        Answer { head, then: Then::Body(Box::new(Relay::Http1(relay))), peer }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.counts.idle(0);
    }
}
