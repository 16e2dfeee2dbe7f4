//! The client's body on its way to an upstream, whatever the protocol.

use core::task::{Context, Poll, ready};
use core::time::Duration;

use crate::matcher::Refusal;
use crate::proxy::exchange::{Piece, RequestBody};
use crate::proxy::fault::Fault;

/// A client's body, and how it is sent.
#[derive(Debug)]
pub(in crate::proxy) struct Upload {
    pub(in crate::proxy) source: RequestBody,
    /// Its length is not known: HTTP/1 sends it in chunks.
    pub(in crate::proxy) chunked: bool,
    /// Octets beyond which it is refused.
    pub(in crate::proxy) octets_max: Option<u64>,
    /// How long the client may pause.
    pub(in crate::proxy) client_idle: Duration,
    /// It is sent when the upstream says so: 100-continue (RFC 9110 10.1.1).
    pub(in crate::proxy) on_leave: bool,
}

/// What was not taken of it yet.
#[derive(Debug)]
pub(super) struct Rest {
    upload: Option<Upload>,
    /// Octets taken.
    pub(super) taken: u64,
}

impl Rest {
    pub(super) fn new(upload: Option<Upload>) -> Self {
        Self { upload, taken: 0 }
    }

    /// The body, where nothing of it was taken yet.
    pub(super) fn into_upload(self) -> Option<Upload> {
        self.upload
    }

    /// There is nothing more to take.
    pub(super) fn is_over(&self) -> bool {
        self.upload.is_none()
    }

    /// How long the client may pause.
    pub(super) fn client_idle(&self) -> Option<Duration> {
        self.upload.as_ref().map(|upload| upload.client_idle)
    }

    pub(super) fn waits_for_leave(&self) -> bool {
        self.upload.as_ref().is_some_and(|upload| upload.on_leave)
    }

    /// The upstream wants the body, or will not say.
    pub(super) fn leave(&mut self) {
        if let Some(upload) = &mut self.upload {
            upload.on_leave = false;
        }
    }

    /// The upstream wants no more of it.
    pub(super) fn forget(&mut self) {
        self.upload = None;
    }

    /// The next piece; None at the end.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Piece>, Fault>> {
        let Some(upload) = &mut self.upload else { return Poll::Ready(Ok(None)) };
        let piece = ready!(upload.source.poll_piece(cx)).transpose()?;
        if let Some(Piece::Data(data)) = &piece {
            self.taken += data.len() as u64;
            if upload.octets_max.is_some_and(|max| self.taken > max) {
                return Poll::Ready(Err(Refusal::BodyTooLarge.into()));
            }
        } else {
            self.upload = None;
        }
        Poll::Ready(Ok(piece))
    }
}
