//! All steps with one server: each is tried whatever came of the others, and none waits for ever.

use core::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;

use super::handshake::{self, Aim, Shaken, describe_all, shake};
use super::http::{self, Stream};
use super::http2;
use super::idle;
use super::report::{AddressReport, Failure, HttpReport, IdleReport, ServerReport, TlsReport};
use super::resolve::resolve;
use super::verification::verify;
use super::{Options, milliseconds};
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::upstream::by_kind;

/// What there is to know of a server before it is asked.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) host_header: String,
    pub(super) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    pub(super) verifier: Option<Arc<WebPkiServerVerifier>>,
    /// The rules say HTTP/2.
    pub(super) http2: bool,
    /// `[dns]`
    pub(super) name_servers: Vec<SocketAddr>,
}

/// A connection that carried a request and may be kept idle, and when its answer had come.
struct Answered {
    connection: Open,
    since: Instant,
}

enum Open {
    Http1(Box<dyn Stream>),
    Http2(Box<http2::Session>),
}

/// What comes of speaking HTTP/2 to a server that does not.
const MUTE: [&str; 4] = [
    "upstream.closed_before_header",
    "upstream.reset_before_header",
    "upstream.response.timeout",
    "upstream.http2.not_offered",
];

/// Everything about one server. `turn` bounds how many are probed at once; waiting for idle connections is not probing.
pub(super) async fn probe(target: Target, options: Arc<Options>, turn: Arc<Semaphore>) -> ServerReport {
    let mut report = ServerReport {
        host: target.host.clone(),
        port: target.port,
        host_header: target.host_header.clone(),
        tls_name: target.tls.as_ref().map(|(_, name)| name.to_str().into_owned()),
        ..ServerReport::default()
    };
    // Nobody closes the semaphore.
    let permit = turn.acquire_owned().await.ok();
    let (resolution, addresses) = resolve(&target.host, target.port, &target.name_servers, options.patience).await;
    report.resolution = resolution;
    let mut kept = None;
    for address in addresses {
        let (seen, answered) = one_address(address, &target, &options).await;
        if kept.is_none() {
            kept = answered.map(|answered| (address, answered));
        }
        report.addresses.push(seen);
    }
    drop(permit);
    if let Some(longest) = options.idle {
        report.idle = match kept {
            Some((address, mut answered)) => {
                let measured = match &mut answered.connection {
                    Open::Http1(stream) => idle::measure(stream.as_mut(), answered.since, longest).await,
                    Open::Http2(session) => session.measure_idle(answered.since, longest).await,
                };
                Some(IdleReport { address: address.to_string(), ..measured })
            }
            None => not_measurable(&report),
        };
    }
    report
}

/// Why there is no connection to be kept idle; None where another failure says it all.
fn not_measurable(report: &ServerReport) -> Option<IdleReport> {
    let (address, http) =
        report.addresses.iter().find_map(|address| Some((&address.address, address.http.as_ref()?)))?;
    if http.failure.is_some() || http.persistent {
        return None;
    }
    let detail = "the server closes each connection behind its answer".to_owned();
    let failure = Some(Failure { code: "doctor.keepalive.none".to_owned(), detail });
    Some(IdleReport { address: address.clone(), failure, ..IdleReport::default() })
}

async fn one_address(address: SocketAddr, target: &Target, options: &Options) -> (AddressReport, Option<Answered>) {
    let mut report = AddressReport { address: address.to_string(), ..AddressReport::default() };
    let began = Instant::now();
    let socket = match connect(address, options).await {
        Ok(socket) => socket,
        Err(failure) => {
            report.failure = Some(failure);
            return (report, None);
        }
    };
    report.connect_milliseconds = Some(milliseconds(began.elapsed()));
    let mut unverified = false;
    let stream: Option<Box<dyn Stream>> = match &target.tls {
        None => Some(Box::new(socket)),
        Some((config, name)) => {
            let (tls, stream) = handshakes(socket, address, config, name, target, options).await;
            unverified = tls.as_configured.failure.is_some();
            report.tls = Some(tls);
            // The gateway does not begin where HTTP/2 is not chosen.
            let is_chosen = |stream: &TlsStream<TcpStream>| stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = stream.filter(|stream| !target.http2 || is_chosen(stream));
            stream.map(|stream| Box::new(stream) as Box<dyn Stream>)
        }
    };
    let Some(stream) = stream else { return (report, None) };
    let (mut http, open) = ask(stream, target, options).await;
    let since = Instant::now();
    http.unverified = unverified;
    let is_odd = http.failure.is_some() || http.status == Some(400);
    if target.tls.is_none() && is_odd && !http.speaks_tls {
        http.speaks_tls = answers_hello(address, options).await;
    }
    let is_mute = http.failure.as_ref().is_some_and(|failure| MUTE.contains(&failure.code.as_str()));
    if target.http2 && target.tls.is_none() && is_mute {
        http.speaks_http1 = answers_http1(address, target, options).await;
    }
    let answered = open.filter(|_| is_kept(&http)).map(|connection| Answered { connection, since });
    report.http = Some(http);
    (report, answered)
}

/// The request, in the protocol of the rules.
async fn ask(mut stream: Box<dyn Stream>, target: &Target, options: &Options) -> (HttpReport, Option<Open>) {
    let (authority, path, patience) = (target.host_header.as_str(), options.path.as_str(), options.patience);
    if target.http2 {
        let asked = http2::Asked { authority, path, is_tls: target.tls.is_some() };
        let (http, session) = http2::ask(stream, &asked, patience).await;
        return (http, session.map(|session| Open::Http2(Box::new(session))));
    }
    let http = http::ask(stream.as_mut(), authority, path, patience).await;
    (http, Some(Open::Http1(stream)))
}

/// Whether a port that was meant for clear text answers the first message of a TLS handshake in kind.
async fn answers_hello(address: SocketAddr, options: &Options) -> bool {
    let Ok(socket) = connect(address, options).await else { return false };
    handshake::speaks_tls(socket, address.ip(), options.patience).await
}

/// Whether a server that does not speak HTTP/2 speaks HTTP/1.1: its answer to the first is often lost as it closes.
async fn answers_http1(address: SocketAddr, target: &Target, options: &Options) -> bool {
    let Ok(mut socket) = connect(address, options).await else { return false };
    let http = http::ask(&mut socket, &target.host_header, &options.path, options.patience).await;
    http.status.is_some()
}

fn is_kept(http: &HttpReport) -> bool {
    http.failure.is_none() && http.persistent
}

async fn connect(address: SocketAddr, options: &Options) -> Result<TcpStream, Failure> {
    let (fault, detail) = match timeout(options.patience, TcpStream::connect(address)).await {
        Ok(Ok(socket)) => {
            drop(socket.set_nodelay(true));
            return Ok(socket);
        }
        Ok(Err(error)) => (by_kind(error.kind()), error.to_string()),
        Err(_) => (UpstreamFault::ConnectTimeout, format!("not accepted in {:?}", options.patience)),
    };
    Err(Failure { code: Fault::from(fault).code().to_owned(), detail })
}

/// The handshake that the gateway makes, and what others tell beside it; with the connection for the request, which is
/// one without verification where only verification fails.
async fn handshakes(
    socket: TcpStream,
    address: SocketAddr,
    config: &Arc<ClientConfig>,
    name: &ServerName<'static>,
    target: &Target,
    options: &Options,
) -> (TlsReport, Option<TlsStream<TcpStream>>) {
    let mut report = TlsReport::default();
    // One after the other, and the one that asks comes last: there are servers that serve one connection at a time.
    let mut first = Some(socket);
    if matches!(name, ServerName::DnsName(_)) {
        report.sni = Some(name.to_str().into_owned());
        let looked = again(first.take(), address, (config, name), Aim::Look { sni: true }, options).await;
        report.with_sni = looked.ok().map(|look| look.seen);
    }
    let looked = again(first.take(), address, (config, name), Aim::Look { sni: false }, options).await;
    report.without_sni = looked.ok().map(|look| look.seen);
    let configured = match again(None, address, (config, name), Aim::AsConfigured, options).await {
        Ok(configured) => configured,
        Err(failure) => {
            report.as_configured.failure = Some(failure);
            return (report, None);
        }
    };
    let mut stream = configured.stream;
    let mut chain = configured.chain;
    if stream.is_none()
        && let Ok(unverified) = again(None, address, (config, name), Aim::Unverified, options).await
    {
        stream = unverified.stream;
        chain = unverified.chain;
    }
    report.verification = target.verifier.as_ref().and_then(|verifier| verify(&chain, name, verifier));
    report.as_configured = configured.seen;
    if report.as_configured.certificates.is_empty() && !chain.is_empty() {
        report.as_configured.certificates = describe_all(&chain);
    }
    (report, stream)
}

/// A handshake on `socket`, or else on a connection of its own.
async fn again(
    socket: Option<TcpStream>,
    address: SocketAddr,
    (config, name): (&Arc<ClientConfig>, &ServerName<'static>),
    aim: Aim,
    options: &Options,
) -> Result<Shaken, Failure> {
    let socket = match socket {
        Some(socket) => socket,
        None => connect(address, options).await?,
    };
    Ok(shake(socket, config, name, aim, options.patience).await)
}
