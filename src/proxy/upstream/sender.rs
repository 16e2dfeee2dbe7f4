//! Writes a request to an upstream: the head, then the client's body as it comes.

use core::fmt::Write as _;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};

use super::connection::Connection;
use super::upload::{Rest, Upload};
use crate::proxy::exchange::Piece;
use crate::proxy::fault::{Fault, RequestFault, UpstreamFault};
use crate::proxy::http1::{Fields, put_line};
use crate::proxy::hygiene::may_trail_request;
use crate::proxy::limits::{CONTINUE_TIME_MAX, COPIED_OCTETS_MAX, UPLOAD_BUFFER_OCTETS};
use crate::proxy::timer::Timer;

/// What is still to be written of a request.
#[derive(Debug)]
pub(super) struct Sender {
    out: BytesMut,
    /// Octets of the body that go out as they came, behind `out`.
    piece: Bytes,
    pub(super) rest: Rest,
    /// The body is sent in chunks.
    chunked: bool,
    write_idle: Duration,
    /// Runs while the upstream takes nothing of what waits.
    write_timer: Timer,
    /// Runs while the client, or the upstream's leave to send its body, is waited for.
    body_timer: Timer,
    /// All is written, or will never be.
    pub(super) done: bool,
    /// The upstream took not all of it.
    pub(super) failed: bool,
}

impl Sender {
    pub(super) fn new(head: BytesMut, upload: Option<Upload>, write_idle: Duration) -> Self {
        let chunked = upload.as_ref().is_some_and(|upload| upload.chunked);
        let rest = Rest::new(upload);
        Self {
            out: head,
            piece: Bytes::new(),
            rest,
            chunked,
            write_idle,
            write_timer: Timer::default(),
            body_timer: Timer::default(),
            done: false,
            failed: false,
        }
    }

    /// The upstream wants the body, or will not say.
    pub(super) fn leave(&mut self) {
        self.rest.leave();
        self.body_timer.stop();
    }

    /// Nobody is waited for any more, until it is polled again.
    pub(super) fn pause(&mut self) {
        self.write_timer.stop();
        self.body_timer.stop();
    }

    /// The upstream has answered without the body: it is not sent.
    pub(super) fn give_up_waiting(&mut self) {
        if self.rest.waits_for_leave() {
            (self.done, self.failed) = (true, true);
        }
    }

    /// Ready once all is written. An upstream that stops taking is no error here: it may have answered.
    pub(super) fn poll(&mut self, connection: &mut Connection, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        while !self.done {
            let client_is_slow = self.poll_client(cx)?.is_pending();
            let has_octets = !self.out.is_empty() || !self.piece.is_empty();
            let written = if has_octets {
                connection.poll_send(&mut (&mut self.out).chain(&mut self.piece), cx)
            } else {
                connection.poll_flush(cx)
            };
            match written {
                Poll::Ready(Err(_)) => (self.done, self.failed) = (true, true),
                Poll::Ready(Ok(())) if has_octets => self.write_timer.stop(),
                Poll::Ready(Ok(())) if self.rest.is_over() => self.done = true,
                Poll::Ready(Ok(())) if self.rest.waits_for_leave() => {
                    // An upstream that has never heard of it waits for the body.
                    self.write_timer.stop();
                    ready!(self.body_timer.poll(CONTINUE_TIME_MAX, cx));
                    self.leave();
                }
                Poll::Ready(Ok(())) => {
                    self.write_timer.stop();
                    if client_is_slow {
                        let patience = self.rest.client_idle().unwrap_or(self.write_idle);
                        ready!(self.body_timer.poll(patience, cx));
                        return Poll::Ready(Err(RequestFault::BodyTimeout.into()));
                    }
                }
                Poll::Pending => {
                    ready!(self.write_timer.poll(self.write_idle, cx));
                    return Poll::Ready(Err(UpstreamFault::WriteTimeout.into()));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn has_room(&self) -> bool {
        self.piece.is_empty() && self.out.len() < UPLOAD_BUFFER_OCTETS
    }

    fn put(&mut self, data: Bytes) {
        if self.chunked {
            // Writing to a BytesMut cannot fail.
            let _ = write!(self.out, "{:x}\r\n", data.len());
            self.out.extend_from_slice(&data);
            self.out.extend_from_slice(b"\r\n");
        } else if data.len() < COPIED_OCTETS_MAX {
            self.out.extend_from_slice(&data);
        } else {
            self.piece = data;
        }
    }

    /// Takes what the client has sent, as far as there is room; pending where it has sent nothing more yet.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        while self.has_room() && !self.rest.is_over() && !self.rest.waits_for_leave() {
            match ready!(self.rest.poll_piece(cx))? {
                Some(Piece::Data(data)) => {
                    self.body_timer.stop();
                    self.put(data);
                }
                Some(Piece::Trailers(trailers)) if self.chunked => put_end(&mut self.out, &trailers),
                None if self.chunked => put_end(&mut self.out, &Fields::default()),
                Some(Piece::Trailers(_)) | None => {}
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The end of a chunked body, with the trailers that may be sent on.
fn put_end(out: &mut BytesMut, trailers: &Fields) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.iter().filter(|(name, _)| may_trail_request(name)) {
        put_line(out, name, value);
    }
    out.extend_from_slice(b"\r\n");
}
