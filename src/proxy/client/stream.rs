//! A client's socket, whatever its kind.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::io;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

use super::held::Held;
use super::socket::{End, Socket};

/// A connection as it was accepted.
#[derive(Debug)]
pub(in crate::proxy) enum Stream {
    Tcp(Socket<TcpStream>),
    Unix(Socket<UnixStream>),
    /// Over one of the others.
    Tls(Box<TlsStream<Held<Self>>>),
}

impl Stream {
    /// From now on closing it tells the client that something is missing: a reset instead of an end.
    pub(super) fn reset_on_close(&self) {
        match self {
            Self::Tcp(socket) => socket.reset_on_close(),
            Self::Unix(socket) => socket.reset_on_close(),
            Self::Tls(stream) => stream.get_ref().0.get_ref().reset_on_close(),
        }
    }

    /// Ready once the client has ended what it sends, whatever of it is still to be read.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self {
            Self::Tcp(socket) => socket.poll_end(cx),
            Self::Unix(socket) => socket.poll_end(cx),
            Self::Tls(stream) => stream.get_mut().0.get_mut().poll_end(cx),
        }
    }

    /// How many octets of clear text have come and were not read, `most` at most; None where that cannot be known, as
    /// below TLS.
    pub(super) fn unread(&self, most: usize) -> Option<usize> {
        match self {
            Self::Tcp(socket) => Some(socket.unread(most)),
            Self::Unix(socket) => Some(socket.unread(most)),
            Self::Tls(_) => None,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_read(cx, out),
            Self::Unix(socket) => Pin::new(socket).poll_read(cx, out),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, out),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_write(cx, octets),
            Self::Unix(socket) => Pin::new(socket).poll_write(cx, octets),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, octets),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Self::Unix(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(socket) => socket.is_write_vectored(),
            Self::Unix(socket) => socket.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_flush(cx),
            Self::Unix(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Unix(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
