//! Asks whether the other side still lives, while somebody waits for it.

use core::task::{Context, Poll};

use h2::{Ping, PingPong};
use tokio::time::Instant;

use crate::proxy::limits::{HTTP2_PING_AFTER, HTTP2_PONG_WITHIN};
use crate::proxy::timer::Alarm;

/// The pings of one connection.
pub(in crate::proxy) struct Pulse {
    ping: Option<PingPong>,
    asked: bool,
    since: Instant,
    alarm: Alarm,
}

impl Pulse {
    pub(in crate::proxy) fn new(ping: Option<PingPong>) -> Self {
        Self { ping, asked: false, since: Instant::now(), alarm: Alarm::default() }
    }

    /// Ready where the other side does not answer.
    pub(in crate::proxy) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(ping) = &mut self.ping else { return Poll::Pending };
        loop {
            if self.asked && ping.poll_pong(cx).is_ready() {
                (self.asked, self.since) = (false, Instant::now());
            }
            let patience = if self.asked { HTTP2_PONG_WITHIN } else { HTTP2_PING_AFTER };
            if self.alarm.poll(self.since + patience, cx).is_pending() {
                return Poll::Pending;
            }
            if self.asked {
                return Poll::Ready(());
            }
            (self.asked, self.since) = (ping.send_ping(Ping::opaque()).is_ok(), Instant::now());
        }
    }

    /// Nobody waits.
    pub(in crate::proxy) fn rest(&mut self) {
        if !self.asked {
            self.since = Instant::now();
        }
    }
}
