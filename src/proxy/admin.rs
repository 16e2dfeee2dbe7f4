//! Health and counters, for the machine that watches over the gateway.

use core::convert::Infallible;
use core::sync::atomic::Ordering;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::access_log::{Log, rfc3339};
use super::config::Secret;
use super::limits::ADMIN_CONNECTIONS_MAX;
use super::listener::{Bound, Queue, after};
use super::metrics;
use super::reload::Reload;
use super::serve::runtime;
use super::shared::Shared;
use super::upstream::ServerState;

/// What is told, and to whom.
#[derive(Debug)]
pub(super) struct Admin {
    shared: Arc<Shared>,
    log: Arc<Log>,
    /// BLAKE3 of the token: comparing hashes takes the same time whatever was sent.
    token: Option<blake3::Hash>,
}

/// Who asks at the moment.
struct Asking {
    admin: Admin,
    connections: Queue,
}

impl Admin {
    pub(super) fn new(shared: &Arc<Shared>, log: &Arc<Log>, token: Option<&Secret>) -> io::Result<Self> {
        let read = |secret: &Secret| secret.read().map(|token| blake3::hash(token.trim_ascii()));
        let token = token.map(read).transpose().map_err(io::Error::other)?;
        Ok(Self { shared: Arc::clone(shared), log: Arc::clone(log), token })
    }

    /// Whether who asks may know everything.
    fn admits(&self, request: &Request<Incoming>) -> bool {
        let Some(token) = self.token else { return true };
        let said = request.headers().get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        said.is_some_and(|said| blake3::hash(said.trim_ascii()) == token)
    }
}

/// Serves `/livez`, `/readyz`, `/status` and `/metrics` until no core serves any more.
pub(super) fn run(admin: &Admin, sockets: Vec<Bound>, mut drained: watch::Receiver<bool>) {
    let Ok(runtime) = runtime() else { return };
    let admin = Admin { shared: Arc::clone(&admin.shared), log: Arc::clone(&admin.log), token: admin.token };
    let asking = Rc::new(Asking { admin, connections: Queue::new(ADMIN_CONNECTIONS_MAX) });
    for socket in sockets {
        runtime.spawn_local(accept(Rc::clone(&asking), socket));
    }
    // An error means that the gateway is gone.
    drop(runtime.block_on(async { drained.wait_for(|drained| *drained).await.map(|_| ()) }));
}

async fn accept(asking: Rc<Asking>, socket: Bound) -> io::Result<()> {
    match socket {
        Bound::Tcp(socket) => {
            let socket = tokio::net::TcpListener::from_std(socket)?;
            loop {
                match socket.accept().await {
                    Ok((stream, _)) => drop(tokio::task::spawn_local(serve(Rc::clone(&asking), stream))),
                    Err(error) => after(&error, &asking.admin.shared).await,
                }
            }
        }
        Bound::Unix(socket) => {
            let socket = tokio::net::UnixListener::from_std(socket)?;
            loop {
                match socket.accept().await {
                    Ok((stream, _)) => drop(tokio::task::spawn_local(serve(Rc::clone(&asking), stream))),
                    Err(error) => after(&error, &asking.admin.shared).await,
                }
            }
        }
    }
}

/// A head, or the next request, is waited for as long as hyper does where it is not told otherwise: 30 s. Whoever reads
/// nothing of an answer holds one of the places, and loses it once they are all taken.
async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(asking: Rc<Asking>, stream: S) {
    let place = asking.connections.enter();
    let service = service_fn(|request: Request<Incoming>| {
        let answer = answer(&asking.admin, &request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // Whoever asks and leaves has left.
        _ = served => {}
        () = place.evicted() => {}
    }
}

const JSON: &str = "application/json";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

fn answer(admin: &Admin, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let shared = &admin.shared;
    let json = |status, text: &str| (status, JSON, text.to_owned());
    let may_ask = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path();
    // Whoever probes needs no token: what they learn, any connection tells.
    let (status, kind, text) = match path {
        "/livez" if may_ask => json(StatusCode::OK, "{\"live\":true}\n"),
        "/readyz" if may_ask && shared.stopping.load(Ordering::Relaxed) => {
            json(StatusCode::SERVICE_UNAVAILABLE, "{\"ready\":false}\n")
        }
        "/readyz" if may_ask => json(StatusCode::OK, "{\"ready\":true}\n"),
        _ if !admin.admits(request) => json(StatusCode::UNAUTHORIZED, "{\"code\":\"admin.unauthorized\"}\n"),
        "/status" if may_ask => (StatusCode::OK, JSON, status(shared, &admin.log)),
        "/metrics" if may_ask => (StatusCode::OK, PROMETHEUS, metrics::page(shared, admin.log.dropped())),
        _ => json(StatusCode::NOT_FOUND, "{\"code\":\"admin.not_found\"}\n"),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// What `/status` says.
#[derive(Serialize)]
struct Status {
    version: &'static str,
    compiler: String,
    policy: String,
    generation: u64,
    loaded: String,
    uptime_seconds: u64,
    stopping: bool,
    connections: u64,
    doors: BTreeMap<&'static str, u64>,
    requests: u64,
    outcomes: BTreeMap<&'static str, u64>,
    meters: BTreeMap<String, u64>,
    /// By the upstream's name.
    upstreams: BTreeMap<String, Vec<ServerState>>,
    log_lines_dropped: u64,
    reloads: u64,
    reload_failures: u64,
    last_reload: Option<LastReload>,
}

/// The last attempt to replace the policy.
#[derive(Serialize)]
struct LastReload {
    time: String,
    ok: bool,
    /// Why the policy before goes on serving.
    error: Option<String>,
    /// Of the policy that serves since.
    hash: String,
    ms: u64,
}

impl From<Reload> for LastReload {
    fn from(reload: Reload) -> Self {
        Self {
            time: rfc3339(reload.time),
            ok: reload.error.is_none(),
            error: reload.error,
            hash: reload.hash,
            ms: u64::try_from(reload.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

fn status(shared: &Shared, log: &Log) -> String {
    let (generation, policy) = shared.policy();
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        compiler: policy.manifest.compiler.clone(),
        policy: policy.hash.clone(),
        generation,
        loaded: rfc3339(policy.loaded),
        uptime_seconds: shared.begun.elapsed().as_secs(),
        stopping: shared.stopping.load(Ordering::Relaxed),
        connections: shared.metrics.connections(),
        doors: shared.doors.all(),
        requests: shared.metrics.requests(),
        outcomes: shared.metrics.outcomes(),
        meters: shared.meters(),
        upstreams: policy.upstreams.iter().map(|upstream| (upstream.name.clone(), upstream.states())).collect(),
        log_lines_dropped: log.dropped(),
        reloads: shared.reloads.done(),
        reload_failures: shared.reloads.failed(),
        last_reload: shared.reloads.last().map(LastReload::from),
    };
    serde_json::to_string(&status).unwrap_or_default() + "\n"
}
