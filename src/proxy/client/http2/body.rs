//! The body of a request on its stream.

use core::cell::RefCell;
use core::task::{Context, Poll, ready};
use std::rc::Rc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Response, StatusCode};

use crate::proxy::exchange::Piece;
use crate::proxy::fault::RequestFault;
use crate::proxy::http1::Fields;
use crate::proxy::http2::{from_headers, to_headers};

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
    stream: RecvStream,
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
    pub(super) fn new(stream: RecvStream, respond: Respond, awaits_continue: bool) -> Self {
        Self { stream, respond, awaits_continue, at: At::Data }
    }

    /// Whether all of it has come already.
    pub(in crate::proxy) fn has_ended(&self) -> bool {
        self.stream.is_end_stream()
    }

    /// Where its answer goes.
    pub(in crate::proxy) fn respond(&self) -> Respond {
        self.respond.clone()
    }

    /// The next part. A client that waits for leave gets it.
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, RequestFault>>> {
        if core::mem::take(&mut self.awaits_continue) && !self.stream.is_end_stream() {
            self.respond.interim(100, &Fields::default());
        }
        loop {
            match self.at {
                At::Data => match ready!(self.stream.poll_data(cx)) {
                    Some(Ok(data)) => {
                        // The stream may have ended meanwhile: then nobody sends anything anew.
                        drop(self.stream.flow_control().release_capacity(data.len()));
                        if !data.is_empty() {
                            return Poll::Ready(Some(Ok(Piece::Data(data))));
                        }
                    }
                    Some(Err(_)) => return broken(),
                    None => self.at = At::Trailers,
                },
                At::Trailers => {
                    let trailers = ready!(self.stream.poll_trailers(cx));
                    match trailers {
                        Ok(Some(trailers)) => {
                            self.at = At::End;
                            return Poll::Ready(Some(Ok(Piece::Trailers(from_headers(&trailers)))));
                        }
                        Ok(None) => self.at = At::End,
                        Err(_) => return broken(),
                    }
                }
                At::End => return Poll::Ready(None),
            }
        }
    }
}

/// The client has reset the stream, or is gone.
fn broken() -> Poll<Option<Result<Piece, RequestFault>>> {
    Poll::Ready(Some(Err(RequestFault::BodyMalformed)))
}
