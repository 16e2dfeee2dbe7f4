//! The body of an answer on a stream, on its way to the client.

use core::net::SocketAddr;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use h2::RecvStream;
use tokio::time::Instant;

use super::sender::Sender;
use super::sessions::Place;
use crate::proxy::exchange::Piece;
use crate::proxy::fault::{Fault, Phase, UpstreamFault};
use crate::proxy::http2::{Inflow, from_headers};
use crate::proxy::hygiene::may_trail;
use crate::proxy::timer::{Alarm, Timer};
use crate::proxy::upstream::failure::Failure;
use crate::proxy::upstream::health::InFlight;

/// Reads an answer's body, and sends what is left of the request's meanwhile.
pub(in crate::proxy) struct Relay {
    /// None once the answer has ended.
    open: Option<Open>,
    /// What is left, where the server said so.
    left: Option<u64>,
    /// Octets that have come, the head among them.
    received: u64,
    /// When the last of them came.
    since: Instant,
    idle: Duration,
    timer: Timer,
    peer: SocketAddr,
    /// When the whole request must have ended.
    deadline: Option<(Instant, Alarm)>,
    /// What was wrong with the request's body while nobody took the answer's.
    fault: Option<Fault>,
}

struct Open {
    stream: Inflow,
    sender: Sender,
    /// All of the body but its trailers has come.
    trails: bool,
    /// Both count as long as they live.
    places: (Place, InFlight),
}

impl core::fmt::Debug for Relay {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Relay").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Relay {
    pub(super) fn new(
        places: (Place, InFlight),
        stream: RecvStream,
        sender: Sender,
        (left, received): (Option<u64>, u64),
        idle: Duration,
        deadline: Option<Instant>,
    ) -> Self {
        let peer = places.0.session.peer;
        let stream = Inflow::new(stream);
        let open = (!stream.has_ended()).then_some(Open { stream, sender, trails: false, places });
        Self {
            open,
            left,
            received,
            since: Instant::now(),
            idle,
            timer: Timer::default(),
            peer,
            deadline: deadline.map(|deadline| (deadline, Alarm::default())),
            fault: None,
        }
    }

    pub(in crate::proxy::upstream) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The octets that are left, where that is known.
    pub(in crate::proxy) fn octets(&self) -> Option<u64> {
        // Trailers may follow the last of them.
        if self.open.is_some() { self.left.filter(|left| *left > 0) } else { Some(0) }
    }

    /// The next piece; Ready(None) where the server has ended the stream.
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, Failure>>> {
        let Some(open) = &mut self.open else { return Poll::Ready(None) };
        if let Some((deadline, alarm)) = &mut self.deadline
            && alarm.poll(*deadline, cx).is_ready()
        {
            return Poll::Ready(Some(self.fail(Failure::new(UpstreamFault::RequestTimeout))));
        }
        let sent = self.fault.take().map_or_else(|| open.poll_sender(cx), |fault| Poll::Ready(Err(fault)));
        if let Poll::Ready(Err(fault)) = sent {
            return Poll::Ready(Some(self.fail(Failure::new(fault))));
        }
        let polled = open.poll(cx);
        let Poll::Ready(piece) = polled else {
            ready!(self.timer.poll(self.idle, cx));
            return Poll::Ready(Some(self.fail(Failure::new(UpstreamFault::BodyTimeout))));
        };
        self.timer.stop();
        match piece {
            Ok(Some(piece)) => {
                self.since = Instant::now();
                if let Piece::Data(data) = &piece {
                    let octets = data.len() as u64;
                    self.received += octets;
                    self.left = self.left.map(|left| left.saturating_sub(octets));
                }
                if matches!(piece, Piece::Trailers(_)) || open.stream.has_ended() {
                    self.open = None;
                }
                Poll::Ready(Some(Ok(piece)))
            }
            Ok(None) => {
                self.open = None;
                Poll::Ready(None)
            }
            Err(error) => {
                let known = open.places.0.session.ended_by().filter(|_| error.is_io());
                let (fault, detail) = known.unwrap_or_else(|| (broken_by(&error), error.to_string()));
                Poll::Ready(Some(self.fail(Failure::new(Fault::from(fault)).detail(detail))))
            }
        }
    }

    /// While the client takes nothing of the answer: what is left of the request is sent, and what comes is gathered;
    /// false where nothing more is sent.
    pub(in crate::proxy::upstream) fn poll_beside(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(open) = self.open.as_mut().filter(|_| self.fault.is_none()) else { return false };
        open.stream.gather(cx);
        let sent = open.poll_sender(cx);
        // A server that waits until its answer is read takes nothing meanwhile.
        open.sender.pause();
        if let Poll::Ready(Err(fault)) = sent {
            self.fault = Some(fault);
        }
        sent.is_pending()
    }

    fn fail(&mut self, failure: Failure) -> Result<Piece, Failure> {
        let mut failure = failure.peer(self.peer).elapsed(self.since.elapsed());
        if matches!(failure.fault, Fault::Upstream(_)) && failure.phase != Phase::Send {
            failure.phase = Phase::Answer;
        }
        failure.received = self.received;
        // The server learns of it: what is dropped is reset.
        if let Some(open) = self.open.take() {
            failure.sent = open.sender.sent;
            failure.reused = open.places.0.reused();
        }
        self.left = None;
        Err(failure)
    }
}

/// What an error of the library means within an answer.
fn broken_by(error: &h2::Error) -> UpstreamFault {
    match () {
        () if error.is_reset() && error.is_remote() => UpstreamFault::Http2Reset,
        () if error.is_reset() => UpstreamFault::BodyMalformed,
        () => UpstreamFault::BodyTruncated,
    }
}

impl Open {
    fn poll_sender(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let sent = self.sender.poll(cx);
        self.places.0.waits_for_room(self.sender.is_full());
        sent
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Piece>, h2::Error>> {
        while !self.trails {
            match ready!(self.stream.poll_data(cx)).transpose()? {
                Some(data) => return Poll::Ready(Ok(Some(Piece::Data(data)))),
                None => self.trails = true,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx))?;
        Poll::Ready(Ok(trailers.and_then(|trailers| {
            let mut fields = from_headers(&trailers);
            fields.retain(|name, _| may_trail(name));
            (!fields.is_empty()).then_some(Piece::Trailers(fields))
        })))
    }
}
