//! One request and the head of its answer on a stream.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::BytesMut;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Response};
use tokio::time::Instant;

use super::relay::Relay;
use super::request::request;
use super::sender::Sender;
use super::sessions::{Place, closed};
use crate::matcher::Refusal;
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::http1::{Framing, ResponseHead};
use crate::proxy::http2::from_headers;
use crate::proxy::hygiene::clean_interim;
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
    /// The connection, which others had used before, ended, or has too many of them: another one may do.
    pub(in crate::proxy::upstream) raced: bool,
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
    /// Octets of heads that have come.
    received: u64,
    /// All of the request is sent.
    sent: bool,
    /// When the phase began that it is in.
    since: Instant,
}

/// Sends a request and waits for the head of the answer.
pub(in crate::proxy::upstream) async fn send(
    place: Place,
    in_flight: InFlight,
    sending: Sending<'_>,
    upload: Option<Upload>,
) -> Result<(ResponseHead, Relay), Box<Refused>> {
    let Sending { head, is_tls, asked, timers, deadline } = sending;
    let octets = head.len() as u64;
    let Some(request) = request(&head.freeze(), is_tls) else {
        let failure = Failure::new(Refusal::TargetUnsafe).peer(place.session.peer);
        return Err(Box::new(Refused { failure, upload, taken: 0, unprocessed: false, raced: false }));
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
            let failure = failure(&place, &error);
            return Err(Box::new(Refused { failure, upload, taken: 0, unprocessed: true, raced: false }));
        }
    };
    let sender = Sender::new(stream, octets, upload, timers.send);
    let mut exchange = Exchange {
        place,
        in_flight,
        response,
        sender,
        timers,
        timer: Timer::default(),
        interim: 0,
        received: 0,
        sent: false,
        since: Instant::now(),
    };
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
        self.poll_sender(cx)?;
        while let Poll::Ready(Some(interim)) = self.response.poll_informational(cx) {
            let interim = interim.map_err(Trouble::Library)?;
            self.interim += 1;
            self.received += octets(interim.headers());
            self.timer.stop();
            match interim.status().as_u16() {
                // HTTP/2 knows no such thing (RFC 9113 8.6), and a client of HTTP/1 would believe it.
                101 => return Poll::Ready(Err(Trouble::Fault(UpstreamFault::ResponseUpgrade.into()))),
                _ if self.interim > INTERIM_MAX => {
                    return Poll::Ready(Err(Trouble::Fault(UpstreamFault::ResponseInterim.into())));
                }
                100 => {
                    self.sender.leave();
                    self.poll_sender(cx)?;
                }
                status => {
                    let mut fields = from_headers(interim.headers());
                    clean_interim(&mut fields);
                    (asked.interim)(status, &fields);
                }
            }
        }
        match Pin::new(&mut self.response).poll(cx) {
            Poll::Ready(response) => return Poll::Ready(response.map_err(Trouble::Library)),
            Poll::Pending => {}
        }
        // The server's time starts when it has the whole request.
        if self.sent && self.timer.poll(self.timers.response, cx).is_ready() {
            return Poll::Ready(Err(Trouble::Fault(UpstreamFault::ResponseTimeout.into())));
        }
        Poll::Pending
    }

    fn poll_sender(&mut self, cx: &mut Context<'_>) -> Result<(), Trouble> {
        let sent = self.sender.poll(cx);
        self.place.waits_for_room(self.sender.is_full());
        let sent = sent.map_err(Trouble::Fault)?.is_ready();
        if sent && !core::mem::replace(&mut self.sent, sent) {
            self.since = Instant::now();
        }
        Ok(())
    }

    fn answer(
        mut self,
        response: Response<RecvStream>,
        head_only: bool,
        deadline: Option<Instant>,
    ) -> Result<(ResponseHead, Relay), Box<Refused>> {
        let (parts, stream) = response.into_parts();
        self.received += octets(&parts.headers);
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
        let come = (left, self.received);
        let relay = Relay::new((self.place, self.in_flight), stream, self.sender, come, self.timers.idle, deadline);
        Ok((head, relay))
    }

    #[expect(clippy::unnecessary_box_returns, reason = "it is the error of a result that is mostly an answer")]
    fn refused(self, trouble: Trouble) -> Box<Refused> {
        let (failure, unprocessed, raced) = match trouble {
            Trouble::Fault(fault) => (Failure::new(fault).peer(self.place.session.peer), false, false),
            Trouble::Library(error) => {
                if error.is_go_away() || error.is_io() {
                    self.place.session.retire();
                }
                let is_crowded = is_crowded(&self.place, &error);
                if is_crowded {
                    self.place.session.retire();
                }
                let raced = is_crowded || (error.is_io() && self.place.idle.is_some());
                (failure(&self.place, &error), is_unprocessed(&error), raced)
            }
        };
        let mut failure = failure.elapsed(self.since.elapsed());
        failure.reused = self.place.reused();
        (failure.sent, failure.received) = (self.sender.sent, self.received);
        let taken = self.sender.rest.taken;
        Box::new(Refused { failure, upload: self.sender.rest.into_upload(), taken, unprocessed, raced })
    }
}

/// RFC 9113 8.7: streams that were refused, and those above the last one of a GOAWAY.
fn is_unprocessed(error: &h2::Error) -> bool {
    let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    error.is_remote() && (is_refused || error.is_go_away())
}

/// Whether the server takes no more on this connection because of the others on it: Node counts what their clients do not
/// read.
fn is_crowded(place: &Place, error: &h2::Error) -> bool {
    let is_calmed = error.is_reset() && error.is_remote() && error.reason() == Some(Reason::ENHANCE_YOUR_CALM);
    is_calmed && place.session.is_shared()
}

/// Octets of a head as they would stand in HTTP/1, or nearly.
fn octets(headers: &HeaderMap) -> u64 {
    const STATUS: usize = ":status200".len();
    headers.iter().fold(STATUS, |octets, (name, value)| octets + name.as_str().len() + value.len()) as u64
}

/// What an error of the library means for a request without an answer; `idled` where the connection had nothing to do
/// before.
pub(in crate::proxy) fn classify(error: &h2::Error, idled: bool) -> UpstreamFault {
    match () {
        () if error.is_remote() && error.is_reset() => UpstreamFault::Http2Reset,
        () if error.is_remote() && error.is_go_away() => UpstreamFault::Http2GoAway,
        () if error.is_io() && idled => UpstreamFault::ReusedConnectionClosed,
        () if error.is_io() => closed(error),
        () => UpstreamFault::ResponseMalformed,
    }
}

fn failure(place: &Place, error: &h2::Error) -> Failure {
    let known = place.session.ended_by().filter(|_| error.is_io());
    let idled = place.idle.is_some_and(|idle| !idle.is_zero());
    let (fault, detail) = known.unwrap_or_else(|| (classify(error, idled), error.to_string()));
    let mut failure = Failure::new(fault).detail(detail).peer(place.session.peer);
    failure.reused = place.reused();
    failure
}
