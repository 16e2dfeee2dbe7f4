//! HTTP/2 with a client: a connection, its streams, and what is refused of both.

mod body;
mod guard;
mod hpack;
mod request;
mod stream;

use core::future::poll_fn;
use core::pin::pin;
use core::sync::atomic::Ordering;
use core::task::{Context, Poll};
use std::rc::Rc;

use bytes::Bytes;
use h2::server::{Builder, Connection};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

pub(in crate::proxy) use body::{Body, Respond};

use self::guard::{Flushes, Guard, Verdict};
use self::stream::BrokenOff;
use super::connection::Client;
use crate::proxy::http2::Pulse;
use crate::proxy::limits::{
    HEAD_OCTETS_MAX, HTTP2_CONNECTION_WINDOW, HTTP2_FAULTY_RESETS_MAX, HTTP2_FRAMES_OCTETS_MAX,
    HTTP2_PENDING_RESETS_MAX, HTTP2_STREAM_WINDOW, HTTP2_STREAMS_MAX, HTTP2_UNSENT_OCTETS_MAX, Limits,
};
use crate::proxy::timer::Alarm;

/// Serves HTTP/2 until the connection ends; once `stop` says so, the requests in flight and no more.
pub(super) async fn serve<S>(client: Rc<Client>, stream: S, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limits = client.limits;
    let guard = Guard::new(stream, limits);
    let (verdict, flushes) = (guard.verdict(), guard.flushes());
    let handshake = timeout(limits.head_time_max, builder().handshake::<_, Bytes>(guard));
    let Ok(Ok(mut connection)) = handshake.await else { return };
    let mut session = Session {
        client,
        verdict,
        flushes,
        limits,
        streams: JoinSet::new(),
        broken_off: Vec::new(),
        pulse: Pulse::new(connection.ping_pong()),
        idle_since: Instant::now(),
        idle: Alarm::default(),
        phase: Phase::Open,
        ending: Alarm::default(),
    };
    // An error means that the gateway is gone.
    let mut stopped = pin!(async { drop(stop.wait_for(|stop| *stop).await) });
    let mut stopping = false;
    poll_fn(|cx| {
        stopping = stopping || stopped.as_mut().poll(cx).is_ready();
        if stopping {
            session.drain(&mut connection);
        }
        session.poll(&mut connection, cx)
    })
    .await;
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .initial_window_size(HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
        .max_send_buffer_size(HTTP2_UNSENT_OCTETS_MAX)
        .data_frame_budget(HTTP2_FRAMES_OCTETS_MAX)
        .max_header_list_size(u32::try_from(HEAD_OCTETS_MAX).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(HTTP2_PENDING_RESETS_MAX)
        .max_local_error_reset_streams(Some(HTTP2_FAULTY_RESETS_MAX));
    builder
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// No new streams; those that are there end.
    Draining,
    /// The client was told why, and is gone as soon as it has heard.
    Cut,
}

struct Session {
    client: Rc<Client>,
    verdict: Verdict,
    flushes: Flushes,
    limits: Limits,
    streams: JoinSet<Option<BrokenOff>>,
    /// Answers that broke off, each with the number of flushes when that was known.
    broken_off: Vec<(u64, BrokenOff)>,
    pulse: Pulse,
    idle_since: Instant,
    idle: Alarm,
    phase: Phase,
    ending: Alarm,
}

impl Session {
    /// Ready where the connection has ended, or is to.
    fn poll<S>(&mut self, connection: &mut Connection<Guard<S>, Bytes>, cx: &mut Context<'_>) -> Poll<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            if let Some(reason) = self.verdict.get().filter(|_| self.phase != Phase::Cut) {
                self.phase = Phase::Cut;
                self.client.worker.shared.doors.http2_cut.fetch_add(1, Ordering::Relaxed);
                self.idle_since = Instant::now();
                self.streams.abort_all();
                connection.abrupt_shutdown(reason);
            }
            match connection.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    let client = Rc::clone(&self.client);
                    // In a box: a task moves what it runs several times.
                    self.streams.spawn_local(Box::pin(stream::serve(client, request, respond)));
                    continue;
                }
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => {}
            }
            if self.verdict.get().is_none() || self.phase == Phase::Cut {
                break;
            }
        }
        self.reset_written();
        while let Poll::Ready(Some(ended)) = self.streams.poll_join_next(cx) {
            self.idle_since = Instant::now();
            if let Ok(Some(broken_off)) = ended {
                self.broken_off.push((self.flushes.get(), broken_off));
                // What it has put is written when the connection is polled again.
                cx.waker().wake_by_ref();
            }
        }
        self.poll_timers(connection, cx)
    }

    /// Resets the streams of answers that broke off and are written as far as they came.
    fn reset_written(&mut self) {
        let flushes = self.flushes.get();
        for (_, broken_off) in self.broken_off.extract_if(.., |(at, _)| *at < flushes) {
            broken_off.reset();
        }
    }

    fn poll_timers<S>(&mut self, connection: &mut Connection<Guard<S>, Bytes>, cx: &mut Context<'_>) -> Poll<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.phase == Phase::Cut || (self.phase == Phase::Draining && self.streams.is_empty()) {
            return self.ending.poll(self.idle_since + self.limits.close_time_max, cx);
        }
        if !self.streams.is_empty() {
            return self.pulse.poll(cx);
        }
        self.pulse.rest();
        if self.idle.poll(self.idle_since + self.limits.client_idle_max, cx).is_ready() {
            self.idle_since = Instant::now();
            self.drain(connection);
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Tells the client to send its next request elsewhere.
    fn drain<S>(&mut self, connection: &mut Connection<Guard<S>, Bytes>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.phase == Phase::Open {
            self.phase = Phase::Draining;
            connection.graceful_shutdown();
        }
    }
}
