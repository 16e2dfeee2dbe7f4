//! What verification says to certificates, each of its questions asked by itself.

use std::sync::Arc;

use rustls::CertificateError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

use super::report::Verification;
use crate::proxy::upstream::tls;

/// What knows whom the gateway trusts; None where that is nobody. Reading the machine's authorities takes a while.
pub(super) fn verifier(ca: Option<&[u8]>) -> Option<Arc<WebPkiServerVerifier>> {
    let roots = tls::roots(ca).ok()?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()
}

/// Answers for `chain`, the server's own certificate first; None where there is none.
pub(super) fn verify(
    chain: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    verifier: &WebPkiServerVerifier,
) -> Option<Verification> {
    let (own, others) = chain.split_first()?;
    let name_fits = ParsedCertificate::try_from(own).is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok());
    let outcome = verifier.verify_server_cert(own, others, name, &[], UnixTime::now());
    let cause = match &outcome {
        Err(rustls::Error::InvalidCertificate(cause)) => Some(cause),
        _ => None,
    };
    let is_authority = cause.is_some_and(|cause| format!("{cause:?}").contains("CaUsedAsEndEntity"));
    let issuer_trusted = !is_authority && !matches!(cause, Some(CertificateError::UnknownIssuer));
    let in_time = !matches!(
        cause,
        Some(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        )
    );
    let problem = outcome.err().map(|error| error.to_string());
    Some(Verification { name: name.to_str().into_owned(), name_fits, issuer_trusted, in_time, problem })
}
