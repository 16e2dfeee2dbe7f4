//! A socket whose end is heard of although octets before it were not read yet.
//!
//! Whoever reads a socket hears of its end behind the last octet. While an upload waits for its upstream nobody reads, and
//! a client that leaves would be noticed when the upstream's timer ends. The kernel tells of the end at once (EPOLLRDHUP),
//! and so does the runtime, but it wakes only those who wait for octets, and these are there. So it is made to forget them,
//! and they are asked for directly when somebody reads again.

use core::mem::MaybeUninit;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::io::{self, IoSlice, Read as _};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use tokio::net::{TcpStream, UnixStream};

/// How the other side has ended what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It sends nothing more; it may be read from to the last octet.
    Finished,
    /// It is gone, both ways.
    Gone,
}

/// A socket that the runtime knows.
#[derive(Debug)]
pub(in crate::proxy) struct Socket<S> {
    stream: S,
    /// The runtime was made to forget octets that have come.
    forgotten: bool,
}

/// What TCP and Unix sockets have in common.
pub(in crate::proxy) trait Kernel: AsyncRead + AsyncWrite + Unpin {
    /// Ready where a read would not wait.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// Makes the runtime forget that octets have come.
    fn forget(&self);

    /// What the runtime has heard of the end.
    fn ready(&self) -> Ready;

    /// The kernel's socket.
    fn socket(&self) -> SockRef<'_>;
}

/// Tells of an end, and not of octets.
const ENDS: Interest = Interest::PRIORITY.add(Interest::ERROR);

macro_rules! kernel {
    ($stream:ty) => {
        impl Kernel for $stream {
            fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
                self.poll_read_ready(cx).map(drop)
            }

            fn forget(&self) {
                let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
                drop(self.try_io(Interest::READABLE, nothing));
            }

            fn ready(&self) -> Ready {
                let mut nobody = Context::from_waker(Waker::noop());
                match pin!(Self::ready(self, ENDS.add(Interest::WRITABLE))).poll(&mut nobody) {
                    Poll::Ready(Ok(ready)) => ready,
                    Poll::Ready(Err(_)) | Poll::Pending => Ready::EMPTY,
                }
            }

            fn socket(&self) -> SockRef<'_> {
                SockRef::from(self)
            }
        }
    };
}

kernel!(TcpStream);
kernel!(UnixStream);

impl<S> From<S> for Socket<S> {
    fn from(stream: S) -> Self {
        Self { stream, forgotten: false }
    }
}

impl<S: Kernel> Socket<S> {
    /// Ready once the other side has ended what it sends, whatever of it is still to be read.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            let ready = self.stream.ready();
            if ready.is_write_closed() || ready.is_error() {
                return Poll::Ready(End::Gone);
            }
            if ready.is_read_closed() {
                return Poll::Ready(End::Finished);
            }
            if self.stream.poll_readable(cx).is_pending() {
                return Poll::Pending;
            }
            self.stream.forget();
            self.forgotten = true;
        }
    }

    /// How many octets have come and were not read, `most` at most. They are copied for that: not for often.
    pub(super) fn unread(&self, most: usize) -> usize {
        let mut space: Vec<u8> = Vec::with_capacity(most);
        let room: &mut [MaybeUninit<u8>] = space.spare_capacity_mut();
        let room = room.get_mut(..most).unwrap_or_default();
        self.stream.socket().peek(room).unwrap_or(0)
    }

    /// From now on closing it is a reset.
    pub(super) fn reset_on_close(&self) {
        // Where the system refuses, the socket is closed as usual.
        drop(self.stream.socket().set_linger(Some(core::time::Duration::ZERO)));
    }
}

impl<S: Kernel> AsyncRead for Socket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.forgotten {
            let read = (&*self.stream.socket()).read(out.initialize_unfilled());
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.forgotten = false,
                Err(error) => return Poll::Ready(Err(error)),
                Ok(read) => {
                    out.advance(read);
                    return Poll::Ready(Ok(()));
                }
            }
        }
        Pin::new(&mut self.stream).poll_read(cx, out)
    }
}

impl<S: Kernel> AsyncWrite for Socket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
