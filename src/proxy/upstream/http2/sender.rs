//! Sends the body of a request, as much of it as the server has room for.

use core::task::{Context, Poll, ready};
use core::time::Duration;

use bytes::Bytes;
use h2::SendStream;

use crate::proxy::exchange::Piece;
use crate::proxy::fault::{Fault, RequestFault, UpstreamFault};
use crate::proxy::http2::to_headers;
use crate::proxy::hygiene::may_trail_request;
use crate::proxy::limits::CONTINUE_TIME_MAX;
use crate::proxy::timer::Timer;
use crate::proxy::upstream::upload::{Rest, Upload};

/// What is still to be sent of a request.
pub(super) struct Sender {
    stream: SendStream<Bytes>,
    pub(super) rest: Rest,
    /// Taken, and not sent for want of room.
    held: Bytes,
    /// Octets given to the stream, the head among them.
    pub(super) sent: u64,
    write_idle: Duration,
    timer: Timer,
}

impl Sender {
    pub(super) fn new(stream: SendStream<Bytes>, head: u64, upload: Option<Upload>, write_idle: Duration) -> Self {
        let rest = Rest::new(upload);
        Self { stream, rest, held: Bytes::new(), sent: head, write_idle, timer: Timer::default() }
    }

    /// Whether it waits for room.
    pub(super) fn is_full(&self) -> bool {
        !self.held.is_empty()
    }

    /// Nobody is waited for any more, until it is polled again.
    pub(super) fn pause(&mut self) {
        self.timer.stop();
    }

    /// The server wants the body, or will not say.
    pub(super) fn leave(&mut self) {
        self.rest.leave();
        self.timer.stop();
    }

    /// The server has answered without the body: it is not sent.
    pub(super) fn give_up_waiting(&mut self) {
        if self.rest.waits_for_leave() {
            self.rest.forget();
        }
    }

    /// Ready once all is sent. A server that takes no more is no error here: it may have answered.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        loop {
            if !self.held.is_empty() {
                let Some(room) = (match self.poll_room(cx) {
                    Poll::Ready(room) => room,
                    Poll::Pending => {
                        ready!(self.timer.poll(self.write_idle, cx));
                        return Poll::Ready(Err(UpstreamFault::WriteTimeout.into()));
                    }
                }) else {
                    self.end();
                    return Poll::Ready(Ok(()));
                };
                self.timer.stop();
                let part = self.held.split_to(room.min(self.held.len()));
                let octets = part.len() as u64;
                match self.stream.send_data(part, false) {
                    Ok(()) => self.sent += octets,
                    Err(_) => self.end(),
                }
                continue;
            }
            let Some(client_idle) = self.rest.client_idle() else { return Poll::Ready(Ok(())) };
            if self.rest.waits_for_leave() {
                // A server that has never heard of it waits for the body.
                ready!(self.timer.poll(CONTINUE_TIME_MAX, cx));
                self.leave();
                continue;
            }
            let Poll::Ready(piece) = self.rest.poll_piece(cx) else {
                ready!(self.timer.poll(client_idle, cx));
                return Poll::Ready(Err(RequestFault::BodyTimeout.into()));
            };
            self.timer.stop();
            match piece? {
                Some(Piece::Data(data)) => self.held = data,
                Some(Piece::Trailers(trailers)) => {
                    let headers = to_headers(trailers.iter().filter(|(name, _)| may_trail_request(name)));
                    drop(self.stream.send_trailers(headers));
                    self.end();
                }
                None => {
                    drop(self.stream.send_data(Bytes::new(), true));
                    self.end();
                }
            }
        }
    }

    fn end(&mut self) {
        self.held = Bytes::new();
        self.rest.forget();
        self.timer.stop();
    }

    /// None where the stream takes nothing any more.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        self.stream.reserve_capacity(self.held.len());
        loop {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(0)) => {}
                Some(Ok(room)) => return Poll::Ready(Some(room)),
                Some(Err(_)) | None => return Poll::Ready(None),
            }
        }
    }
}
