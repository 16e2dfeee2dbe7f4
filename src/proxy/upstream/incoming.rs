//! The body of an upstream's answer, whatever protocol it comes by.

use core::task::{Context, Poll};

use super::failure::Failure;
use super::{http2, relay};
use crate::proxy::exchange::Piece;

/// Reads an answer's body, and sends what is left of the request's meanwhile.
#[derive(Debug)]
pub(in crate::proxy) enum Relay {
    Http1(relay::Relay),
    Http2(Box<http2::Relay>),
}

impl Relay {
    /// The octets that are left, where that is known.
    pub(in crate::proxy) fn octets(&self) -> Option<u64> {
        match self {
            Self::Http1(relay) => relay.octets(),
            Self::Http2(relay) => relay.octets(),
        }
    }

    /// The next piece; Ready(None) where the answer is complete.
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, Failure>>> {
        match self {
            Self::Http1(relay) => relay.poll_piece(cx),
            Self::Http2(relay) => relay.poll_piece(cx),
        }
    }

    /// While the client takes nothing of the answer: what is left of the request is sent; false where nothing more is. A
    /// client may want to have sent all of it before it reads.
    pub(in crate::proxy) fn poll_beside(&mut self, cx: &mut Context<'_>) -> bool {
        match self {
            Self::Http1(relay) => relay.poll_beside(cx),
            Self::Http2(relay) => relay.poll_beside(cx),
        }
    }
}
