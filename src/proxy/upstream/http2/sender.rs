//! Sends the body of a request, as much of it as the server has room for.

use core::task::{Context, Poll, ready};
use core::time::Duration;

use bytes::Bytes;
use h2::SendStream;

use crate::matcher::Refusal;
use crate::proxy::exchange::Piece;
use crate::proxy::fault::{Fault, RequestFault, UpstreamFault};
use crate::proxy::http2::to_headers;
use crate::proxy::hygiene::may_trail;
use crate::proxy::limits::CONTINUE_TIME_MAX;
use crate::proxy::timer::Timer;
use crate::proxy::upstream::Upload;

/// What is still to be sent of a request.
pub(super) struct Sender {
    stream: SendStream<Bytes>,
    upload: Option<Upload>,
    rest: Bytes,
    /// Octets taken from the client.
    pub(super) taken: u64,
    write_idle: Duration,
    timer: Timer,
}

impl Sender {
    pub(super) fn new(stream: SendStream<Bytes>, upload: Option<Upload>, write_idle: Duration) -> Self {
        Self { stream, upload, rest: Bytes::new(), taken: 0, write_idle, timer: Timer::default() }
    }

    /// The body, where nothing of it was taken yet.
    pub(super) fn into_upload(self) -> Option<Upload> {
        self.upload
    }

    /// The server wants the body, or will not say.
    pub(super) fn leave(&mut self) {
        if let Some(upload) = &mut self.upload {
            upload.on_leave = false;
            self.timer.stop();
        }
    }

    /// The server has answered without the body: it is not sent.
    pub(super) fn give_up_waiting(&mut self) {
        if self.upload.as_ref().is_some_and(|upload| upload.on_leave) {
            self.upload = None;
        }
    }

    /// Ready once all is sent. A server that takes no more is no error here: it may have answered.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        loop {
            if !self.rest.is_empty() {
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
                let part = self.rest.split_to(room.min(self.rest.len()));
                if self.stream.send_data(part, false).is_err() {
                    self.end();
                }
                continue;
            }
            let Some(upload) = &mut self.upload else { return Poll::Ready(Ok(())) };
            if upload.on_leave {
                // A server that has never heard of it waits for the body.
                ready!(self.timer.poll(CONTINUE_TIME_MAX, cx));
                self.leave();
                continue;
            }
            let Poll::Ready(piece) = upload.source.poll_piece(cx) else {
                ready!(self.timer.poll(upload.client_idle, cx));
                return Poll::Ready(Err(RequestFault::BodyTimeout.into()));
            };
            self.timer.stop();
            match piece.transpose()? {
                Some(Piece::Data(data)) => {
                    self.taken += data.len() as u64;
                    if upload.octets_max.is_some_and(|max| self.taken > max) {
                        return Poll::Ready(Err(Refusal::BodyTooLarge.into()));
                    }
                    self.rest = data;
                }
                Some(Piece::Trailers(trailers)) => {
                    let headers = to_headers(trailers.iter().filter(|(name, _)| may_trail(name)));
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
        self.rest = Bytes::new();
        self.upload = None;
        self.timer.stop();
    }

    /// None where the stream takes nothing any more.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        self.stream.reserve_capacity(self.rest.len());
        loop {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(0)) => {}
                Some(Ok(room)) => return Poll::Ready(Some(room)),
                Some(Err(_)) | None => return Poll::Ready(None),
            }
        }
    }
}
