//! A client's connection as HTTP/1 sees it: the stream cut into heads and bodies, and what waits to be written.

use core::mem::MaybeUninit;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::Instant;

use super::answer_writer::write_interim;
use super::output::Output;
use super::socket::End;
use super::stream::Stream;
use crate::matcher::Body;
use crate::proxy::exchange::Piece;
use crate::proxy::fault::RequestFault;
use crate::proxy::http1::{Chunked, Fields, Head, HeadEnd, Then, head_end};
use crate::proxy::limits::{
    DRAIN_OCTETS_MAX, FINISHED_STALL_MAX, HEAD_OCTETS_MAX, HEAD_READ_OCTETS, Limits, READ_OCTETS, UNREAD_OCTETS_MAX,
    read_octets,
};
use crate::proxy::timer::{Alarm, Timer};

/// A client's connection.
#[derive(Debug)]
pub(in crate::proxy) struct Wire {
    pub(super) stream: Stream,
    limits: Limits,
    pub(super) input: BytesMut,
    /// Octets at the front of `input` in which no head ends.
    scanned: usize,
    phase: Phase,
    body: Incoming,
    /// The client waits for leave to send its body.
    awaits_continue: bool,
    /// Whether the client knows interim answers: HTTP/1.0 does not.
    knows_interim: bool,
    pub(super) output: Output,
    alarm: Alarm,
    write_timer: Timer,
    presence: Presence,
}

/// What the client is waited for, and since when. A time lives only as long as what it measures.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// A request: nothing of one has come since the answer before, or the connection, began this wait. Empty lines before
    /// a request are nothing (RFC 9112 2.2).
    Idle(Instant),
    /// The rest of a head, whose first byte came then.
    Head(Instant),
    /// A request is being answered: its body has timers of its own.
    Request,
}

/// What is left of a request's body.
#[derive(Debug)]
enum Incoming {
    Nothing,
    Octets(u64),
    Chunked(Chunked),
    /// Its end cannot be found any more.
    Broken,
}

/// Whether the client is there, while nobody reads what it sends.
#[derive(Debug, Default)]
struct Presence {
    /// It has left within its request.
    left: bool,
    /// A read waits: it hears of the end.
    reading: bool,
    /// The rest of its body has come, although it sends nothing more; where that is known.
    has_sent_all: Option<bool>,
    /// For one of which that is not known.
    timer: Timer,
}

impl Wire {
    pub(super) fn new(stream: Stream, limits: Limits) -> Self {
        Self {
            stream,
            limits,
            input: BytesMut::new(),
            scanned: 0,
            phase: Phase::Idle(Instant::now()),
            body: Incoming::Nothing,
            awaits_continue: false,
            knows_interim: false,
            output: Output::default(),
            alarm: Alarm::default(),
            write_timer: Timer::default(),
            presence: Presence::default(),
        }
    }

    /// From now on closing it tells the client that something is missing: a reset instead of an end.
    pub(super) fn reset_on_close(&self) {
        self.stream.reset_on_close();
    }

    /// Whether nothing of another request has come. Half an empty line is nothing of one.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.input.as_ref(), b"" | b"\r")
    }

    /// Whether the next octet to come is the first of a request.
    pub(super) fn is_in_step(&self) -> bool {
        matches!(self.body, Incoming::Nothing)
    }

    /// Whether all that the client sent has been taken.
    pub(super) fn is_spent(&self) -> bool {
        self.is_in_step() && self.input.is_empty()
    }

    /// Puts an interim answer; it goes out before the final one.
    pub(in crate::proxy) fn interim(&mut self, status: u16, fields: &Fields) {
        if self.knows_interim {
            write_interim(self.output.front(), status, fields);
        }
    }

    /// Whether what is left of the request's body can be read quickly, so that another request may follow.
    pub(super) fn may_get_in_step(&self) -> bool {
        match &self.body {
            Incoming::Nothing => true,
            // Reading would ask a client that waits for leave to send it.
            _ if self.awaits_continue => false,
            Incoming::Octets(left) => *left <= DRAIN_OCTETS_MAX,
            Incoming::Chunked(_) => true,
            Incoming::Broken => false,
        }
    }

    /// Whether some of a body has come without leave.
    pub(in crate::proxy) fn has_begun(&self) -> bool {
        !self.is_in_step() && !self.input.is_empty()
    }

    /// An answer has ended.
    pub(super) fn rest(&mut self) {
        self.phase = Phase::Idle(Instant::now());
    }

    /// The next head; Ready(None) where none comes any more.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Option<Head>> {
        loop {
            if let Some(head) = self.take_head() {
                self.accept(&head);
                return Poll::Ready(Some(head));
            }
            if !self.is_idle() && matches!(self.phase, Phase::Idle(_)) {
                self.phase = Phase::Head(Instant::now());
            }
            match self.poll_fill(HEAD_READ_OCTETS, cx) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        if self.input.is_empty() {
            // Thousands of connections wait here: they hold no memory meanwhile.
            self.input = BytesMut::new();
            self.output.release();
        }
        let deadline = match self.phase {
            Phase::Idle(since) => since + self.limits.client_idle_max,
            Phase::Head(since) => since + self.limits.head_time_max,
            // Nobody waits for a head before the answer has ended.
            Phase::Request => return Poll::Ready(None),
        };
        ready!(self.alarm.poll(deadline, cx));
        if matches!(self.phase, Phase::Idle(_)) {
            return Poll::Ready(None);
        }
        let late = Head::refused(RequestFault::HeadTimeout);
        self.accept(&late);
        Poll::Ready(Some(late))
    }

    /// Takes a head off the input, if one is complete or can no longer become one.
    fn take_head(&mut self) -> Option<Head> {
        while self.input.starts_with(b"\r\n") {
            self.input.advance(2);
        }
        let head = match head_end(&self.input, self.scanned) {
            HeadEnd::At(end) if end <= HEAD_OCTETS_MAX => Head::parse(&self.input.split_to(end).freeze()),
            HeadEnd::Malformed => Head::refused(RequestFault::Malformed),
            HeadEnd::Unseen if self.input.len() <= HEAD_OCTETS_MAX => {
                self.scanned = self.input.len();
                return None;
            }
            HeadEnd::At(_) | HeadEnd::Unseen => Head::refused(RequestFault::HeadTooLarge),
        };
        Some(head)
    }

    fn accept(&mut self, head: &Head) {
        self.body = match (head.fault, head.body) {
            (Some(_), _) => Incoming::Broken,
            (None, Body::None) => Incoming::Nothing,
            (None, Body::Octets(octets)) => Incoming::Octets(octets),
            (None, Body::Unknown) => Incoming::Chunked(Chunked::new()),
        };
        self.awaits_continue = head.expects_continue && head.fault.is_none() && head.body != Body::None;
        self.knows_interim = head.minor >= 1;
        self.scanned = 0;
        self.phase = Phase::Request;
        self.presence = Presence::default();
    }

    /// The next part of the request's body. A client that waits for leave gets it. Of one that leaves within its body
    /// nothing comes any more: see [`Self::poll_gone`].
    pub(in crate::proxy) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, RequestFault>>> {
        loop {
            match self.take_piece() {
                Ok(Taken::Piece(piece)) => return Poll::Ready(Some(Ok(piece))),
                Ok(Taken::End) => return Poll::Ready(None),
                Ok(Taken::More) => {}
                Err(fault) => return Poll::Ready(Some(Err(fault))),
            }
            if core::mem::take(&mut self.awaits_continue) {
                self.output.front().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
            }
            // Whoever cannot be written to will not be read from either.
            drop(self.poll_write(cx));
            let filled = self.poll_fill(self.body_octets(), cx);
            self.presence.reading = filled.is_pending();
            self.presence.timer.stop();
            if !matches!(ready!(filled), Ok(1..)) {
                self.presence.left = true;
                return Poll::Pending;
            }
        }
    }

    /// How much of a body is read at once.
    fn body_octets(&self) -> usize {
        if let Incoming::Octets(left) = self.body { read_octets(left) } else { READ_OCTETS }
    }

    /// Reads and drops what has come of the request's body, which nobody wants.
    pub(super) fn discard(&mut self, cx: &mut Context<'_>) {
        while !self.is_in_step() {
            match self.take_piece() {
                Ok(Taken::Piece(_)) => continue,
                Ok(Taken::End) => return,
                Ok(Taken::More) => {}
                Err(_) => self.input.clear(),
            }
            match self.poll_fill(self.body_octets(), cx) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => self.body = Incoming::Nothing,
                Poll::Pending => return,
            }
        }
    }

    /// Whether the client has left within its request.
    pub(super) fn has_left(&self) -> bool {
        self.presence.left
    }

    fn take_piece(&mut self) -> Result<Taken, RequestFault> {
        if !self.input.is_empty() {
            // It has begun to send without leave.
            self.awaits_continue = false;
        }
        match &mut self.body {
            Incoming::Nothing => Ok(Taken::End),
            Incoming::Broken => Err(RequestFault::BodyMalformed),
            Incoming::Octets(_) | Incoming::Chunked(_) if self.input.is_empty() => Ok(Taken::More),
            Incoming::Octets(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(self.input.len());
                *left = left.saturating_sub(take as u64);
                if *left == 0 {
                    self.body = Incoming::Nothing;
                }
                Ok(Taken::Piece(Piece::Data(self.input.split_to(take).freeze())))
            }
            Incoming::Chunked(chunked) => {
                let step = chunked.step(&self.input);
                self.input.advance(step.map_or(0, |step| step.framing));
                let taken = match step.map(|step| step.then) {
                    Ok(Then::More) => Ok(Taken::More),
                    Ok(Then::Data(octets)) => Ok(Taken::Piece(Piece::Data(self.input.split_to(octets).freeze()))),
                    Ok(Then::End) => chunked.take_trailers().map(|trailers| {
                        self.body = Incoming::Nothing;
                        if trailers.is_empty() { Taken::End } else { Taken::Piece(Piece::Trailers(trailers)) }
                    }),
                    Err(malformed) => Err(malformed),
                };
                taken.map_err(|_| {
                    self.body = Incoming::Broken;
                    RequestFault::BodyMalformed
                })
            }
        }
    }

    /// Ready where the client has left while it is answered. What it sends on is kept for later, within bounds.
    ///
    /// One that sends nothing more is taken for gone, unless it may have sent its whole request: that is carried out.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_left() {
            return Poll::Ready(());
        }
        while self.is_in_step() && self.input.len() < HEAD_OCTETS_MAX {
            let mut space = [MaybeUninit::uninit(); 512];
            let mut read = ReadBuf::uninit(&mut space);
            let polled = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read));
            if polled.is_err() || read.filled().is_empty() {
                return Poll::Ready(());
            }
            self.input.extend_from_slice(read.filled());
        }
        if core::mem::take(&mut self.presence.reading) {
            return Poll::Pending;
        }
        match ready!(self.stream.poll_end(cx)) {
            End::Gone => Poll::Ready(()),
            End::Finished if self.is_in_step() => Poll::Ready(()),
            End::Finished => self.poll_finished(cx),
        }
    }

    /// The client sends nothing more, and its body was not read to the end: ready where it is not complete, or its
    /// upstream takes nothing of it for so long that nobody waits for the answer.
    fn poll_finished(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let has_sent_all = match self.presence.has_sent_all {
            None => self.has_sent_all(),
            known => known,
        };
        self.presence.has_sent_all = has_sent_all;
        match has_sent_all {
            Some(false) => Poll::Ready(()),
            Some(true) => Poll::Pending,
            None => self.presence.timer.poll(FINISHED_STALL_MAX, cx),
        }
    }

    /// Whether the rest of the body has come, where that is known without reading it.
    fn has_sent_all(&self) -> Option<bool> {
        let Incoming::Octets(left) = self.body else { return None };
        let missing = left.saturating_sub(self.input.len() as u64);
        let most = usize::try_from(missing).unwrap_or(usize::MAX).min(UNREAD_OCTETS_MAX);
        let unread = self.stream.unread(most)?;
        if unread < most { Some(false) } else { (unread as u64 == missing).then_some(true) }
    }

    /// Writes what waits. A write that waits for the client does not wait for ever.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.output.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let before = self.output.written();
        let written = self.output.poll_write(&mut self.stream, cx);
        if written.is_ready() || self.output.written() > before {
            // Whoever takes a little of a long piece takes something.
            self.write_timer.stop();
        }
        if written.is_ready() {
            return written;
        }
        ready!(self.write_timer.poll(self.limits.client_write_idle_max, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reads more; 0 at the end of the stream.
    pub(super) fn poll_fill(&mut self, octets: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.reserve(octets);
        pin!(self.stream.read_buf(&mut self.input)).poll(cx)
    }
}

enum Taken {
    Piece(Piece),
    End,
    More,
}
