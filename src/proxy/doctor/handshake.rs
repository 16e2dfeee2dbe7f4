//! Handshakes with one address: as the gateway does them, and to see what the server has.

use core::net::IpAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::describe;
use super::client_certificate::Noticed;
use super::milliseconds;
use super::report::{Certificate, Failure, Handshake};
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::upstream::{AnyCertificate, tls};

/// What a handshake is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// As the gateway does it.
    AsConfigured,
    /// As the gateway does it, but whatever the certificate.
    Unverified,
    /// Everything the server has: whatever the certificate, and HTTP/2 offered, with SNI or without.
    Look { sni: bool },
}

/// What came of a handshake.
pub(super) struct Shaken {
    pub(super) seen: Handshake,
    /// The octets of the certificates, the server's own first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) stream: Option<TlsStream<TcpStream>>,
}

/// Makes a handshake on `socket`.
pub(super) async fn shake(
    socket: TcpStream,
    configured: &Arc<ClientConfig>,
    name: &ServerName<'static>,
    aim: Aim,
    patience: Duration,
) -> Shaken {
    let mut config = ClientConfig::clone(configured);
    // Each handshake is to be a full one.
    config.resumption = Resumption::disabled();
    let recorder = Arc::new(AnyCertificate::keeping());
    if aim != Aim::AsConfigured {
        config.dangerous().set_certificate_verifier(Arc::<AnyCertificate>::clone(&recorder));
    }
    if let Aim::Look { sni } = aim {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.enable_sni = sni;
    }
    let noticed = Arc::new(Noticed::new(Arc::clone(&config.client_auth_cert_resolver)));
    config.client_auth_cert_resolver = Arc::<Noticed>::clone(&noticed);
    let sends_name = config.enable_sni && matches!(name, ServerName::DnsName(_));
    let began = Instant::now();
    let handshake = TlsConnector::from(Arc::new(config)).connect(name.clone(), socket);
    let outcome = timeout(patience, handshake).await;
    let mut seen = Handshake { milliseconds: milliseconds(began.elapsed()), ..Handshake::default() };
    let mut chain = recorder.chain();
    let stream = match outcome {
        Ok(Ok(stream)) => {
            let connection = stream.get_ref().1;
            note(connection, &mut seen);
            chain = connection.peer_certificates().unwrap_or_default().to_vec();
            Some(stream)
        }
        Ok(Err(error)) => {
            seen.failure = Some(failure(&error, sends_name));
            None
        }
        Err(_) => {
            let code = Fault::from(UpstreamFault::TlsTimeout).code().to_owned();
            seen.failure = Some(Failure { code, detail: format!("no end of the handshake in {patience:?}") });
            None
        }
    };
    seen.certificates = describe_all(&chain);
    seen.asks_for_certificate = noticed.was_asked();
    Shaken { seen, chain, stream }
}

/// Whether there is TLS behind `socket`, whatever its certificate.
pub(super) async fn speaks_tls(socket: TcpStream, address: IpAddr, patience: Duration) -> bool {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let Ok(builder) = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions() else {
        return false;
    };
    let verifier = Arc::new(AnyCertificate::keeping());
    let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    let name = ServerName::from(address);
    let shaken = shake(socket, &Arc::new(config), &name, Aim::Unverified, patience).await;
    // An alert is TLS, too.
    shaken.stream.is_some() || shaken.seen.failure.is_some_and(|failure| failure.detail.contains("fatal alert"))
}

/// What there is to say about certificates, now.
pub(super) fn describe_all(chain: &[CertificateDer<'_>]) -> Vec<Certificate> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    chain.iter().map(|der| describe(der, now)).collect()
}

fn failure(error: &io::Error, sends_name: bool) -> Failure {
    let (fault, detail) = tls::classify(error, sends_name);
    Failure { code: Fault::from(fault).code().to_owned(), detail }
}

fn note(connection: &ClientConnection, seen: &mut Handshake) {
    seen.version = connection.protocol_version().map(|version| match version {
        ProtocolVersion::TLSv1_2 => "1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "1.3".to_owned(),
        other => format!("{other:?}"),
    });
    seen.group = connection.negotiated_key_exchange_group().map(|group| format!("{:?}", group.name()));
    seen.cipher = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    seen.alpn = connection.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned());
}
