//! The body of a request on its stream.

use core::cell::RefCell;
use core::task::{Context, Poll, ready};
use std::rc::{Rc, Weak};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::{Response, StatusCode};

use crate::proxy::exchange::Piece;
use crate::proxy::fault::RequestFault;
use crate::proxy::http1::Fields;
use crate::proxy::http2::{Inflow, from_headers, to_headers};

/// Where the answer to a request goes.
#[derive(Clone)]
pub(in crate::proxy) struct Respond(Rc<RefCell<SendResponse<Bytes>>>);

impl core::fmt::Debug for Respond {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Respond")
    }
}

impl Respond {
    pub(super) fn new(respond: SendResponse<Bytes>) -> Self {
        Self(Rc::new(RefCell::new(respond)))
    }

    /// Hands an interim answer on. Where the stream has ended nobody waits for it.
    pub(in crate::proxy) fn interim(&self, status: u16, fields: &Fields) {
        let mut interim = Response::new(());
        let Ok(status) = StatusCode::from_u16(status) else { return };
        *interim.status_mut() = status;
        *interim.headers_mut() = to_headers(fields.iter());
        drop(self.0.borrow_mut().send_informational(interim));
    }

    /// Begins the answer; None where the stream has ended.
    pub(super) fn answer(&self, response: Response<()>, ends: bool) -> Option<SendStream<Bytes>> {
        self.0.borrow_mut().send_response(response, ends).ok()
    }

    pub(super) fn reset(&self, reason: Reason) {
        self.0.borrow_mut().send_reset(reason);
    }

    /// Ready where the client has given the request up.
    pub(super) fn poll_reset(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.borrow_mut().poll_reset(cx).map(drop)
    }
}

/// What is left of a request's body. What is taken of it may be sent anew by the client, no more.
pub(in crate::proxy) struct Body {
    inflow: Rc<RefCell<Inflow>>,
    respond: Respond,
    /// The client waits for leave to send.
    awaits_continue: bool,
    at: At,
}

#[derive(Clone, Copy, Debug)]
enum At {
    Data,
    Trailers,
    End,
}

impl core::fmt::Debug for Body {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Body").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Body {
    pub(super) fn new(inflow: Inflow, respond: Respond, awaits_continue: bool) -> Self {
        Self { inflow: Rc::new(RefCell::new(inflow)), respond, awaits_continue, at: At::Data }
    }

    /// Takes over what comes while whoever has the body cannot take it.
    pub(super) fn gatherer(&self) -> Gatherer {
        Gatherer(Rc::downgrade(&self.inflow))
    }

    /// Whether all of it has come already.
    pub(in crate::proxy) fn has_ended(&self) -> bool {
        self.inflow.borrow().has_ended()
    }

    /// Where its answer goes.
    pub(in crate::proxy) fn respond(&self) -> Respond {
        self.respond.clone()
    }

    /// The next part. A client that waits for leave gets it. Of one that leaves nothing comes any more: whoever serves
    /// its stream hears of that.
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, RequestFault>>> {
        if core::mem::take(&mut self.awaits_continue) && !self.has_ended() {
            self.respond.interim(100, &Fields::default());
        }
        let mut inflow = self.inflow.borrow_mut();
        loop {
            match self.at {
                At::Data => match ready!(inflow.poll_data(cx)) {
                    Some(Ok(data)) => return Poll::Ready(Some(Ok(Piece::Data(data)))),
                    Some(Err(error)) => return broken(&error),
                    None => self.at = At::Trailers,
                },
                At::Trailers => {
                    let trailers = ready!(inflow.poll_trailers(cx));
                    match trailers {
                        Ok(Some(trailers)) => {
                            self.at = At::End;
                            return Poll::Ready(Some(Ok(Piece::Trailers(from_headers(&trailers)))));
                        }
                        Ok(None) => self.at = At::End,
                        Err(error) => return broken(&error),
                    }
                }
                At::End => return Poll::Ready(None),
            }
        }
    }
}

/// See [`Inflow::gather`]. Whoever has the body may let go of it meanwhile.
pub(super) struct Gatherer(Weak<RefCell<Inflow>>);

impl Gatherer {
    pub(super) fn gather(&self, cx: &mut Context<'_>) {
        if let Some(inflow) = self.0.upgrade() {
            inflow.borrow_mut().gather(cx);
        }
    }
}

/// The client has reset the stream, or is gone; or what it sent is wrong.
fn broken(error: &h2::Error) -> Poll<Option<Result<Piece, RequestFault>>> {
    let has_left = error.is_remote() || error.is_io();
    if has_left { Poll::Pending } else { Poll::Ready(Some(Err(RequestFault::BodyMalformed))) }
}
