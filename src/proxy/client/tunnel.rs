//! A connection that has gone on to another protocol: octets both ways until one side is done.

use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWrite as _;

use super::wire::Wire;
use crate::proxy::exchange::AnswerBody;
use crate::proxy::limits::READ_OCTETS;
use crate::proxy::timer::Timer;
use crate::proxy::upstream::Tunnel;

/// Hands on what either side sends, until both have ended, one fails, or nothing came for too long.
pub(super) async fn run(wire: &RefCell<Wire>, tunnel: Box<Tunnel>, body: &mut AnswerBody) {
    let mut both = Both { tunnel, up: Way::default(), down: Way::default(), idle: Timer::default() };
    let octets = poll_fn(|cx| both.poll(&mut wire.borrow_mut(), cx)).await;
    body.tunnelled(octets);
}

struct Both {
    tunnel: Box<Tunnel>,
    up: Way,
    down: Way,
    idle: Timer,
}

/// One direction.
#[derive(Default)]
struct Way {
    /// On their way to the upstream.
    waiting: BytesMut,
    ended: bool,
    /// The other side knows that it has ended.
    told: bool,
    octets: u64,
}

impl Both {
    /// Ready with the octets from the client and to it.
    fn poll(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<(u64, u64)> {
        loop {
            let before = self.activity(wire);
            let up = self.poll_up(wire, cx);
            let down = self.poll_down(wire, cx);
            match (up, down) {
                (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) | (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => {
                    return Poll::Ready((self.up.octets, self.down.octets));
                }
                _ => {}
            }
            if before == self.activity(wire) {
                ready!(self.idle.poll(self.tunnel.idle, cx));
                return Poll::Ready((self.up.octets, self.down.octets));
            }
            self.idle.stop();
        }
    }

    /// Bytes read from each side and written to it: a side that takes slowly what was sent before is not idle.
    fn activity(&self, wire: &Wire) -> [u64; 4] {
        [self.up.octets, self.tunnel.connection.sent(), self.down.octets, wire.output.written()]
    }

    /// From the client to the upstream; ready when it has ended.
    fn poll_up(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let way = &mut self.up;
        loop {
            while !way.waiting.is_empty() {
                ready!(self.tunnel.connection.poll_send(&mut way.waiting, cx))?;
            }
            ready!(self.tunnel.connection.poll_flush(cx))?;
            if way.ended {
                if !way.told {
                    ready!(self.tunnel.connection.poll_shutdown(cx))?;
                    way.told = true;
                }
                return Poll::Ready(Ok(()));
            }
            if wire.input.is_empty() && ready!(wire.poll_fill(READ_OCTETS, cx))? == 0 {
                way.ended = true;
            }
            way.waiting = wire.input.split();
            way.octets += way.waiting.len() as u64;
        }
    }

    /// From the upstream to the client; ready when it has ended.
    fn poll_down(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let way = &mut self.down;
        loop {
            ready!(wire.poll_write(cx))?;
            if way.ended {
                if !way.told {
                    ready!(Pin::new(&mut wire.stream).poll_shutdown(cx))?;
                    way.told = true;
                }
                return Poll::Ready(Ok(()));
            }
            let connection = &mut self.tunnel.connection;
            if connection.buffer.is_empty() && ready!(connection.poll_fill(READ_OCTETS, cx))? == 0 {
                way.ended = true;
            }
            let octets: Bytes = connection.buffer.split().freeze();
            way.octets += octets.len() as u64;
            wire.output.put(octets, b"");
        }
    }
}
