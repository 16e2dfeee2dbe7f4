//! Stands between a client's socket and hyper, so that hyper sees nothing that could be read in two ways.
//!
//! It cuts the stream into heads and bodies itself. A head is put on the [`Desk`], whence the answering side takes
//! it; hyper gets one in its place that holds framing and persistence only. Bodies pass through, chunked ones checked
//! octet for octet. A head that is refused is answered like any other request, and nothing after it is read.

use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::rc::Rc;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::desk::Desk;
use super::head::Head;
use crate::matcher::Body;
use crate::proxy::chunked::{Chunked, Then, is_token};
use crate::proxy::fault::RequestFault;
use crate::proxy::limits::{HEAD_OCTETS_MAX, Limits, READ_OCTETS};

/// A client's socket, guarded.
#[derive(Debug)]
pub(super) struct Guard<S> {
    socket: S,
    desk: Rc<Desk>,
    limits: Limits,
    buffer: BytesMut,
    /// A head that hyper has not taken yet.
    replaced: BytesMut,
    state: State,
    head_since: Option<Instant>,
    /// Octets at the front of `buffer` in which no head ends.
    scanned: usize,
    timer: Option<Pin<Box<Sleep>>>,
    write_timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug)]
enum State {
    Head,
    Octets(u64),
    Chunked(Chunked),
    /// Nothing more is read.
    Ended,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    pub(super) fn new(socket: S, desk: Rc<Desk>, limits: Limits) -> Self {
        Self {
            socket,
            desk,
            limits,
            buffer: BytesMut::new(),
            replaced: BytesMut::new(),
            state: State::Head,
            head_since: None,
            scanned: 0,
            timer: None,
            write_timer: None,
        }
    }

    /// The socket, and whether the client may still be sending.
    pub(super) fn into_socket(self) -> (S, bool) {
        let between_requests = matches!(self.state, State::Head) && self.buffer.is_empty();
        (self.socket, !between_requests)
    }

    /// Reads more; false at the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.buffer.reserve(READ_OCTETS);
        let read = ready!(pin!(self.socket.read_buf(&mut self.buffer)).poll(cx))?;
        Poll::Ready(Ok(read > 0))
    }

    /// Takes a head off the buffer, if one is complete or can no longer become one.
    fn take_head(&mut self) {
        while self.buffer.starts_with(b"\r\n") {
            self.buffer.advance(2);
        }
        let head = match find_end(&self.buffer, self.scanned) {
            Found::End(end) if end <= HEAD_OCTETS_MAX => Head::parse(&self.buffer.split_to(end).freeze()),
            Found::Malformed => Head::refused(RequestFault::Malformed),
            Found::Nothing if self.buffer.len() <= HEAD_OCTETS_MAX => {
                self.scanned = self.buffer.len();
                return;
            }
            Found::End(_) | Found::Nothing => Head::refused(RequestFault::HeadTooLarge),
        };
        self.accept(head);
    }

    fn accept(&mut self, head: Head) {
        self.state = match (head.fault, head.body) {
            (Some(_), _) => State::Ended,
            (None, Body::None) => State::Head,
            (None, Body::Octets(octets)) => State::Octets(octets),
            (None, Body::Unknown) => State::Chunked(Chunked::new()),
        };
        self.scanned = 0;
        self.head_since = None;
        self.replaced.extend_from_slice(&head.for_hyper());
        self.desk.put(head);
    }

    /// Waits for a head. Ready(true) where there is one, Ready(false) where the stream has ended.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            self.take_head();
            if !self.replaced.is_empty() {
                return Poll::Ready(Ok(true));
            }
            if let Poll::Ready(more) = self.poll_fill(cx)? {
                if !more {
                    return Poll::Ready(Ok(false));
                }
                self.head_since = self.head_since.or_else(|| Some(Instant::now()));
                continue;
            }
            if !ready!(self.poll_patience(cx)) {
                return Poll::Ready(Ok(false));
            }
        }
    }

    /// Ready when the client has taken too long: true where that is answered, false where the connection just ends.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            let (now, deadline) = (Instant::now(), self.deadline());
            if deadline <= now {
                break;
            }
            // One that rings too early is wound again: that is cheaper than winding it for every request.
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if timer.is_elapsed() || timer.deadline() > deadline {
                timer.as_mut().reset(deadline);
            }
            ready!(timer.as_mut().poll(cx));
        }
        if self.head_since.is_some() {
            self.accept(Head::refused(RequestFault::HeadTimeout));
        }
        Poll::Ready(!self.replaced.is_empty())
    }

    /// While an answer is on its way nobody is idle, and nobody tells the guard when it has ended: it looks again.
    fn deadline(&self) -> Instant {
        match self.head_since {
            Some(since) => since + self.limits.head_time_max,
            None if self.desk.is_busy() => Instant::now() + self.limits.client_idle_max,
            None => self.desk.idle_since() + self.limits.client_idle_max,
        }
    }

    /// Waits for octets of the body in the buffer and says how many of them may pass.
    fn poll_body(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        if self.buffer.is_empty() && !ready!(self.poll_fill(cx))? {
            return Poll::Ready(Ok(0));
        }
        let window = self.buffer.get(..room.min(self.buffer.len())).unwrap_or_default();
        match &mut self.state {
            State::Head | State::Ended => Poll::Ready(Ok(0)),
            State::Octets(left) => {
                let pass = usize::try_from(*left).unwrap_or(usize::MAX).min(window.len());
                *left = left.saturating_sub(pass as u64);
                if *left == 0 {
                    self.state = State::Head;
                }
                Poll::Ready(Ok(pass))
            }
            State::Chunked(chunked) => {
                let Ok(step) = chunked.step(window) else {
                    self.state = State::Ended;
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "malformed chunked body")));
                };
                let data = if let Then::Data(octets) = step.then { octets } else { 0 };
                if step.then == Then::End {
                    self.state = State::Head;
                }
                Poll::Ready(Ok(step.framing + data))
            }
        }
    }
}

enum Found {
    End(usize),
    Nothing,
    Malformed,
}

/// Where the head at the front of `buffer` ends; no line of it may end in a bare LF, and it begins with a token.
fn find_end(buffer: &[u8], scanned: usize) -> Found {
    if buffer.first().is_some_and(|&octet| !is_token(octet) && octet != b'\r') {
        return Found::Malformed;
    }
    let from = scanned.saturating_sub(3);
    let rest = buffer.get(from..).unwrap_or_default();
    for (at, _) in rest.iter().enumerate().filter(|&(_, &octet)| octet == b'\n') {
        match buffer.get(..from + at).unwrap_or_default() {
            [.., b'\r', b'\n', b'\r'] => return Found::End(from + at + 1),
            [.., b'\r'] => {}
            _ => return Found::Malformed,
        }
    }
    Found::Nothing
}

/// Ready once `deadline` has passed.
fn poll_deadline(timer: &mut Option<Pin<Box<Sleep>>>, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
    if timer.deadline() != deadline {
        timer.as_mut().reset(deadline);
    }
    timer.as_mut().poll(cx)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        if guard.replaced.is_empty() {
            match guard.state {
                // hyper takes an end of the stream for the client's leaving, and drops the answer.
                State::Ended => return Poll::Pending,
                State::Head => {
                    if !ready!(guard.poll_head(cx))? {
                        return Poll::Ready(Ok(()));
                    }
                }
                State::Octets(_) | State::Chunked(_) => {
                    let pass = ready!(guard.poll_body(cx, out.remaining()))?;
                    out.put_slice(guard.buffer.get(..pass).unwrap_or_default());
                    guard.buffer.advance(pass);
                    return Poll::Ready(Ok(()));
                }
            }
        }
        let pass = guard.replaced.len().min(out.remaining());
        out.put_slice(&guard.replaced.split_to(pass));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    /// A write that waits for the client must not wait for ever.
    fn bound<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer = None;
            return written;
        }
        let timer = &mut self.write_timer;
        let patience: Duration = self.limits.client_write_idle_max;
        let deadline = timer.as_ref().map_or_else(|| Instant::now() + patience, |timer| timer.deadline());
        ready!(poll_deadline(timer, deadline, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, octets);
        self.bound(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.bound(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        self.bound(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
