//! Writes a request to an upstream: the head, then the client's body as it comes.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as _, Incoming};

use super::connection::Connection;
use crate::matcher::Refusal;
use crate::proxy::fault::{Fault, RequestFault, UpstreamFault};
use crate::proxy::limits::UPLOAD_BUFFER_OCTETS;
use crate::proxy::timer::Timer;

/// A client's body on its way to an upstream.
#[derive(Debug)]
pub(in crate::proxy) struct Upload {
    pub(in crate::proxy) source: Incoming,
    /// Its length is not known: it is sent in chunks.
    pub(in crate::proxy) chunked: bool,
    /// Octets beyond which it is refused.
    pub(in crate::proxy) octets_max: Option<u64>,
    /// How long the client may pause.
    pub(in crate::proxy) client_idle: Duration,
}

/// What is still to be written of a request.
#[derive(Debug)]
pub(super) struct Sender {
    out: BytesMut,
    upload: Option<Upload>,
    /// Octets taken from the client.
    pub(super) taken: u64,
    write_idle: Duration,
    timer: Timer,
    /// All is written, or will never be.
    pub(super) done: bool,
    /// The upstream took not all of it.
    pub(super) failed: bool,
}

impl Sender {
    pub(super) fn new(head: &[u8], upload: Option<Upload>, write_idle: Duration) -> Self {
        let out = BytesMut::from(head);
        Self { out, upload, taken: 0, write_idle, timer: Timer::default(), done: false, failed: false }
    }

    /// The body, where nothing of it was taken yet.
    pub(super) fn into_upload(self) -> Option<Upload> {
        self.upload
    }

    /// Ready once all is written. An upstream that stops taking is no error here: it may have answered.
    pub(super) fn poll(&mut self, connection: &mut Connection, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        while !self.done {
            let client_is_slow = self.poll_client(cx)?.is_pending();
            let has_octets = !self.out.is_empty();
            let written = if has_octets { connection.poll_send(&mut self.out, cx) } else { connection.poll_flush(cx) };
            match written {
                Poll::Ready(Err(_)) => (self.done, self.failed) = (true, true),
                Poll::Ready(Ok(())) if has_octets => self.timer.stop(),
                Poll::Ready(Ok(())) if self.upload.is_none() => self.done = true,
                Poll::Ready(Ok(())) => {
                    if client_is_slow {
                        let patience = self.upload.as_ref().map_or(self.write_idle, |upload| upload.client_idle);
                        ready!(self.timer.poll(patience, cx));
                        return Poll::Ready(Err(RequestFault::BodyTimeout.into()));
                    }
                }
                Poll::Pending => {
                    ready!(self.timer.poll(self.write_idle, cx));
                    return Poll::Ready(Err(UpstreamFault::WriteTimeout.into()));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what the client has sent, as far as there is room; pending where it has sent nothing more yet.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        while self.out.len() < UPLOAD_BUFFER_OCTETS {
            let Some(upload) = &mut self.upload else { break };
            match ready!(Pin::new(&mut upload.source).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    self.timer.stop();
                    // Trailers are not sent on: nobody has said which of them may be.
                    let data = frame.into_data().unwrap_or_default();
                    self.taken += data.len() as u64;
                    if upload.octets_max.is_some_and(|max| self.taken > max) {
                        return Poll::Ready(Err(Refusal::BodyTooLarge.into()));
                    }
                    put(&mut self.out, &data, upload.chunked);
                }
                Some(Err(_)) => return Poll::Ready(Err(RequestFault::BodyMalformed.into())),
                None => {
                    if upload.chunked {
                        self.out.extend_from_slice(b"0\r\n\r\n");
                    }
                    self.upload = None;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn put(out: &mut BytesMut, data: &Bytes, chunked: bool) {
    if chunked && !data.is_empty() {
        out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    } else {
        out.extend_from_slice(data);
    }
}
