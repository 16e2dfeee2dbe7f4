//! Octets on their way to a client.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWrite;

use crate::proxy::limits::COPIED_OCTETS_MAX;

/// What waits to be written: some octets of ours, then a piece of a body, then some of ours again.
#[derive(Debug, Default)]
pub(super) struct Output {
    front: BytesMut,
    piece: Bytes,
    back: &'static [u8],
    /// Bytes of a body at the end of `front`; the framing of chunks between them is not counted.
    front_body: usize,
    /// Bytes written since the connection began.
    written: u64,
    /// Something was written that may wait in a buffer below.
    unflushed: bool,
}

impl Output {
    /// Where a head is written. Only while nothing else waits.
    pub(super) fn front(&mut self) -> &mut BytesMut {
        &mut self.front
    }

    /// Whether another piece may be put.
    pub(super) fn has_room(&self) -> bool {
        self.piece.is_empty() && self.back.is_empty() && self.front.len() < COPIED_OCTETS_MAX
    }

    pub(super) fn put(&mut self, piece: Bytes, back: &'static [u8]) {
        if self.front.len() + piece.len() <= COPIED_OCTETS_MAX {
            self.front.extend_from_slice(&piece);
            self.front.extend_from_slice(back);
            self.front_body += piece.len();
        } else {
            (self.piece, self.back) = (piece, back);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.front.is_empty() && self.piece.is_empty() && self.back.is_empty()
    }

    /// Bytes written since the connection began: whoever waits for a client sees by them that it takes some.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Bytes of a body that wait to be written. Where the framing of chunks stands between them, some of it may be
    /// taken for body: never more than there is of both.
    pub(super) fn unwritten_body(&self) -> u64 {
        (self.front_body.min(self.front.len()) + self.piece.len()) as u64
    }

    /// Writes all of it.
    pub(super) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            let written = if self.piece.is_empty() {
                if self.front.is_empty() {
                    ready!(Pin::new(&mut *stream).poll_write(cx, self.back))?
                } else {
                    ready!(Pin::new(&mut *stream).poll_write(cx, &self.front))?
                }
            } else {
                let slices = [IoSlice::new(&self.front), IoSlice::new(&self.piece), IoSlice::new(self.back)];
                ready!(Pin::new(&mut *stream).poll_write_vectored(cx, &slices))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.take(written);
            self.written += written as u64;
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what was written off the front.
    fn take(&mut self, mut octets: usize) {
        let front = octets.min(self.front.len());
        self.front.advance(front);
        self.front_body = self.front_body.min(self.front.len());
        octets -= front;
        let piece = octets.min(self.piece.len());
        self.piece.advance(piece);
        octets -= piece;
        self.back = self.back.get(octets..).unwrap_or_default();
    }

    /// Lets go of memory while nothing is to be written.
    pub(super) fn release(&mut self) {
        if self.is_empty() {
            self.front = BytesMut::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use core::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn a_client_that_takes_a_little_is_seen_and_what_it_did_not_take_is_known() {
        let (mut ours, mut theirs) = duplex(8);
        let mut output = Output::default();
        output.front().extend_from_slice(b"head");
        output.put(Bytes::from_static(b"body"), b"");
        output.put(Bytes::from(vec![b'x'; 10_000]), b"");
        assert_eq!((output.written(), output.unwritten_body()), (0, 10_004));
        for (written, unwritten) in [(8, 10_000), (16, 9_992), (24, 9_984)] {
            let polled = poll_fn(|cx| Poll::Ready(output.poll_write(&mut ours, cx).is_ready())).await;
            assert!(!polled);
            assert_eq!((output.written(), output.unwritten_body()), (written, unwritten));
            theirs.read_exact(&mut [0; 8]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn of_a_head_that_was_not_written_nothing_is_body() {
        let (mut ours, _theirs) = duplex(2);
        let mut output = Output::default();
        output.front().extend_from_slice(b"head");
        output.put(Bytes::from_static(b"body"), b"");
        let polled = poll_fn(|cx| Poll::Ready(output.poll_write(&mut ours, cx).is_ready())).await;
        assert!(!polled);
        assert_eq!(output.unwritten_body(), 4);
    }
}
