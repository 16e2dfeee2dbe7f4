//! The body of an upstream's answer on its way to the client.

use core::task::{Context, Poll, ready};
use std::rc::Rc;

use bytes::Buf;
use tokio::time::Instant;

use super::exchange::Exchange;
use super::failure::Failure;
use super::kept::Kept;
use super::pool::Pool;
use crate::proxy::exchange::Piece;
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::http1::{Framing, Then};
use crate::proxy::hygiene::may_trail;
use crate::proxy::limits::{READ_OCTETS, read_octets};
use crate::proxy::timer::Timer;

/// Reads an answer's body, and writes what is left of the request's meanwhile.
#[derive(Debug)]
pub(in crate::proxy) struct Relay {
    exchange: Option<Box<Exchange>>,
    framing: Framing,
    /// Where the connection goes afterwards; None where it does not last.
    home: Option<(Rc<Pool>, Kept)>,
    idle: core::time::Duration,
    /// When the whole request must have ended.
    deadline: Option<(Instant, Timer)>,
    /// What was wrong with the request's body while nobody took the answer's.
    fault: Option<Fault>,
}

impl Relay {
    pub(super) fn new(
        exchange: Box<Exchange>,
        framing: Framing,
        home: Option<(Rc<Pool>, Kept)>,
        idle: core::time::Duration,
        deadline: Option<Instant>,
    ) -> Self {
        let deadline = deadline.map(|deadline| (deadline, Timer::default()));
        let mut relay = Self { exchange: Some(exchange), framing, home, idle, deadline, fault: None };
        if matches!(relay.framing, Framing::None | Framing::Octets(0)) {
            relay.finish();
        }
        relay
    }

    /// The octets that are left, where that is known.
    pub(in crate::proxy) fn octets(&self) -> Option<u64> {
        match (&self.exchange, &self.framing) {
            (None, _) | (_, Framing::None) => Some(0),
            (_, Framing::Octets(left)) => Some(*left),
            (_, Framing::Chunked(_) | Framing::Close) => None,
        }
    }

    /// The next piece; Ready(None) at the end that the framing names, never at another.
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, Failure>>> {
        if self.is_late(cx) {
            return Poll::Ready(self.fail(UpstreamFault::RequestTimeout.into()));
        }
        let Some(exchange) = &mut self.exchange else { return Poll::Ready(None) };
        let sent = match self.fault.take() {
            Some(fault) => Poll::Ready(Err(fault)),
            None => exchange.sender.poll(&mut exchange.connection, cx),
        };
        if let Poll::Ready(Err(fault)) = sent {
            return Poll::Ready(self.fail(fault));
        }
        loop {
            match self.next() {
                Ok(Next::Piece(piece)) => {
                    // Nobody asks again where the length is known, or trailers have come.
                    if matches!((&self.framing, &piece), (Framing::Octets(0), _) | (_, Piece::Trailers(_))) {
                        self.finish();
                    }
                    return Poll::Ready(Some(Ok(piece)));
                }
                Ok(Next::End) => {
                    self.finish();
                    return Poll::Ready(None);
                }
                Ok(Next::More) => match ready!(self.poll_more(cx)) {
                    Ok(true) => {}
                    Ok(false) => {
                        self.exchange = None;
                        return Poll::Ready(None);
                    }
                    Err(fault) => return Poll::Ready(self.fail(fault.into())),
                },
                Err(fault) => return Poll::Ready(self.fail(fault.into())),
            }
        }
    }

    /// While the client takes nothing of the answer: what is left of the request is sent; false where nothing more is.
    pub(super) fn poll_beside(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(exchange) = self.exchange.as_mut().filter(|_| self.fault.is_none()) else { return false };
        let sent = exchange.sender.poll(&mut exchange.connection, cx);
        // A server that waits until its answer is read takes nothing meanwhile.
        exchange.sender.pause();
        if let Poll::Ready(Err(fault)) = sent {
            self.fault = Some(fault);
        }
        sent.is_pending()
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let Some((deadline, timer)) = &mut self.deadline else { return false };
        timer.poll(deadline.saturating_duration_since(Instant::now()), cx).is_ready()
    }

    /// Reads more; false where the end of the connection is the end of the body.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, UpstreamFault>> {
        let Some(exchange) = &mut self.exchange else { return Poll::Ready(Ok(false)) };
        let octets = if let Framing::Octets(left) = self.framing { read_octets(left) } else { READ_OCTETS };
        match exchange.connection.poll_fill(octets, cx) {
            Poll::Ready(Ok(0)) if matches!(self.framing, Framing::Close) => Poll::Ready(Ok(false)),
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Err(UpstreamFault::BodyTruncated)),
            Poll::Ready(Ok(_)) => {
                exchange.connection.timer.stop();
                Poll::Ready(Ok(true))
            }
            Poll::Pending => {
                ready!(exchange.connection.timer.poll(self.idle, cx));
                Poll::Ready(Err(UpstreamFault::BodyTimeout))
            }
        }
    }

    /// What is at the front of the buffer.
    fn next(&mut self) -> Result<Next, UpstreamFault> {
        let Some(exchange) = &mut self.exchange else { return Ok(Next::End) };
        let buffer = &mut exchange.connection.buffer;
        match &mut self.framing {
            Framing::None | Framing::Octets(0) => Ok(Next::End),
            _ if buffer.is_empty() => Ok(Next::More),
            Framing::Close => Ok(Next::Piece(Piece::Data(buffer.split().freeze()))),
            Framing::Octets(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                *left = left.saturating_sub(take as u64);
                Ok(Next::Piece(Piece::Data(buffer.split_to(take).freeze())))
            }
            Framing::Chunked(chunked) => {
                let step = chunked.step(buffer).map_err(|_| UpstreamFault::BodyMalformed)?;
                buffer.advance(step.framing);
                Ok(match step.then {
                    Then::More => Next::More,
                    Then::Data(octets) => Next::Piece(Piece::Data(buffer.split_to(octets).freeze())),
                    Then::End => {
                        let mut trailers = chunked.take_trailers().map_err(|_| UpstreamFault::BodyMalformed)?;
                        trailers.retain(|name, _| may_trail(name));
                        if trailers.is_empty() { Next::End } else { Next::Piece(Piece::Trailers(trailers)) }
                    }
                })
            }
        }
    }

    #[cold]
    fn fail(&mut self, fault: Fault) -> Option<Result<Piece, Failure>> {
        let mut failure = self.exchange.take()?.failure(fault);
        if fault == UpstreamFault::BodyTruncated.into() {
            failure = failure.detail(match &self.framing {
                Framing::Octets(left) => format!("{left} octets of its Content-Length are missing"),
                Framing::Chunked(_) => "its last chunk is missing".to_owned(),
                Framing::None | Framing::Close => {
                    "the end of the connection is no end: a reset, or TLS without the alert that ends it".to_owned()
                }
            });
        }
        Some(Err(failure))
    }

    /// The answer is complete: the connection goes home if the request is, too.
    fn finish(&mut self) {
        let (Some(exchange), Some((pool, kept))) = (self.exchange.take(), self.home.take()) else { return };
        let in_step = exchange.sender.done && !exchange.sender.failed && exchange.connection.buffer.is_empty();
        if in_step {
            pool.keep(exchange.connection, kept);
        }
    }
}

enum Next {
    Piece(Piece),
    More,
    End,
}
