//! What comes on a stream of HTTP/2, and the room that the other side is given for more.

use core::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use http::HeaderMap;

use crate::proxy::limits::READ_OCTETS;

/// The data of a stream. The other side may send as much anew as was taken with [`Inflow::poll_data`], no more: what is
/// held here never exceeds the stream's window.
pub(in crate::proxy) struct Inflow {
    stream: RecvStream,
    /// Data that has come while nobody could take it.
    gathered: BytesMut,
}

impl Inflow {
    pub(in crate::proxy) fn new(stream: RecvStream) -> Self {
        Self { stream, gathered: BytesMut::new() }
    }

    /// Whether all of it has been taken.
    pub(in crate::proxy) fn has_ended(&self) -> bool {
        self.gathered.is_empty() && self.stream.is_end_stream()
    }

    /// The next part, never empty; Ready(None) where only trailers may follow.
    pub(in crate::proxy) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, h2::Error>>> {
        let mut data = self.gathered.split_to(self.gathered.len().min(READ_OCTETS)).freeze();
        while data.is_empty() {
            data = match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => data,
                end => return Poll::Ready(end),
            };
        }
        // The stream may have ended meanwhile: then nobody sends anything anew.
        drop(self.stream.flow_control().release_capacity(data.len()));
        Poll::Ready(Some(Ok(data)))
    }

    pub(in crate::proxy) fn poll_trailers(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<HeaderMap>, h2::Error>> {
        self.stream.poll_trailers(cx)
    }

    /// Takes over what has come while nobody can take it, and gives no room for more.
    ///
    /// The library counts the small frames that it holds, and ends a connection with too many of them: so the streams of
    /// those who do not read, which hold many, would end the streams of all others.
    pub(in crate::proxy) fn gather(&mut self, cx: &mut Context<'_>) {
        // What ends the stream is met again when it is asked for the next part.
        while let Poll::Ready(Some(Ok(data))) = self.stream.poll_data(cx) {
            self.gathered.extend_from_slice(&data);
        }
    }
}
