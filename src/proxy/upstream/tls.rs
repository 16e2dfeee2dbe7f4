//! TLS towards upstreams: what is trusted, and what a failed handshake means.

use std::io;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, ClientConfig, InvalidMessage, PeerIncompatible, RootCertStore};

use super::any_certificate::AnyCertificate;
use crate::contract::manifest;
use crate::proxy::fault::UpstreamFault;

/// What files say of TLS with an upstream, as PEM.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Material {
    /// Authorities that are trusted besides the machine's own.
    pub(in crate::proxy) ca: Option<Vec<u8>>,
    /// What the gateway shows.
    pub(in crate::proxy) certificate: Option<Vec<u8>>,
    pub(in crate::proxy) key: Option<Vec<u8>>,
}

/// The configuration for one upstream.
pub(in crate::proxy) fn config(
    tls: &manifest::Tls,
    material: &Material,
    protocol: manifest::Protocol,
) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut versions = Vec::new();
    for version in &tls.versions {
        versions.push(match version.as_str() {
            "1.2" => &rustls::version::TLS12,
            "1.3" => &rustls::version::TLS13,
            other => return Err(format!("TLS {other} is not spoken, only 1.2 and 1.3")),
        });
    }
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(|error| error.to_string())?;
    let builder = if tls.verify {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(material.ca.as_deref())?), provider)
            .build()
            .map_err(|error| error.to_string())?;
        builder.with_webpki_verifier(verifier)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate::new()))
    };
    let mut config = match (&material.certificate, &material.key) {
        (Some(certificate), Some(key)) => {
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("`key` is no PEM: {error}"))?;
            builder
                .with_client_auth_cert(certificates("certificate", certificate)?, key)
                .map_err(|error| format!("`certificate` and `key` cannot be used: {error}"))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.enable_sni = tls.sni;
    let alpn: &[u8] = if protocol == manifest::Protocol::Http2 { b"h2" } else { b"http/1.1" };
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(Arc::new(config))
}

/// The certificates of a file, of which there is one at least.
fn certificates(key: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| format!("`{key}` is no PEM: {error}"))?;
    if certificates.is_empty() { Err(format!("`{key}` holds no certificate")) } else { Ok(certificates) }
}

/// Whom the gateway trusts: the machine's authorities, and those of `ca`.
pub(in crate::proxy) fn roots(ca: Option<&[u8]>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = ca {
        for certificate in certificates("ca", pem)? {
            roots.add(certificate).map_err(|error| format!("a certificate of `ca` cannot be used: {error}"))?;
        }
    }
    if roots.is_empty() {
        return Err("this machine trusts no certificate authority: name one with `tls = { ca = \"FILE\" }`".to_owned());
    }
    Ok(roots)
}

/// What a failure of TLS means, and how it says so itself; `named` where a server name was sent.
pub(in crate::proxy) fn classify(error: &io::Error, named: bool) -> (UpstreamFault, String) {
    use UpstreamFault as U;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let fault = match inner {
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof => U::TlsClosed,
            _ => U::TlsReset,
        },
        Some(rustls::Error::AlertReceived(alert)) => by_alert(*alert, named),
        Some(rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )) => U::TlsVersion,
        Some(rustls::Error::PeerIncompatible(_)) => U::TlsNoCommon,
        // What is no record at all. A record that is broken within is `TlsFailed`.
        Some(rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge,
        )) => U::TlsNotTls,
        Some(rustls::Error::InvalidCertificate(error)) => by_certificate(error),
        Some(_) => U::TlsFailed,
    };
    (fault, error.to_string())
}

/// What TLS says behind the handshake: of TLS 1.3, alerts about our certificate come only then. None where it is not TLS
/// that failed.
pub(in crate::proxy) fn behind(error: &io::Error) -> Option<UpstreamFault> {
    if error.kind() != io::ErrorKind::InvalidData {
        return None;
    }
    if error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() {
        return Some(classify(error, true).0);
    }
    // HTTP/2's library hands on no more than the text.
    let text = error.to_string();
    let is_about_ours = |alert: &AlertDescription| text.ends_with(&format!("{alert:?}"));
    Some(match text.contains("fatal alert") {
        true if ABOUT_OUR_CERTIFICATE.iter().any(is_about_ours) => UpstreamFault::TlsClientCertificate,
        true => UpstreamFault::TlsAlert,
        false => UpstreamFault::TlsFailed,
    })
}

/// Alerts about a certificate are about ours: its own a server cannot complain of.
const ABOUT_OUR_CERTIFICATE: [AlertDescription; 8] = [
    AlertDescription::BadCertificate,
    AlertDescription::UnsupportedCertificate,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateUnknown,
    AlertDescription::UnknownCA,
    AlertDescription::AccessDenied,
    AlertDescription::CertificateRequired,
];

/// What a server means by an alert.
fn by_alert(alert: AlertDescription, named: bool) -> UpstreamFault {
    use AlertDescription as A;
    use UpstreamFault as U;
    match alert {
        A::HandshakeFailure | A::UnrecognisedName | A::MissingExtension if !named => U::TlsAlertNoSni,
        A::UnrecognisedName => U::TlsUnrecognizedName,
        A::HandshakeFailure | A::InsufficientSecurity => U::TlsNoCommon,
        A::ProtocolVersion => U::TlsVersion,
        A::NoApplicationProtocol => U::TlsProtocol,
        alert if ABOUT_OUR_CERTIFICATE.contains(&alert) => U::TlsClientCertificate,
        _ => U::TlsAlert,
    }
}

fn by_certificate(error: &CertificateError) -> UpstreamFault {
    use CertificateError as C;
    match error {
        C::NotValidForName | C::NotValidForNameContext { .. } => UpstreamFault::CertificateName,
        C::Expired | C::ExpiredContext { .. } => UpstreamFault::CertificateExpired,
        C::NotValidYet | C::NotValidYetContext { .. } => UpstreamFault::CertificateNotYet,
        C::UnknownIssuer => UpstreamFault::CertificateIssuer,
        _ => UpstreamFault::Certificate,
    }
}
