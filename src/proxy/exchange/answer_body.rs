//! The body of an answer, whatever it comes from.

use core::task::{Context, Poll};

use bytes::Bytes;

use super::request_body::Piece;
use crate::proxy::fault::RequestFault;
use crate::proxy::record::Record;
use crate::proxy::upstream::Relay;

/// The body of an answer; the record of the request is written when it is dropped.
#[derive(Debug)]
pub(in crate::proxy) struct AnswerBody {
    source: Source,
    record: Box<Record>,
}

#[derive(Debug)]
enum Source {
    Whole(Bytes),
    Relay(Box<Relay>),
    /// The connection goes on to another protocol.
    Tunnel,
    Ended,
}

/// The answer broke off: the connection must not end as if it were complete.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct Broken;

impl core::fmt::Display for Broken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the answer broke off")
    }
}

impl core::error::Error for Broken {}

impl AnswerBody {
    pub(super) fn whole(body: Bytes, record: Box<Record>) -> Self {
        let source = if body.is_empty() { Source::Ended } else { Source::Whole(body) };
        Self { source, record }
    }

    pub(super) fn relay(relay: Box<Relay>, record: Box<Record>) -> Self {
        Self { source: Source::Relay(relay), record }
    }

    pub(super) fn tunnel(record: Box<Record>) -> Self {
        Self { source: Source::Tunnel, record }
    }

    /// The next part; Ready(None) where the body is complete.
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, Broken>>> {
        let next = match &mut self.source {
            Source::Ended | Source::Tunnel => Poll::Ready(None),
            Source::Whole(body) => {
                let body = core::mem::take(body);
                self.source = Source::Ended;
                Poll::Ready(Some(Ok(Piece::Data(body))))
            }
            Source::Relay(relay) => relay.poll_piece(cx),
        };
        match next {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(piece))) => {
                if let Piece::Data(data) = &piece {
                    self.record.octets_out(data.len() as u64);
                }
                return Poll::Ready(Some(Ok(piece)));
            }
            Poll::Ready(Some(Err(failure))) => {
                self.record.failed(&failure);
                self.source = Source::Ended;
                return Poll::Ready(Some(Err(Broken)));
            }
            Poll::Ready(None) => {}
        }
        self.source = Source::Ended;
        Poll::Ready(None)
    }

    /// While the client takes nothing of it: what is left of the request is sent; false where nothing more is.
    pub(in crate::proxy) fn poll_beside(&mut self, cx: &mut Context<'_>) -> bool {
        if let Source::Relay(relay) = &mut self.source { relay.poll_beside(cx) } else { false }
    }

    /// The octets that are left, where that is known.
    pub(in crate::proxy) fn octets(&self) -> Option<u64> {
        match &self.source {
            Source::Ended | Source::Tunnel => Some(0),
            Source::Whole(body) => Some(body.len() as u64),
            Source::Relay(relay) => relay.octets(),
        }
    }

    /// The client took no more: it has gone, or is as good as gone.
    pub(in crate::proxy) fn abandoned(&mut self, late: bool) {
        self.record.fault(if late { RequestFault::AnswerTimeout } else { RequestFault::ClientLeft }.into());
    }

    /// So many bytes that were taken of it were not written to the client.
    pub(in crate::proxy) fn unwritten(&mut self, bytes: u64) {
        self.record.unwritten(bytes);
    }

    /// A tunnel has ended; so many octets came from the client and went to it.
    pub(in crate::proxy) fn tunnelled(&mut self, octets: (u64, u64)) {
        self.record.line.octets_in = Some(octets.0);
        self.record.octets_out(octets.1);
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if self.octets() != Some(0) {
            self.record.aborted();
        }
    }
}
