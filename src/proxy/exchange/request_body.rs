//! The body of a request, as it comes from a client.

use core::cell::RefCell;
use core::task::{Context, Poll};
use std::rc::Rc;

use bytes::Bytes;

use crate::proxy::client::{Http2Body, Respond, Wire};
use crate::proxy::fault::RequestFault;
use crate::proxy::http1::Fields;

/// A part of a body.
#[derive(Debug)]
pub(in crate::proxy) enum Piece {
    /// Octets; never none.
    Data(Bytes),
    /// Fields behind the last octet.
    Trailers(Fields),
}

/// Where the body of a request comes from.
#[derive(Debug)]
pub(in crate::proxy) enum RequestBody {
    Http1(Rc<RefCell<Wire>>),
    Http2(Box<Http2Body>),
}

impl RequestBody {
    /// Where interim answers go: to the client that the body comes from.
    pub(super) fn interim(&self) -> Interim {
        match self {
            Self::Http1(wire) => Interim::Http1(Rc::clone(wire)),
            Self::Http2(body) => Interim::Http2(body.respond()),
        }
    }

    /// Whether some of it has come already.
    pub(super) fn has_begun(&self) -> bool {
        match self {
            Self::Http1(wire) => wire.borrow().has_begun(),
            Self::Http2(body) => body.has_ended(),
        }
    }

    /// The next part; Ready(None) where the body has ended as its framing says.
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, RequestFault>>> {
        match self {
            Self::Http1(wire) => wire.borrow_mut().poll_piece(cx),
            Self::Http2(body) => body.poll_piece(cx),
        }
    }
}

/// Where interim answers of a request go.
#[derive(Debug)]
pub(super) enum Interim {
    Http1(Rc<RefCell<Wire>>),
    Http2(Respond),
}

impl Interim {
    pub(super) fn send(&self, status: u16, fields: &Fields) {
        match self {
            Self::Http1(wire) => wire.borrow_mut().interim(status, fields),
            Self::Http2(respond) => respond.interim(status, fields),
        }
    }
}
