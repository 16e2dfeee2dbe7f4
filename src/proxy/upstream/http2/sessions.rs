//! The connections to one server.

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::net::SocketAddr;
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;
use std::io;
use std::rc::Rc;

use bytes::Bytes;
use h2::client::{Builder, Connection, SendRequest};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::note::{Note, Noted};
use crate::proxy::fault::UpstreamFault;
use crate::proxy::http2::Pulse;
use crate::proxy::limits::{
    HTTP2_FRAMES_OCTETS_MAX, HTTP2_STREAM_WINDOW, HTTP2_UNSENT_OCTETS_MAX, HTTP2_UPSTREAM_CONNECTION_WINDOW,
    HTTP2_UPSTREAM_CONNECTIONS_MAX, HTTP2_UPSTREAM_STREAMS_MAX, RESPONSE_HEAD_OCTETS_MAX,
};
use crate::proxy::upstream::failure::Failure;

/// The connections of one core to one server.
#[derive(Debug, Default)]
pub(in crate::proxy::upstream) struct Sessions {
    open: RefCell<Vec<Rc<Session>>>,
    /// One connects, the others wait for what comes of it.
    connecting: Mutex<()>,
    /// When it last came to nothing, and why.
    failed: RefCell<Option<(Instant, Failure)>>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) sender: SendRequest<Bytes>,
    pub(super) peer: SocketAddr,
    pub(super) born: Instant,
    /// Requests on it.
    streams: Cell<usize>,
    /// Uploads among them that wait for room.
    full: Cell<usize>,
    /// No request may begin on it any more.
    ended: Cell<bool>,
    idle_since: Cell<Instant>,
    /// It answers no pings.
    silent: Cell<bool>,
    note: Note,
}

/// A request on a connection.
#[derive(Debug)]
pub(in crate::proxy::upstream) struct Place {
    pub(super) session: Rc<Session>,
    /// How long the connection had been idle, where it was not opened for this request; zero where it had others.
    pub(in crate::proxy::upstream) idle: Option<Duration>,
    /// Its upload waits for room.
    is_full: Cell<bool>,
}

impl Place {
    fn begin(session: &Rc<Session>, is_fresh: bool) -> Self {
        let busy = session.streams.replace(session.streams.get() + 1) > 0;
        let idle = if busy { Duration::ZERO } else { session.idle_since.get().elapsed() };
        Self { session: Rc::clone(session), idle: (!is_fresh).then_some(idle), is_full: Cell::new(false) }
    }

    /// Says whether its upload waits for room. What the server does not read of it may use up the window that all uploads
    /// of the connection share: so the next ones go on another connection.
    pub(super) fn waits_for_room(&self, is_full: bool) {
        let full = &self.session.full;
        match (self.is_full.replace(is_full), is_full) {
            (false, true) => full.set(full.get() + 1),
            (true, false) => full.set(full.get().saturating_sub(1)),
            (true, true) | (false, false) => {}
        }
    }

    /// Of a connection that others used before: its age, and how long it had been idle.
    pub(super) fn reused(&self) -> Option<(Duration, Duration)> {
        self.idle.map(|idle| (self.session.born.elapsed(), idle))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waits_for_room(false);
        self.session.streams.set(self.session.streams.get().saturating_sub(1));
        self.session.idle_since.set(Instant::now());
    }
}

impl Session {
    /// Whether more than one request is on it.
    pub(super) fn is_shared(&self) -> bool {
        self.streams.get() > 1
    }

    /// Nothing new begins on this connection.
    pub(super) fn retire(&self) {
        self.ended.set(true);
    }

    /// Why it ended, where more is known than its library says.
    pub(super) fn ended_by(&self) -> Option<(UpstreamFault, String)> {
        if self.silent.get() {
            return Some((UpstreamFault::Http2PingTimeout, "no answer to a PING".to_owned()));
        }
        self.note.read()
    }

    /// Whether a request may begin on it that others will not hold back.
    fn has_room(&self, uploads: bool) -> bool {
        let most = usize::try_from(HTTP2_UPSTREAM_STREAMS_MAX).unwrap_or(usize::MAX);
        let most = self.sender.current_max_send_streams().min(most);
        !self.ended.get() && self.streams.get() < most && (!uploads || self.full.get() == 0)
    }
}

impl Sessions {
    /// A place for a request, which `uploads` or has no body: on a connection that has room, or on one that `connect`
    /// opens.
    pub(in crate::proxy::upstream) async fn place<S>(
        &self,
        uploads: bool,
        patience: Duration,
        connect: impl AsyncFnOnce() -> Result<(S, SocketAddr), Failure>,
    ) -> Result<Place, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        if let Some(place) = self.on_open(uploads) {
            return Ok(place);
        }
        let arrived = Instant::now();
        let turn = self.connecting.lock().await;
        if let Some(place) = self.on_open(uploads).or_else(|| self.on_full()) {
            return Ok(place);
        }
        // What the one before has met, all have who waited for it: in a row they would wait for ever.
        if let Some((at, failure)) = &*self.failed.borrow()
            && *at >= arrived
        {
            return Err(failure.clone());
        }
        let opened = async {
            let (stream, peer) = connect().await?;
            open(stream, peer, patience).await
        };
        let session = opened.await.inspect_err(|failure| {
            *self.failed.borrow_mut() = Some((Instant::now(), failure.clone()));
        })?;
        let place = Place::begin(&session, true);
        self.open.borrow_mut().push(session);
        drop(turn);
        Ok(place)
    }

    /// The connection with the fewest requests of those that have room.
    fn on_open(&self, uploads: bool) -> Option<Place> {
        let open = self.open.borrow();
        let roomy = open.iter().filter(|session| session.has_room(uploads));
        Some(Place::begin(roomy.min_by_key(|session| session.streams.get())?, false))
    }

    /// The connection with the fewest requests, where no more may be opened.
    fn on_full(&self) -> Option<Place> {
        let mut open = self.open.borrow_mut();
        open.retain(|session| !session.ended.get());
        let least = open.iter().min_by_key(|session| session.streams.get())?;
        (open.len() >= HTTP2_UPSTREAM_CONNECTIONS_MAX).then(|| Place::begin(least, false))
    }

    /// Lets go of connections without a request for `patience`; how many without one are kept.
    pub(in crate::proxy::upstream) fn sweep(&self, patience: Duration) -> usize {
        let mut open = self.open.borrow_mut();
        let is_idle = |session: &Session| session.streams.get() == 0;
        open.retain(|session| {
            let is_stale = is_idle(session) && session.idle_since.get().elapsed() >= patience;
            !is_stale && !session.ended.get()
        });
        open.iter().filter(|session| is_idle(session)).count()
    }
}

/// Begins to speak, and waits for how much the server takes at once: what is sent before is refused.
async fn open<S>(stream: S, peer: SocketAddr, patience: Duration) -> Result<Rc<Session>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_max_send_streams(0)
        .initial_window_size(HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(HTTP2_UPSTREAM_CONNECTION_WINDOW)
        .max_send_buffer_size(HTTP2_UNSENT_OCTETS_MAX)
        .data_frame_budget(HTTP2_FRAMES_OCTETS_MAX)
        .max_header_list_size(u32::try_from(RESPONSE_HEAD_OCTETS_MAX).unwrap_or(u32::MAX));
    let (since, note) = (Instant::now(), Note::default());
    let failed = |fault, detail: String| Failure::new(fault).detail(detail).peer(peer).elapsed(since.elapsed());
    let stream = Noted::new(stream, note.clone());
    let begin = async {
        let (handle, mut connection) = builder.handshake(stream).await.map_err(Some)?;
        poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(Some(error))),
            Poll::Ready(Ok(())) => Poll::Ready(Err(None)),
            Poll::Pending if handle.current_max_send_streams() > 0 => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        })
        .await?;
        Ok((handle, connection))
    };
    let (sender, connection) = match timeout(patience, begin).await {
        Ok(Ok(pair)) => pair,
        Ok(Err(None)) => return Err(failed(UpstreamFault::ClosedBeforeHeader, "no SETTINGS".to_owned())),
        Ok(Err(Some(error))) => {
            let (fault, detail) = note.read().unwrap_or_else(|| (not_spoken(&error), error.to_string()));
            return Err(failed(fault, detail));
        }
        Err(_) => return Err(failed(UpstreamFault::ResponseTimeout, "no SETTINGS".to_owned())),
    };
    let now = Instant::now();
    let session = Rc::new(Session {
        sender,
        peer,
        born: now,
        streams: Cell::new(0),
        full: Cell::new(0),
        ended: Cell::new(false),
        idle_since: Cell::new(now),
        silent: Cell::new(false),
        note,
    });
    // It holds the connection only as long as somebody else does: then the library ends it.
    let weak = Rc::downgrade(&session);
    tokio::task::spawn_local(async move {
        let is_busy = || weak.upgrade().is_some_and(|session| session.streams.get() > 0);
        let silent = || weak.upgrade().into_iter().for_each(|session| session.silent.set(true));
        drive(connection, is_busy, silent).await;
        if let Some(session) = weak.upgrade() {
            session.retire();
        }
    });
    Ok(session)
}

/// What it means that the server did not begin.
pub(in crate::proxy) fn not_spoken(error: &h2::Error) -> UpstreamFault {
    match () {
        () if error.is_io() => closed(error),
        () if error.is_remote() && error.is_go_away() => UpstreamFault::Http2GoAway,
        () => UpstreamFault::Http2NotOffered,
    }
}

/// How the connection ended, of which nothing but the end is known.
pub(super) fn closed(error: &h2::Error) -> UpstreamFault {
    match error.get_io().map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset) => UpstreamFault::ResetBeforeHeader,
        _ => UpstreamFault::ClosedBeforeHeader,
    }
}

/// Reads and writes until the connection ends, or the server does not answer pings while it has requests.
async fn drive<S>(mut connection: Connection<S, Bytes>, is_busy: impl Fn() -> bool, silent: impl Fn())
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut pulse = Pulse::new(connection.ping_pong());
    poll_fn(|cx| {
        if Pin::new(&mut connection).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if is_busy() {
            return pulse.poll(cx).map(|()| silent());
        }
        pulse.rest();
        Poll::Pending
    })
    .await;
}
