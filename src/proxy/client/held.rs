//! A stream that keeps the end of a handshake back: a client of TLS 1.3 waits for no ticket, so tickets go out with the
//! first answer, in one write instead of two.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream, and what is still to be written to it.
#[derive(Debug)]
pub(in crate::proxy) struct Held<S> {
    stream: S,
    /// As long as this side's part of a handshake: its certificates and tickets.
    octets: Vec<u8>,
    holds: bool,
}

impl<S> Held<S> {
    pub(in crate::proxy) fn new(stream: S) -> Self {
        Self { stream, octets: Vec::new(), holds: false }
    }

    /// From now on what is written waits for the next read: whoever reads waits for an answer to it.
    pub(in crate::proxy) fn hold(&mut self) {
        self.holds = true;
    }

    /// From now on it waits for the next write, or a flush.
    pub(in crate::proxy) fn release(&mut self) {
        self.holds = false;
    }

    pub(super) fn get_ref(&self) -> &S {
        &self.stream
    }

    pub(super) fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncWrite + Unpin> Held<S> {
    /// Writes what is held, and as much of `slice` as goes with it: so many octets of that.
    fn poll_out(&mut self, slice: &[u8], cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while !self.octets.is_empty() {
            let slices = [IoSlice::new(&self.octets), IoSlice::new(slice)];
            let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let beyond = written.saturating_sub(self.octets.len());
            self.octets.drain(..written - beyond);
            if self.octets.is_empty() && !self.holds {
                // Thousands of connections never need it again.
                self.octets = Vec::new();
            }
            if beyond > 0 {
                return Poll::Ready(Ok(beyond));
            }
        }
        Poll::Ready(Ok(0))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Held<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.holds {
            ready!(self.poll_out(&[], cx))?;
        }
        Pin::new(&mut self.stream).poll_read(cx, out)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Held<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if self.holds {
            self.octets.extend_from_slice(octets);
            return Poll::Ready(Ok(octets.len()));
        }
        match ready!(self.poll_out(octets, cx))? {
            0 => Pin::new(&mut self.stream).poll_write(cx, octets),
            written => Poll::Ready(Ok(written)),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.holds || !self.octets.is_empty() {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write(cx, first.map_or(&[], |slice| slice));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.holds {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_out(&[], cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(&[], cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    /// What has come, without waiting.
    async fn come(stream: &mut DuplexStream) -> Vec<u8> {
        let mut space = [0; 64];
        let mut read = ReadBuf::new(&mut space);
        core::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *stream).poll_read(cx, &mut read).is_ready())).await;
        read.filled().to_vec()
    }

    #[tokio::test]
    async fn a_handshake_goes_out_before_it_is_waited_for_and_its_end_with_what_follows() {
        let (ours, mut theirs) = duplex(64);
        let mut held = Held::new(ours);
        held.write_all(b"1").await.unwrap();
        assert_eq!(come(&mut theirs).await, b"1");
        held.hold();
        held.write_all(b"hello").await.unwrap();
        held.flush().await.unwrap();
        assert_eq!(come(&mut theirs).await, b"");
        theirs.write_all(b"finished").await.unwrap();
        let mut space = [0; 64];
        assert_eq!(held.read(&mut space).await.unwrap(), 8);
        assert_eq!(come(&mut theirs).await, b"hello");
        held.write_all(b"tickets ").await.unwrap();
        held.release();
        theirs.write_all(b"request").await.unwrap();
        assert_eq!(held.read(&mut space).await.unwrap(), 7);
        assert_eq!(come(&mut theirs).await, b"");
        held.write_all(b"answer").await.unwrap();
        assert_eq!(come(&mut theirs).await, b"tickets answer");
        held.write_all(b"more").await.unwrap();
        assert_eq!(come(&mut theirs).await, b"more");
    }

    #[tokio::test]
    async fn nothing_is_lost_where_there_is_little_room_or_nothing_follows() {
        for ends_with_a_flush in [true, false] {
            let (ours, mut theirs) = duplex(3);
            let mut held = Held::new(ours);
            held.hold();
            held.write_all(b"tickets ").await.unwrap();
            held.release();
            let write = async {
                if ends_with_a_flush {
                    held.flush().await.unwrap();
                }
                held.write_all(b"answer").await.unwrap();
                held.shutdown().await.unwrap();
            };
            let mut read = Vec::new();
            let ((), all) = tokio::join!(write, theirs.read_to_end(&mut read));
            all.unwrap();
            assert_eq!(read, b"tickets answer");
        }
    }
}
