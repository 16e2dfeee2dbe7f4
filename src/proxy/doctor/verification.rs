//! What verification says to certificates, each of its questions asked by itself.

use core::time::Duration;
use std::sync::Arc;

use rustls::CertificateError;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

use super::certificate::begin;
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
    let in_time = !matches!(
        cause,
        Some(
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
        )
    );
    // Who looks at the time first says nothing of the issuer: it is asked about for a time when all of them held.
    let issuer_trusted = if in_time {
        !is_strangers(outcome.as_ref().err())
    } else {
        let time = chain.iter().filter_map(|der| begin(der)).max().unwrap_or_default();
        let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time).unwrap_or_default() + 1));
        !is_strangers(verifier.verify_server_cert(own, others, name, &[], time).as_ref().err())
    };
    let problem = outcome.err().map(|error| error.to_string());
    Some(Verification { name: name.to_str().into_owned(), name_fits, issuer_trusted, in_time, problem })
}

/// Nobody here trusts the issuer, or it is an authority that speaks for itself as a server.
fn is_strangers(error: Option<&rustls::Error>) -> bool {
    let Some(rustls::Error::InvalidCertificate(cause)) = error else { return false };
    matches!(cause, CertificateError::UnknownIssuer) || format!("{cause:?}").contains("CaUsedAsEndEntity")
}
