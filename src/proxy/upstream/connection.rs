//! A connection to a server: octets both ways, counted.

use core::net::SocketAddr;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io::{self, IoSlice};

use bytes::{Buf, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use super::health::InFlight;
use crate::proxy::timer::Timer;

/// Clear text or TLS.
#[derive(Debug)]
pub(super) enum Stream {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection, fresh or kept.
#[derive(Debug)]
pub(in crate::proxy) struct Connection {
    stream: Stream,
    pub(super) peer: SocketAddr,
    /// Octets read and not yet used.
    pub(in crate::proxy) buffer: BytesMut,
    pub(super) born: Instant,
    /// Set where it had been kept: how long it was idle.
    pub(super) idle: Option<Duration>,
    /// What the server has said last about how long it keeps an idle connection.
    pub(super) announced: Option<Duration>,
    /// Octets of this exchange.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// For whatever is waited for; it stays with the connection, so that it is wound seldom.
    pub(super) timer: Timer,
    /// The server counts it as long as an exchange lasts.
    pub(super) in_flight: Option<InFlight>,
}

impl Connection {
    /// In a box: it goes from hand to hand, from one request to the next.
    pub(super) fn new(stream: Stream, peer: SocketAddr) -> Box<Self> {
        Box::new(Self {
            stream,
            peer,
            buffer: BytesMut::new(),
            born: Instant::now(),
            idle: None,
            announced: None,
            sent: 0,
            received: 0,
            timer: Timer::default(),
            in_flight: None,
        })
    }

    /// Whether the kept connection may carry another request: as far as the runtime has heard it is open, and nothing
    /// unasked has come.
    pub(super) fn is_quiet(&self) -> bool {
        // Asks the kernel only where the runtime has heard of something. What it reads nobody misses.
        self.buffer.is_empty() && is_nothing(self.socket().try_read(&mut [0]))
    }

    /// The same of this very moment: the runtime hears of an end at the end of its turn. Takes a system call.
    pub(super) fn is_quiet_now(&self) -> bool {
        is_nothing(SockRef::from(self.socket()).peek(&mut [core::mem::MaybeUninit::uninit()]))
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Clear(socket) => socket,
            Stream::Tls(stream) => stream.get_ref().0,
        }
    }

    /// The stream itself, for HTTP/2; where TLS did not agree on that, None.
    pub(super) fn into_http2(self) -> Option<Stream> {
        let agreed = match &self.stream {
            Stream::Clear(_) => true,
            Stream::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        };
        agreed.then_some(self.stream)
    }

    /// Reads more into the buffer, `octets` or so; 0 at the end of the stream.
    pub(in crate::proxy) fn poll_fill(&mut self, octets: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.buffer.reserve(octets);
        let read = ready!(pin!(self.stream.read_buf(&mut self.buffer)).poll(cx))?;
        self.received += read as u64;
        Poll::Ready(Ok(read))
    }

    /// Writes some of `out` and takes it off.
    pub(in crate::proxy) fn poll_send(&mut self, out: &mut impl Buf, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut slices = [IoSlice::new(&[]); 2];
        let parts = out.chunks_vectored(&mut slices);
        let stream = Pin::new(&mut self.stream);
        let written = match slices.get(..parts) {
            Some(several @ [_, _]) => ready!(stream.poll_write_vectored(cx, several))?,
            _ => ready!(stream.poll_write(cx, out.chunk()))?,
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.sent += written as u64;
        out.advance(written);
        Poll::Ready(Ok(()))
    }

    /// Bytes of this exchange that were written.
    pub(in crate::proxy) fn sent(&self) -> u64 {
        self.sent
    }

    pub(in crate::proxy) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Tells the other side that nothing more comes.
    pub(in crate::proxy) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Whether a read found the stream open, and nothing in it.
fn is_nothing(read: io::Result<usize>) -> bool {
    read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_read(cx, out),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_write(cx, octets),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, octets),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Clear(socket) => socket.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
