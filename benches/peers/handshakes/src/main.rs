//! Full TLS 1.3 handshakes with one GET each, as many as one core gives: `handshakes PORT PATH CONNECTIONS`.
//!
//! h2load needs more for its side of a handshake than the proxies for theirs: they would wait for it. This one does
//! what is left when nothing is verified. It prints how many were answered with 200, seconds, and the microseconds of
//! the median and of the 99th of a hundred.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Connections at once.
const AT_ONCE: usize = 64;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or_else(|| io::Error::other("handshakes PORT PATH CONNECTIONS"));
    let (port, path, connections) = (next()?, next()?, next()?);
    let port = port.parse().map_err(io::Error::other)?;
    let left = Rc::new(Cell::new(connections.parse::<usize>().map_err(io::Error::other)?));
    let (times, began) = (Rc::new(RefCell::new(Vec::new())), Instant::now());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    for _ in 0..AT_ONCE {
        let (left, times, path) = (Rc::clone(&left), Rc::clone(&times), path.clone());
        let connector = TlsConnector::from(config());
        local.spawn_local(async move {
            while left.get() > 0 {
                left.set(left.get() - 1);
                let began = Instant::now();
                if ask(&connector, port, &path).await.unwrap_or(false) {
                    times.borrow_mut().push(began.elapsed());
                }
            }
        });
    }
    runtime.block_on(local);
    let mut times = times.take();
    times.sort_unstable();
    let share = |hundredths: usize| times.get(times.len() * hundredths / 100).map_or(0, Duration::as_micros);
    println!("{} {:.6} {} {}", times.len(), began.elapsed().as_secs_f64(), share(50), share(99));
    Ok(())
}

/// Whether the answer is a 200.
async fn ask(connector: &TlsConnector, port: u16, path: &str) -> io::Result<bool> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from("bench.test").map_err(io::Error::other)?;
    let mut stream = connector.connect(name, socket).await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: bench.test\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::with_capacity(4096);
    while !answer.ends_with(b"x") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Ok(false);
        }
    }
    stream.shutdown().await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

fn config() -> Arc<ClientConfig> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    // What browsers offer first.
    provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256];
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("aws-lc speaks TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// Believes everything, and computes nothing.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
