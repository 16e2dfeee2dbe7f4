//! A verifier that takes every certificate: `verify off`, and looking at what a server shows.

use std::sync::{Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};

/// The handshake's signatures are checked; whose certificate it is is not.
#[derive(Debug)]
pub(in crate::proxy) struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
    /// What came, the server's own first, also where the handshake fails later; None where nobody asks for it.
    chain: Option<Mutex<Vec<CertificateDer<'static>>>>,
}

impl AnyCertificate {
    /// One that every connection shares.
    pub(super) fn new() -> Self {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        Self { algorithms, chain: None }
    }

    /// One for a single handshake, of which [`Self::chain`] tells afterwards.
    pub(in crate::proxy) fn keeping() -> Self {
        Self { chain: Some(Mutex::default()), ..Self::new() }
    }

    /// The certificates that came, the server's own first.
    pub(in crate::proxy) fn chain(&self) -> Vec<CertificateDer<'static>> {
        let chain = self.chain.as_ref().map(|chain| chain.lock().unwrap_or_else(PoisonError::into_inner).clone());
        chain.unwrap_or_default()
    }
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(chain) = &self.chain {
            let came = core::iter::once(certificate).chain(intermediates).map(|der| der.clone().into_owned());
            *chain.lock().unwrap_or_else(PoisonError::into_inner) = came.collect();
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
