//! A client's connection below HTTP/2: frames are counted and looked at before the library answers them.
//!
//! The library answers PING, SETTINGS and PRIORITY for ever, and takes some header blocks that must not be taken.

use core::cell::Cell;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::rc::Rc;

use h2::Reason;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::hpack::Blocks;
use crate::proxy::http2::Turn;
use crate::proxy::limits::{HTTP2_BLOCK_OCTETS_MAX, HTTP2_CONTROL_FRAMES_MAX, HTTP2_CONTROL_SPAN, Limits};
use crate::proxy::timer::{Alarm, Timer};

const PREFACE: usize = 24;
const HEAD: usize = 9;

/// Frame types (RFC 9113 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// Why no more is read of a connection, once that is so.
pub(super) type Verdict = Rc<Cell<Option<Reason>>>;

/// How often all that the library had to write was written. Only of answers that break off somebody wants to know.
pub(super) type Flushes = Rc<Cell<u64>>;

/// The stream with frames looked at on their way in, and writes that do not wait for ever.
#[derive(Debug)]
pub(super) struct Guard<S> {
    stream: S,
    frames: Frames,
    verdict: Verdict,
    flushes: Flushes,
    limits: Limits,
    write_timer: Timer,
    block_alarm: Alarm,
    turn: Turn,
}

impl<S> Guard<S> {
    pub(super) fn new(stream: S, limits: Limits) -> Self {
        Self {
            stream,
            frames: Frames::new(),
            verdict: Verdict::default(),
            flushes: Flushes::default(),
            limits,
            write_timer: Timer::default(),
            block_alarm: Alarm::default(),
            turn: Turn::default(),
        }
    }

    /// Set where the client is to be cut off.
    pub(super) fn verdict(&self) -> Verdict {
        Rc::clone(&self.verdict)
    }

    /// Counts the flushes that are done.
    pub(super) fn flushes(&self) -> Flushes {
        Rc::clone(&self.flushes)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        if guard.verdict.get().is_some() {
            // The connection ends; nothing more of it is heard.
            return Poll::Pending;
        }
        ready!(guard.turn.poll(cx));
        let before = out.filled().len();
        if Pin::new(&mut guard.stream).poll_read(cx, out)?.is_pending() {
            guard.turn.has_read(None);
            ready!(guard.poll_block(cx));
            return Poll::Pending;
        }
        let read = out.filled().get(before..).unwrap_or_default();
        guard.turn.has_read(Some(read.len()));
        if let Err(reason) = guard.frames.follow(read) {
            // None of it is handed on: a block that must not be taken is not complete without it.
            out.set_filled(before);
            guard.cut(reason, cx);
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S> Guard<S> {
    /// Nothing more is read.
    fn cut(&self, reason: Reason, cx: &Context<'_>) {
        self.verdict.set(Some(reason));
        // Whoever waits for frames looks at the verdict first.
        cx.waker().wake_by_ref();
    }

    /// Ready where a header block has been coming for longer than a head may take: the client is cut off.
    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(since) = self.frames.coming else { return Poll::Pending };
        ready!(self.block_alarm.poll(since + self.limits.head_time_max, cx));
        self.cut(Reason::ENHANCE_YOUR_CALM, cx);
        Poll::Ready(())
    }
}

impl<S: AsyncWrite + Unpin> Guard<S> {
    /// A write that waits for the client must not wait for ever.
    fn bound<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer.stop();
            return written;
        }
        ready!(self.write_timer.poll(self.limits.client_write_idle_max, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, octets);
        self.bound(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.bound(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.flushes.set(self.flushes.get() + 1);
        }
        self.bound(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Follows the frames through the octets, however they are cut.
#[derive(Debug)]
struct Frames {
    /// Octets of the preface that are still to come.
    preface: usize,
    /// The part of a frame's head that has come.
    head: [u8; HEAD],
    has: usize,
    frame: Frame,
    /// Octets of its payload that are still to come.
    left: usize,
    /// The header block that is coming, where it did not come at once.
    block: Vec<u8>,
    /// Since when it has been coming: nothing else can come before it is complete.
    coming: Option<Instant>,
    blocks: Blocks,
    /// The greatest stream that a request came on.
    newest: u32,
    trailers: bool,
    since: Instant,
    control: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    kind: u8,
    flags: u8,
    length: usize,
}

impl Frames {
    fn new() -> Self {
        Self {
            preface: PREFACE,
            head: [0; HEAD],
            has: 0,
            frame: Frame::default(),
            left: 0,
            block: Vec::new(),
            coming: None,
            blocks: Blocks::default(),
            newest: 0,
            trailers: false,
            since: Instant::now(),
            control: 0,
        }
    }

    fn follow(&mut self, mut octets: &[u8]) -> Result<(), Reason> {
        let preface = self.preface.min(octets.len());
        self.preface -= preface;
        octets = octets.get(preface..).unwrap_or_default();
        while !octets.is_empty() {
            if self.left > 0 {
                let (payload, rest) = octets.split_at(self.left.min(octets.len()));
                octets = rest;
                self.left -= payload.len();
                self.payload(payload)?;
                continue;
            }
            let Some(space) = self.head.get_mut(self.has..) else { return Ok(()) };
            let take = space.len().min(octets.len());
            let (front, rest) = octets.split_at(take);
            space.iter_mut().zip(front).for_each(|(to, from)| *to = *from);
            octets = rest;
            self.has += take;
            if self.has == HEAD {
                self.has = 0;
                self.begin()?;
            }
        }
        if self.is_in_block() {
            self.coming.get_or_insert_with(Instant::now);
        } else {
            self.coming = None;
        }
        Ok(())
    }

    /// Whether a header block has begun and its last byte has not come.
    fn is_in_block(&self) -> bool {
        let Frame { kind, flags, .. } = self.frame;
        (kind == HEADERS || kind == CONTINUATION) && (self.left > 0 || flags & END_HEADERS == 0)
    }

    /// The head of a frame is complete.
    fn begin(&mut self) -> Result<(), Reason> {
        let [high, middle, low, kind, flags, stream @ ..] = self.head;
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let stream = u32::from_be_bytes(stream) & 0x7fff_ffff;
        self.frame = Frame { kind, flags, length };
        self.left = length;
        match kind {
            HEADERS => {
                // The block before was complete: this one has a time of its own.
                self.coming = None;
                self.trailers = stream <= self.newest;
                self.newest = self.newest.max(stream);
            }
            // Windows move with data, and data is paid for by its octets.
            CONTINUATION | WINDOW_UPDATE => {}
            DATA if length > 0 => {}
            _ => self.count()?,
        }
        if length == 0 { self.payload(b"") } else { Ok(()) }
    }

    /// Frames that cost us an answer or work, and the client next to nothing.
    fn count(&mut self) -> Result<(), Reason> {
        self.control += 1;
        if self.control <= HTTP2_CONTROL_FRAMES_MAX {
            return Ok(());
        }
        if self.since.elapsed() < HTTP2_CONTROL_SPAN {
            return Err(Reason::ENHANCE_YOUR_CALM);
        }
        (self.since, self.control) = (Instant::now(), 0);
        Ok(())
    }

    /// Octets of a frame's payload have come; `left` says whether more follow.
    fn payload(&mut self, payload: &[u8]) -> Result<(), Reason> {
        let Frame { kind, flags, length } = self.frame;
        if kind != HEADERS && kind != CONTINUATION {
            return Ok(());
        }
        let whole = self.left == 0;
        let is_last = flags & END_HEADERS != 0;
        if self.block.is_empty() && whole && is_last && payload.len() == length {
            return self.judge_block(fragment(kind, flags, payload));
        }
        // Kept as it comes; padding and priority of the first frame are taken off once it is whole.
        self.block.extend_from_slice(payload);
        if self.block.len() > HTTP2_BLOCK_OCTETS_MAX {
            return Err(Reason::ENHANCE_YOUR_CALM);
        }
        if whole && kind == HEADERS {
            let block = core::mem::take(&mut self.block);
            self.block = fragment(kind, flags, &block).to_vec();
        }
        if whole && is_last {
            let block = core::mem::take(&mut self.block);
            return self.judge_block(&block);
        }
        Ok(())
    }

    fn judge_block(&mut self, block: &[u8]) -> Result<(), Reason> {
        self.blocks.read(block, self.trailers).map_err(|_| Reason::PROTOCOL_ERROR)
    }
}

/// The part of a frame's payload that is of the header block.
fn fragment(kind: u8, flags: u8, mut payload: &[u8]) -> &[u8] {
    if kind != HEADERS {
        return payload;
    }
    if flags & PADDED != 0 {
        let Some((&padding, rest)) = payload.split_first() else { return payload };
        payload = rest.get(..rest.len().saturating_sub(usize::from(padding))).unwrap_or_default();
    }
    if flags & PRIORITY != 0 { payload.get(5..).unwrap_or_default() } else { payload }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).unwrap();
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    }

    fn follow(octets: &[u8], at_once: usize) -> Result<(), Reason> {
        let mut frames = Frames::new();
        let all = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], octets].concat();
        all.chunks(at_once).try_for_each(|octets| frames.follow(octets))
    }

    #[test]
    fn blocks_are_read_however_they_are_cut() {
        let plain = [b"\x04\x02/a".as_slice(), b"\x00\x01x\x01y"].concat();
        let bad = [b"\x00\x01x\x01y".as_slice(), b"\x04\x04/a#b"].concat();
        let padded = [b"\x02\0\0\0\0\x10".as_slice(), &bad, b"\0\0"].concat();
        let (front, back) = bad.split_at(7);
        for at_once in 1..64 {
            assert_eq!(follow(&frame(HEADERS, END_HEADERS, 1, &plain), at_once), Ok(()));
            let bad = [
                frame(HEADERS, END_HEADERS, 1, &bad),
                frame(HEADERS, END_HEADERS | PADDED | PRIORITY, 1, &padded),
                [frame(HEADERS, 0, 1, front), frame(CONTINUATION, END_HEADERS, 1, back)].concat(),
                [frame(HEADERS, END_HEADERS, 1, &plain), frame(HEADERS, END_HEADERS | 1, 1, &[0x84])].concat(),
            ];
            for octets in bad {
                assert_eq!(follow(&octets, at_once), Err(Reason::PROTOCOL_ERROR), "{octets:?}");
            }
        }
    }

    #[test]
    fn frames_that_cost_nothing_are_counted() {
        let (ping, data) = (frame(6, 0, 0, b"12345678"), frame(DATA, 0, 1, b"a"));
        let many = usize::try_from(HTTP2_CONTROL_FRAMES_MAX).unwrap() + 1;
        assert_eq!(follow(&data.repeat(many), 1000), Ok(()));
        assert_eq!(follow(&ping.repeat(many - 1), 1000), Ok(()));
        assert_eq!(follow(&ping.repeat(many), 1000), Err(Reason::ENHANCE_YOUR_CALM));
    }
}
