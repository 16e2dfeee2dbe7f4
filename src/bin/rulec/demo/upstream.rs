//! The demo's upstreams: each answers with its name and what it received, so that one sees what the gateway sent.

use core::fmt::Write;
use core::net::{Ipv4Addr, SocketAddr};
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, http};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// How every TLS connection begins: the type of a handshake record.
const TLS_HANDSHAKE: u8 = 22;

/// A certificate of the demo's own, and what speaks TLS with it.
pub(crate) struct Identity {
    /// What the gateway has to trust.
    pub(crate) pem: String,
    acceptor: TlsAcceptor,
}

impl Identity {
    /// A certificate for `names`, good for this run.
    pub(crate) fn new(names: Vec<String>) -> Result<Self, Box<dyn core::error::Error>> {
        let made = rcgen::generate_simple_self_signed(names)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        Ok(Self { pem: made.cert.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

/// Listens on a free port, for clear text and TLS alike, and answers as `name` for as long as the runtime lives.
pub(crate) async fn start(name: &'static str, identity: &Identity) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let acceptor = identity.acceptor.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            // A connection that breaks is the gateway's to report.
            tokio::spawn(accept(name, socket, acceptor.clone()));
        }
    });
    Ok(address)
}

async fn accept(name: &'static str, socket: TcpStream, acceptor: TlsAcceptor) {
    let mut first = [0];
    let Ok(_) = socket.peek(&mut first).await else {
        return;
    };
    if first == [TLS_HANDSHAKE] {
        if let Ok(stream) = acceptor.accept(socket).await {
            serve(name, "TLS", stream).await;
        }
    } else {
        serve(name, "clear text", socket).await;
    }
}

async fn serve(name: &'static str, over: &'static str, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let echo = service_fn(move |request| echo(name, over, request));
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), echo).await.ok();
}

/// What arrived, as text: the name, the request line, the header lines, and the body behind an empty line.
async fn echo(
    name: &'static str,
    over: &'static str,
    request: Request<Incoming>,
) -> http::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let received = format!("{} {}", head.method, head.uri);
    let mut text = format!("{name} received over {over}\n{received}\n");
    for (field, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        writeln!(text, "{field}: {value}").ok();
    }
    text.push('\n');
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&body);
    let answer = Response::builder().header("content-type", "text/plain");
    // For the answer to a HEAD, which has no body.
    let answer = answer.header("x-received-by", name).header("x-received-over", over).header("x-received", received);
    // What a bucket adds, for the rules that drop it again.
    answer.header("x-amz-request-id", "demo").body(Full::new(Bytes::from(bytes)))
}
