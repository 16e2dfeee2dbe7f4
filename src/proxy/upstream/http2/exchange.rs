//! One request and the head of its answer on a stream.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::BytesMut;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use http::Response;
use tokio::time::Instant;

use super::relay::Relay;
use super::request::request;
use super::sender::Sender;
use super::sessions::Place;
use crate::matcher::Refusal;
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::http1::{Framing, ResponseHead};
use crate::proxy::http2::from_headers;
use crate::proxy::limits::{INTERIM_MAX, RESPONSE_LINES_MAX};
use crate::proxy::timer::Timer;
use crate::proxy::upstream::failure::Failure;
use crate::proxy::upstream::health::InFlight;
use crate::proxy::upstream::target::Timers;
use crate::proxy::upstream::{Asked, Upload};

/// A request that got no answer.
pub(in crate::proxy::upstream) struct Refused {
    pub(in crate::proxy::upstream) failure: Failure,
    /// The request's body, where nothing of it was taken.
    pub(in crate::proxy::upstream) upload: Option<Upload>,
    /// Octets of the body that were taken.
    pub(in crate::proxy::upstream) taken: u64,
    /// The server says that it did nothing about it: it may be sent again, whatever it is.
    pub(in crate::proxy::upstream) unprocessed: bool,
}

/// What is sent, and how.
pub(in crate::proxy::upstream) struct Sending<'r> {
    /// As HTTP/1 would have it.
    pub(in crate::proxy::upstream) head: BytesMut,
    pub(in crate::proxy::upstream) is_tls: bool,
    pub(in crate::proxy::upstream) asked: Asked<'r>,
    pub(in crate::proxy::upstream) timers: Timers,
    pub(in crate::proxy::upstream) deadline: Option<Instant>,
}

/// A request that is sent while its answer is waited for.
struct Exchange {
    place: Place,
    in_flight: InFlight,
    response: ResponseFuture,
    sender: Sender,
    timers: Timers,
    timer: Timer,
    interim: u32,
}

/// Sends a request and waits for the head of the answer.
pub(in crate::proxy::upstream) async fn send(
    place: Place,
    in_flight: InFlight,
    sending: Sending<'_>,
    upload: Option<Upload>,
) -> Result<(ResponseHead, Relay), Box<Refused>> {
    let Sending { head, is_tls, asked, timers, deadline } = sending;
    let Some(request) = request(&head.freeze(), is_tls) else {
        let failure = Failure::new(Refusal::TargetUnsafe).peer(place.session.peer);
        return Err(Box::new(Refused { failure, upload, taken: 0, unprocessed: false }));
    };
    let mut handle = place.session.sender.clone();
    let sent = match poll_fn(|cx| handle.poll_ready(cx)).await {
        Ok(()) => handle.send_request(request, upload.is_none()),
        Err(error) => Err(error),
    };
    let (response, stream) = match sent {
        Ok(sent) => sent,
        // Nothing was sent on a connection that had ended already.
        Err(error) => {
            place.session.retire();
            let failure = failure(&place, classify(&error, place.idle.is_some()), &error);
            return Err(Box::new(Refused { failure, upload, taken: 0, unprocessed: true }));
        }
    };
    let sender = Sender::new(stream, upload, timers.send);
    let mut exchange = Exchange { place, in_flight, response, sender, timers, timer: Timer::default(), interim: 0 };
    match poll_fn(|cx| exchange.poll_head(asked, cx)).await {
        Ok(response) => {
            exchange.sender.give_up_waiting();
            exchange.answer(response, asked.head_only, deadline)
        }
        Err(trouble) => Err(exchange.refused(trouble)),
    }
}

enum Trouble {
    Fault(Fault),
    Library(h2::Error),
}

impl Exchange {
    fn poll_head(&mut self, asked: Asked<'_>, cx: &mut Context<'_>) -> Poll<Result<Response<RecvStream>, Trouble>> {
        let mut sent = self.sender.poll(cx).map_err(Trouble::Fault)?.is_ready();
        while let Poll::Ready(Some(interim)) = self.response.poll_informational(cx) {
            let interim = interim.map_err(Trouble::Library)?;
            self.interim += 1;
            if self.interim > INTERIM_MAX {
                return Poll::Ready(Err(Trouble::Fault(UpstreamFault::ResponseMalformed.into())));
            }
            self.timer.stop();
            if interim.status() == 100 {
                self.sender.leave();
                sent = self.sender.poll(cx).map_err(Trouble::Fault)?.is_ready();
            } else {
                (asked.interim)(interim.status().as_u16(), &from_headers(interim.headers()));
            }
        }
        match Pin::new(&mut self.response).poll(cx) {
            Poll::Ready(response) => return Poll::Ready(response.map_err(Trouble::Library)),
            Poll::Pending => {}
        }
        // The server's time starts when it has the whole request.
        if sent && self.timer.poll(self.timers.response, cx).is_ready() {
            return Poll::Ready(Err(Trouble::Fault(UpstreamFault::ResponseTimeout.into())));
        }
        Poll::Pending
    }

    fn answer(
        self,
        response: Response<RecvStream>,
        head_only: bool,
        deadline: Option<Instant>,
    ) -> Result<(ResponseHead, Relay), Box<Refused>> {
        let (parts, stream) = response.into_parts();
        if parts.headers.len() > RESPONSE_LINES_MAX {
            return Err(self.refused(Trouble::Fault(UpstreamFault::ResponseHeadTooLarge.into())));
        }
        let fields = from_headers(&parts.headers);
        let length = fields.values("content-length").next().and_then(|value| str::from_utf8(value).ok()?.parse().ok());
        let left = if head_only { Some(0) } else { length };
        let head = ResponseHead {
            status: parts.status.as_u16(),
            fields,
            framing: Framing::None,
            persistent: true,
            keep_alive_seconds: None,
        };
        let relay = Relay::new((self.place, self.in_flight), stream, self.sender, left, self.timers.idle, deadline);
        Ok((head, relay))
    }

    #[expect(clippy::unnecessary_box_returns, reason = "it is the error of a result that is mostly an answer")]
    fn refused(self, trouble: Trouble) -> Box<Refused> {
        let (failure, unprocessed) = match trouble {
            Trouble::Fault(fault) => (Failure::new(fault).peer(self.place.session.peer), false),
            Trouble::Library(error) => {
                let unprocessed = is_unprocessed(&error);
                if error.is_go_away() || error.is_io() {
                    self.place.session.retire();
                }
                (failure(&self.place, classify(&error, self.place.idle.is_some()), &error), unprocessed)
            }
        };
        let taken = self.sender.rest.taken;
        Box::new(Refused { failure, upload: self.sender.rest.into_upload(), taken, unprocessed })
    }
}

/// RFC 9113 8.7: streams that were refused, and those above the last one of a GOAWAY.
fn is_unprocessed(error: &h2::Error) -> bool {
    let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    error.is_remote() && (is_refused || error.is_go_away())
}

/// What an error of the library means for a request without an answer.
fn classify(error: &h2::Error, is_reused: bool) -> UpstreamFault {
    match () {
        () if error.is_remote() && error.is_reset() => UpstreamFault::Http2Reset,
        () if error.is_remote() && error.is_go_away() => UpstreamFault::Http2GoAway,
        () if error.is_io() && is_reused => UpstreamFault::ReusedConnectionClosed,
        () if error.is_io() => UpstreamFault::ClosedBeforeHeader,
        () => UpstreamFault::ResponseMalformed,
    }
}

fn failure(place: &Place, fault: UpstreamFault, error: &h2::Error) -> Failure {
    let mut failure = Failure::new(fault).detail(error.to_string()).peer(place.session.peer);
    failure.reused = place.idle.map(|idle| (place.session.born.elapsed(), idle));
    failure
}
