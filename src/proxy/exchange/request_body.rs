//! The body of a request, as it comes from a client.

use core::cell::RefCell;
use core::task::{Context, Poll};
use std::rc::Rc;

use bytes::Bytes;

use crate::proxy::client::Wire;
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
}

impl RequestBody {
    /// Hands interim answers to the client that the body comes from.
    pub(super) fn interim(&self) -> impl Fn(u16, &Fields) + use<> {
        match self {
            Self::Http1(wire) => {
                let wire = Rc::clone(wire);
                move |status, fields: &Fields| wire.borrow_mut().interim(status, fields)
            }
        }
    }

    /// Whether some of it has come already.
    pub(super) fn has_begun(&self) -> bool {
        match self {
            Self::Http1(wire) => wire.borrow().has_begun(),
        }
    }

    /// The next part; Ready(None) where the body has ended as its framing says.
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, RequestFault>>> {
        match self {
            Self::Http1(wire) => wire.borrow_mut().poll_piece(cx),
        }
    }
}
