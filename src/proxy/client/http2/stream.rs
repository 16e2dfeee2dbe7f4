//! One request and its answer on a stream.

use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll, ready};
use std::rc::Rc;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};

use super::body::{Body, Respond};
use super::request;
use crate::proxy::client::Client;
use crate::proxy::exchange::{self, AnswerBody, AnswerHead, Answered, Closed, Piece, RequestBody, is_bodiless};
use crate::proxy::http2::{Inflow, to_headers};
use crate::proxy::timer::Timer;

/// An answer that broke off. Its head and what came of it are the connection's to write before the stream is reset: a
/// reset takes back what still waits.
pub(super) struct BrokenOff {
    stream: SendStream<Bytes>,
    /// Its record is written when the stream has ended.
    _body: AnswerBody,
}

impl BrokenOff {
    /// Tells the client that the answer is not whole.
    pub(super) fn reset(mut self) {
        self.stream.send_reset(Reason::INTERNAL_ERROR);
    }
}

/// Answers the request of a stream; where the answer broke off, what is left to do.
pub(super) async fn serve(
    client: Rc<Client>,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
) -> Option<BrokenOff> {
    let (parts, stream) = request.into_parts();
    let head = request::head(&parts, stream.is_end_stream());
    drop(parts);
    let is_head = head.method() == b"HEAD";
    let respond = Respond::new(respond);
    let body = Body::new(Inflow::new(stream), respond.clone(), head.expects_continue);
    let upload = body.gatherer();
    let mut answering = pin!(exchange::answer(&client, &head, RequestBody::Http2(Box::new(body))));
    let answered = poll_fn(|cx| {
        if let Poll::Ready(answered) = answering.as_mut().poll(cx) {
            return Poll::Ready(Some(answered));
        }
        upload.gather(cx);
        // The client has given the request up: so does its upstream learn, by what is dropped here.
        respond.poll_reset(cx).map(|()| None)
    });
    let Answered { head, mut body, .. } = match answered.await {
        Some(Ok(answered)) => answered,
        Some(Err(Closed)) => {
            respond.reset(Reason::INTERNAL_ERROR);
            return None;
        }
        None => return None,
    };
    let has_body = !is_head && !is_bodiless(head.status) && body.octets() != Some(0);
    let response = response(&client, &head, &body, is_head);
    // Where the stream has ended the client has given up.
    let mut stream = respond.answer(response, !has_body)?;
    if !has_body {
        return None;
    }
    let mut writer = Writer { rest: Bytes::new(), is_last: false, timer: Timer::default() };
    let patience = client.limits.client_write_idle_max;
    let sent = poll_fn(|cx| {
        let sent = writer.poll(&mut stream, &mut body, patience, cx);
        upload.gather(cx);
        sent
    });
    match sent.await {
        Ok(()) => None,
        Err(Broken::Answer) => Some(BrokenOff { stream, _body: body }),
        Err(why) => {
            body.unwritten(writer.rest.len() as u64);
            body.abandoned(why == Broken::Late);
            stream.send_reset(Reason::CANCEL);
            None
        }
    }
}

fn response(client: &Client, answer: &AnswerHead, body: &AnswerBody, is_head: bool) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    *headers = to_headers(answer.fields.iter());
    // Without a body it is said how long it would have been.
    let keeps_length = answer.status == 304 || (is_head && !is_bodiless(answer.status));
    if !keeps_length {
        headers.remove(header::CONTENT_LENGTH);
        if let Some(octets) = body.octets().filter(|_| !is_bodiless(answer.status)) {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(octets));
        }
    }
    if !headers.contains_key(header::DATE) {
        let date = client.worker.date();
        headers.extend(HeaderValue::from_bytes(date.as_bytes()).map(|date| (HeaderName::from_static("date"), date)));
    }
    response
}

/// Why an answer is not sent to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// It broke off itself.
    Answer,
    /// The client has given it up.
    Left,
    /// The client takes nothing.
    Late,
}

/// Sends a body, as much of it as the client has room for.
struct Writer {
    rest: Bytes,
    /// Nothing follows `rest`.
    is_last: bool,
    timer: Timer,
}

impl Writer {
    /// Ready once all is sent, or with why it is not.
    fn poll(
        &mut self,
        stream: &mut SendStream<Bytes>,
        body: &mut AnswerBody,
        patience: core::time::Duration,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        if stream.poll_reset(cx).is_ready() {
            return Poll::Ready(Err(Broken::Left));
        }
        loop {
            if !self.rest.is_empty() {
                let room = match self.poll_room(stream, cx) {
                    Poll::Ready(room) => room?,
                    Poll::Pending => {
                        body.poll_beside(cx);
                        // A client that takes nothing does not keep what an upstream sends for ever.
                        ready!(self.timer.poll(patience, cx));
                        return Poll::Ready(Err(Broken::Late));
                    }
                };
                self.timer.stop();
                let part = self.rest.split_to(room.min(self.rest.len()));
                let is_last = self.is_last && self.rest.is_empty();
                stream.send_data(part, is_last).map_err(|_| Broken::Left)?;
                if is_last {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            match ready!(body.poll_piece(cx)) {
                Some(Ok(Piece::Data(data))) => {
                    self.rest = data;
                    self.is_last = body.octets() == Some(0);
                }
                Some(Ok(Piece::Trailers(trailers))) => {
                    return Poll::Ready(stream.send_trailers(to_headers(trailers.iter())).map_err(|_| Broken::Left));
                }
                None => return Poll::Ready(stream.send_data(Bytes::new(), true).map_err(|_| Broken::Left)),
                Some(Err(_)) => return Poll::Ready(Err(Broken::Answer)),
            }
        }
    }

    fn poll_room(&self, stream: &mut SendStream<Bytes>, cx: &mut Context<'_>) -> Poll<Result<usize, Broken>> {
        stream.reserve_capacity(self.rest.len());
        loop {
            match ready!(stream.poll_capacity(cx)) {
                Some(Ok(0)) => {}
                Some(Ok(room)) => return Poll::Ready(Ok(room)),
                Some(Err(_)) | None => return Poll::Ready(Err(Broken::Left)),
            }
        }
    }
}
