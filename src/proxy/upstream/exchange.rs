//! One request and its answer on one connection.

use core::future::poll_fn;
use core::task::{Context, Poll};
use std::io;

use super::connection::Connection;
use super::failure::Failure;
use super::response::{self, ResponseHead};
use super::sender::{Sender, Upload};
use super::target::Timers;
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::limits::{INTERIM_MAX, RESPONSE_HEAD_OCTETS_MAX};
use crate::proxy::timer::Timer;

/// A request that is being written while its answer is waited for.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) connection: Connection,
    pub(super) sender: Sender,
    timers: Timers,
    timer: Timer,
    head_only: bool,
    interim: u32,
}

impl Exchange {
    pub(super) fn new(
        connection: Connection,
        head: &[u8],
        upload: Option<Upload>,
        timers: Timers,
        head_only: bool,
    ) -> Self {
        let sender = Sender::new(head, upload, timers.idle);
        Self { connection, sender, timers, timer: Timer::default(), head_only, interim: 0 }
    }

    /// Waits for the final answer's head.
    pub(super) async fn head(&mut self) -> Result<ResponseHead, Failure> {
        match poll_fn(|cx| self.poll_head(cx)).await {
            Ok(head) => Ok(head),
            Err(fault) => Err(self.failure(fault)),
        }
    }

    /// `fault` with what is known of the connection.
    pub(super) fn failure(&self, fault: Fault) -> Failure {
        let connection = &self.connection;
        let mut failure = Failure::new(fault).peer(connection.peer);
        failure.reused = connection.idle.map(|idle| (connection.born.elapsed(), idle));
        (failure.sent, failure.received) = (connection.sent, connection.received);
        failure
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<ResponseHead, Fault>> {
        let sent = self.sender.poll(&mut self.connection, cx)?.is_ready();
        loop {
            if let Some(head) = self.take_head()? {
                return Poll::Ready(Ok(head));
            }
            match self.connection.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.closed(None))),
                Poll::Ready(Ok(_)) => self.timer.stop(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.closed(Some(&error)))),
                Poll::Pending => break,
            }
        }
        // The upstream's time starts when it has the whole request.
        let patience = if self.connection.received == 0 { self.timers.response } else { self.timers.idle };
        if sent && self.timer.poll(patience, cx).is_ready() {
            return Poll::Ready(Err(UpstreamFault::ResponseTimeout.into()));
        }
        Poll::Pending
    }

    /// Takes a final head off the buffer, if it is complete; interim ones are passed over.
    fn take_head(&mut self) -> Result<Option<ResponseHead>, Fault> {
        while let Some(end) = response::find_end(&self.connection.buffer)? {
            if end > RESPONSE_HEAD_OCTETS_MAX {
                return Err(UpstreamFault::ResponseHeadTooLarge.into());
            }
            let bytes = self.connection.buffer.split_to(end).freeze();
            let head = response::parse(&bytes, self.head_only)?;
            self.interim += 1;
            match head.status {
                // Nobody asked for another protocol.
                101 => return Err(UpstreamFault::ResponseMalformed.into()),
                100..200 if self.interim > INTERIM_MAX => return Err(UpstreamFault::ResponseMalformed.into()),
                100..200 => {}
                _ => return Ok(Some(head)),
            }
        }
        if self.connection.buffer.len() > RESPONSE_HEAD_OCTETS_MAX {
            return Err(UpstreamFault::ResponseHeadTooLarge.into());
        }
        Ok(None)
    }

    fn closed(&self, error: Option<&io::Error>) -> Fault {
        let tls_broke = error.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData);
        let fault = match (self.connection.received, self.connection.idle) {
            _ if tls_broke => UpstreamFault::TlsAlert,
            (0, Some(_)) => UpstreamFault::ReusedConnectionClosed,
            (0, None) if self.sender.failed => UpstreamFault::WriteFailed,
            (0, None) => UpstreamFault::ClosedBeforeHeader,
            _ => UpstreamFault::ClosedInHeader,
        };
        fault.into()
    }
}
