//! One request and its answer on one connection.

use core::future::poll_fn;
use core::task::{Context, Poll};
use std::io;

use bytes::BytesMut;
use tokio::time::Instant;

use super::connection::Connection;
use super::failure::Failure;
use super::sender::Sender;
use super::target::Timers;
use super::tls;
use super::upload::Upload;
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::http1::{Fields, HeadEnd, ResponseHead, head_end, members};
use crate::proxy::hygiene::clean_interim;
use crate::proxy::limits::{INTERIM_MAX, READ_OCTETS, RESPONSE_HEAD_OCTETS_MAX};

/// What the answer has to fit to, and who hears of interim ones.
#[derive(Clone, Copy)]
pub(in crate::proxy) struct Asked<'r> {
    /// The request is a HEAD.
    pub(in crate::proxy) head_only: bool,
    /// The protocol to go on with.
    pub(in crate::proxy) upgrade: Option<&'r [u8]>,
    /// Hands an interim answer on.
    pub(in crate::proxy) interim: &'r dyn Fn(u16, &Fields),
}

/// A request that is being written while its answer is waited for.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) connection: Box<Connection>,
    pub(super) sender: Sender,
    timers: Timers,
    interim: u32,
    /// When the phase began that it is in.
    since: Instant,
    /// The connection's end, in the words of who noticed.
    noticed: Option<String>,
    /// Octets at the front of the buffer in which no head ends.
    scanned: usize,
}

impl Exchange {
    /// In a box: it goes from hand to hand until the answer has ended.
    pub(super) fn new(
        mut connection: Box<Connection>,
        head: BytesMut,
        upload: Option<Upload>,
        timers: Timers,
    ) -> Box<Self> {
        connection.timer.stop();
        let sender = Sender::new(head, upload, timers.send);
        Box::new(Self { connection, sender, timers, interim: 0, since: Instant::now(), noticed: None, scanned: 0 })
    }

    /// Waits for the final answer's head.
    pub(super) async fn head(&mut self, asked: Asked<'_>) -> Result<ResponseHead, Failure> {
        match poll_fn(|cx| self.poll_head(asked, cx)).await {
            Ok(head) => {
                self.sender.give_up_waiting();
                self.since = Instant::now();
                Ok(head)
            }
            Err(fault) => Err(self.failure(fault)),
        }
    }

    /// `fault` with what is known of the connection.
    #[cold]
    pub(super) fn failure(&self, fault: Fault) -> Failure {
        let connection = &self.connection;
        let mut failure = Failure::new(fault).peer(connection.peer).elapsed(self.since.elapsed());
        failure.detail.clone_from(&self.noticed);
        failure.announced = connection.announced;
        failure.reused = connection.idle.map(|idle| (connection.born.elapsed(), idle));
        (failure.sent, failure.received) = (connection.sent, connection.received);
        failure
    }

    fn poll_head(&mut self, asked: Asked<'_>, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Fault>> {
        let was_sent = self.sender.done;
        let mut sent = self.sender.poll(&mut self.connection, cx)?.is_ready();
        if sent && !was_sent {
            self.since = Instant::now();
        }
        loop {
            if let Some(head) = self.take_head(asked)? {
                return Poll::Ready(Ok(head));
            }
            match self.connection.poll_fill(READ_OCTETS, cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.closed(None))),
                Poll::Ready(Ok(read)) => {
                    self.connection.timer.stop();
                    if self.connection.received == read as u64 {
                        self.since = Instant::now();
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.closed(Some(&error)))),
                // What has come may have been the leave to go on.
                Poll::Pending if !sent && self.sender.poll(&mut self.connection, cx)?.is_ready() => sent = true,
                Poll::Pending => break,
            }
        }
        // The upstream's time starts when it has the whole request.
        let begun = !self.connection.buffer.is_empty();
        let patience = if begun { self.timers.idle } else { self.timers.response };
        if sent && self.connection.timer.poll(patience, cx).is_ready() {
            let fault = if begun { UpstreamFault::HeaderTimeout } else { UpstreamFault::ResponseTimeout };
            return Poll::Ready(Err(fault.into()));
        }
        Poll::Pending
    }

    /// Takes a final head off the buffer, if it is complete; interim ones are handed on.
    fn take_head(&mut self, asked: Asked<'_>) -> Result<Option<ResponseHead>, Fault> {
        loop {
            let end = match head_end(&self.connection.buffer, self.scanned) {
                HeadEnd::Malformed => return Err(UpstreamFault::ResponseMalformed.into()),
                HeadEnd::Unseen if self.connection.buffer.len() <= RESPONSE_HEAD_OCTETS_MAX => {
                    self.scanned = self.connection.buffer.len();
                    return Ok(None);
                }
                HeadEnd::At(end) if end <= RESPONSE_HEAD_OCTETS_MAX => end,
                HeadEnd::At(_) | HeadEnd::Unseen => return Err(UpstreamFault::ResponseHeadTooLarge.into()),
            };
            self.scanned = 0;
            let bytes = self.connection.buffer.split_to(end).freeze();
            let head = ResponseHead::parse(&bytes, asked.head_only)?;
            self.interim += 1;
            match head.status {
                101 if agrees(&head, asked.upgrade) => return Ok(Some(head)),
                // Nobody asked for this protocol, or for any.
                101 => return Err(UpstreamFault::ResponseUpgrade.into()),
                100..200 if self.interim > INTERIM_MAX => return Err(UpstreamFault::ResponseInterim.into()),
                // The client is told when its body is read.
                100 => self.sender.leave(),
                102..200 => hand_on(head, asked.interim),
                _ => return Ok(Some(head)),
            }
        }
    }

    #[cold]
    fn closed(&mut self, error: Option<&io::Error>) -> Fault {
        use UpstreamFault as U;
        self.noticed = error.map(ToString::to_string);
        let begun = !self.connection.buffer.is_empty();
        if let Some(fault) = error.and_then(tls::behind) {
            return fault.into();
        }
        let fault = match (self.connection.received, self.connection.idle, error.map(io::Error::kind)) {
            (0, Some(_), _) => U::ReusedConnectionClosed,
            _ if begun => U::ClosedInHeader,
            (0, None, _) if self.sender.failed || !self.sender.done => U::WriteFailed,
            (_, _, Some(io::ErrorKind::ConnectionReset)) => U::ResetBeforeHeader,
            _ => U::ClosedBeforeHeader,
        };
        fault.into()
    }
}

/// Whether a 101 goes on with the protocol that was asked for (RFC 9110 15.2.2).
fn agrees(head: &ResponseHead, upgrade: Option<&[u8]>) -> bool {
    let Some(asked) = upgrade else { return false };
    let mut chosen = head.fields.values("upgrade").flat_map(members).peekable();
    let mut offered = members(asked);
    chosen.peek().is_some() && chosen.all(|chosen| offered.any(|offered| offered.eq_ignore_ascii_case(chosen)))
}

fn hand_on(mut head: ResponseHead, interim: &dyn Fn(u16, &Fields)) {
    clean_interim(&mut head.fields);
    interim(head.status, &head.fields);
}
