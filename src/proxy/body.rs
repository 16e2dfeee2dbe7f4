//! Bodies of answers, as hyper asks for them.

use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::record::Record;
use super::upstream::Relay;

/// The body of an answer; the record of the request is written when it ends.
#[derive(Debug)]
pub(super) struct AnswerBody {
    source: Source,
    record: Record,
}

#[derive(Debug)]
enum Source {
    Whole(Bytes),
    Relay(Box<Relay>),
    Ended,
}

/// The answer broke off: the connection must not end as if it were complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken;

impl core::fmt::Display for Broken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the answer broke off")
    }
}

impl core::error::Error for Broken {}

impl AnswerBody {
    pub(super) fn whole(body: Bytes, record: Record) -> Self {
        let source = if body.is_empty() { Source::Ended } else { Source::Whole(body) };
        Self { source, record }
    }

    pub(super) fn relay(relay: Relay, record: Record) -> Self {
        Self { source: Source::Relay(Box::new(relay)), record }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let next = match &mut self.source {
            Source::Ended => Poll::Ready(None),
            Source::Whole(body) => Poll::Ready(Some(Ok(core::mem::take(body)))),
            Source::Relay(relay) => relay.poll_data(cx),
        };
        let whole = matches!(self.source, Source::Whole(_));
        match next {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(data))) => {
                self.record.octets_out(data.len() as u64);
                if whole {
                    self.source = Source::Ended;
                }
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Poll::Ready(Some(Err(failure))) => {
                self.record.failed(&failure);
                self.source = Source::Ended;
                Poll::Ready(Some(Err(Broken)))
            }
            Poll::Ready(None) => {
                self.source = Source::Ended;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        let octets = match &self.source {
            Source::Ended => Some(0),
            Source::Whole(body) => Some(body.len() as u64),
            Source::Relay(relay) => relay.octets(),
        };
        octets.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if !self.is_end_stream() {
            self.record.aborted();
        }
    }
}
