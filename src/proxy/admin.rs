//! Health and counters, for the machine that watches over the gateway.

use core::convert::Infallible;
use core::sync::atomic::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::access_log::{Sender, rfc3339};
use super::listener::{Bound, after};
use super::serve::runtime;
use super::shared::Shared;
use super::upstream::ServerState;

/// Serves `/livez`, `/readyz` and `/status` until the gateway stops.
pub(super) fn run(shared: &Arc<Shared>, sockets: Vec<Bound>, mut stopped: watch::Receiver<bool>, log: &Sender) {
    let Ok(runtime) = runtime() else { return };
    for socket in sockets {
        runtime.spawn_local(accept(Arc::clone(shared), socket, log.clone()));
    }
    // An error means that the gateway is gone.
    drop(runtime.block_on(async { stopped.wait_for(|stop| *stop).await.map(|_| ()) }));
}

async fn accept(shared: Arc<Shared>, socket: Bound, log: Sender) -> std::io::Result<()> {
    match socket {
        Bound::Tcp(socket) => {
            let socket = tokio::net::TcpListener::from_std(socket)?;
            loop {
                match socket.accept().await {
                    Ok((stream, _)) => drop(tokio::task::spawn_local(serve(Arc::clone(&shared), stream, log.clone()))),
                    Err(error) => after(&error).await,
                }
            }
        }
        Bound::Unix(socket) => {
            let socket = tokio::net::UnixListener::from_std(socket)?;
            loop {
                match socket.accept().await {
                    Ok((stream, _)) => drop(tokio::task::spawn_local(serve(Arc::clone(&shared), stream, log.clone()))),
                    Err(error) => after(&error).await,
                }
            }
        }
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(shared: Arc<Shared>, stream: S, log: Sender) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(&shared, &log, &request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    // Whoever asks and leaves has left.
    drop(served.await);
}

fn answer(shared: &Shared, log: &Sender, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let stopping = shared.stopping.load(Ordering::Relaxed);
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/livez") => (StatusCode::OK, "{\"live\":true}\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/readyz") if stopping => {
            (StatusCode::SERVICE_UNAVAILABLE, "{\"ready\":false}\n".to_owned())
        }
        (&Method::GET | &Method::HEAD, "/readyz") => (StatusCode::OK, "{\"ready\":true}\n".to_owned()),
        (&Method::GET | &Method::HEAD, "/status") => (StatusCode::OK, status(shared, log)),
        _ => (StatusCode::NOT_FOUND, "{\"code\":\"admin.not_found\"}\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
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
}

fn status(shared: &Shared, log: &Sender) -> String {
    let (generation, policy) = shared.policy();
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        compiler: policy.manifest.compiler.clone(),
        policy: policy.hash.clone(),
        generation,
        loaded: rfc3339(policy.loaded.duration_since(UNIX_EPOCH).unwrap_or_default()),
        uptime_seconds: shared.begun.elapsed().as_secs(),
        stopping: shared.stopping.load(Ordering::Relaxed),
        connections: shared.counters.connections.load(Ordering::Relaxed),
        doors: shared.doors.all(),
        requests: shared.counters.requests.load(Ordering::Relaxed),
        outcomes: shared.counters.outcomes(),
        meters: shared.meters(),
        upstreams: policy.upstreams.iter().map(|upstream| (upstream.name.clone(), upstream.states())).collect(),
        log_lines_dropped: log.dropped(),
    };
    serde_json::to_string(&status).unwrap_or_default() + "\n"
}
