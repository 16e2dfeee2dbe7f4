//! All steps with one server: each is tried whatever came of the others, and none waits for ever.

use core::net::SocketAddr;
use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::handshake::{self, Aim, describe_all, shake};
use super::http::{self, Stream};
use super::idle;
use super::report::{AddressReport, Failure, HttpReport, IdleReport, ServerReport, TlsReport};
use super::resolve::resolve;
use super::verification::verify;
use super::{Options, milliseconds};
use crate::proxy::fault::{Fault, UpstreamFault};

/// What there is to know of a server before it is asked.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) host_header: String,
    pub(super) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    pub(super) verifier: Option<Arc<WebPkiServerVerifier>>,
    /// The rules say HTTP/2: a request in HTTP/1.1 would tell nothing.
    pub(super) http2: bool,
}

/// A connection that carried a request and may be kept idle, and when its answer had come.
struct Answered {
    stream: Box<dyn Stream>,
    since: Instant,
}

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
    let (resolution, addresses) = resolve(&target.host, target.port, options.patience).await;
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
                let measured = idle::measure(answered.stream.as_mut(), answered.since, longest).await;
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
            stream
        }
    };
    let Some(mut stream) = stream.filter(|_| !target.http2) else { return (report, None) };
    let mut http = http::ask(stream.as_mut(), &target.host_header, &options.path, options.patience).await;
    let since = Instant::now();
    http.unverified = unverified;
    let is_odd = http.failure.is_some() || http.status == Some(400);
    if target.tls.is_none() && is_odd && !http.speaks_tls {
        http.speaks_tls = answers_hello(address, options).await;
    }
    let answered = is_kept(&http).then_some(Answered { stream, since });
    report.http = Some(http);
    (report, answered)
}

/// Whether a port that was meant for clear text answers the first message of a TLS handshake in kind.
async fn answers_hello(address: SocketAddr, options: &Options) -> bool {
    let Ok(socket) = connect(address, options).await else { return false };
    handshake::speaks_tls(socket, address.ip(), options.patience).await
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
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            (UpstreamFault::ConnectRefused, error.to_string())
        }
        Ok(Err(error)) => (UpstreamFault::ConnectFailed, error.to_string()),
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
) -> (TlsReport, Option<Box<dyn Stream>>) {
    let again =
        async |aim| Some(shake(connect(address, options).await.ok()?, config, name, aim, options.patience).await);
    let configured = shake(socket, config, name, Aim::AsConfigured, options.patience).await;
    let mut report = TlsReport::default();
    let can_name = matches!(name, ServerName::DnsName(_));
    if can_name {
        report.sni = Some(name.to_str().into_owned());
        report.with_sni = again(Aim::Look { sni: true }).await.map(|look| look.seen);
    }
    report.without_sni = again(Aim::Look { sni: false }).await.map(|look| look.seen);
    let mut stream = configured.stream;
    let mut chain = configured.chain;
    if stream.is_none()
        && let Some(unverified) = again(Aim::Unverified).await
    {
        stream = unverified.stream;
        chain = unverified.chain;
    }
    report.verification = target.verifier.as_ref().and_then(|verifier| verify(&chain, name, verifier));
    report.as_configured = configured.seen;
    if report.as_configured.certificates.is_empty() && !chain.is_empty() {
        report.as_configured.certificates = describe_all(&chain);
    }
    (report, stream.map(|stream| Box::new(stream) as Box<dyn Stream>))
}
