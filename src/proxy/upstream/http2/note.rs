//! A stream that remembers why TLS ended it: HTTP/2's library keeps of an error no more than its words.

use core::cell::RefCell;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::proxy::fault::UpstreamFault;
use crate::proxy::http2::Turn;
use crate::proxy::upstream::tls;

/// What is known of the end of a stream. Of TLS 1.3, alerts about our certificate come when the handshake is done.
#[derive(Clone, Debug, Default)]
pub(super) struct Note(Rc<RefCell<Option<(UpstreamFault, String)>>>);

impl Note {
    pub(super) fn read(&self) -> Option<(UpstreamFault, String)> {
        self.0.borrow().clone()
    }

    fn take<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled
            && error.kind() == io::ErrorKind::InvalidData
        {
            self.0.borrow_mut().get_or_insert_with(|| tls::classify(error, true));
        }
        polled
    }
}

/// A stream and its note. Where nothing can be written any more it is read to its end: what the server said last, such
/// as an alert or GOAWAY, tells more than that it took no more.
pub(super) struct Noted<S> {
    stream: S,
    note: Note,
    unwritten: Option<io::Error>,
    deaf: bool,
    turn: Turn,
}

impl<S> Noted<S> {
    pub(super) fn new(stream: S, note: Note) -> Self {
        Self { stream, note, unwritten: None, deaf: false, turn: Turn::default() }
    }

    fn written<T>(&mut self, polled: Poll<io::Result<T>>, as_if: T) -> Poll<io::Result<T>> {
        let Poll::Ready(Err(error)) = polled else { return polled };
        if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
            return Poll::Ready(Err(error));
        }
        (self.unwritten, self.deaf) = (Some(error), true);
        Poll::Ready(Ok(as_if))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, note, unwritten, turn, .. } = self.get_mut();
        ready!(turn.poll(cx));
        let before = out.filled().len();
        let polled = note.take(Pin::new(stream).poll_read(cx, out));
        let read = out.filled().len() - before;
        turn.has_read(polled.is_ready().then_some(read));
        ready!(polled)?;
        let has_ended = read == 0;
        Poll::Ready(unwritten.take_if(|_| has_ended).map_or(Ok(()), Err))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let noted = self.get_mut();
        if noted.deaf {
            return Poll::Ready(Ok(octets.len()));
        }
        let polled = Pin::new(&mut noted.stream).poll_write(cx, octets);
        noted.written(polled, octets.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let noted = self.get_mut();
        let octets = slices.iter().map(|slice| slice.len()).sum();
        if noted.deaf {
            return Poll::Ready(Ok(octets));
        }
        let polled = Pin::new(&mut noted.stream).poll_write_vectored(cx, slices);
        noted.written(polled, octets)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let noted = self.get_mut();
        if noted.deaf {
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut noted.stream).poll_flush(cx);
        noted.written(polled, ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
