//! A certificate with its key, and the names that it is for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

use crate::proxy::config::CertificateWords;
use crate::proxy::keys::read_bounded;

/// What a server shows, and what it proves it with.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) certified: Arc<CertifiedKey>,
    /// DNS names of the certificate in lower case; wildcards as `*.example.com`.
    pub(super) names: Vec<String>,
}

/// The octets of a pair of files, as they were at one time.
#[derive(Debug)]
pub(super) struct Pair {
    certificate: Placed,
    key: Placed,
}

/// The octets of a file.
#[derive(Debug)]
pub(super) struct Placed {
    path: PathBuf,
    pub(super) octets: Vec<u8>,
}

impl Placed {
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let octets = read_bounded(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), octets })
    }

    /// All certificates of a PEM file; one at least.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let path = self.path.display();
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&self.octets)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("{path}: not PEM: {error}"))?;
        if certificates.is_empty() { Err(format!("{path} holds no certificate")) } else { Ok(certificates) }
    }
}

impl Pair {
    pub(super) fn read(words: &CertificateWords) -> Result<Self, String> {
        Ok(Self { certificate: Placed::read(&words.certificate)?, key: Placed::read(&words.key)? })
    }

    /// Both files, for whoever wants to know whether they changed.
    pub(super) fn octets(&self) -> [&[u8]; 2] {
        [&self.certificate.octets, &self.key.octets]
    }

    /// Fails where one of them cannot be used, or they do not belong together.
    pub(super) fn identity(&self, provider: &CryptoProvider) -> Result<Identity, String> {
        let (path, key_path) = (self.certificate.path.display(), self.key.path.display());
        let chain = self.certificate.certificates()?;
        let names = names(&chain).map_err(|error| format!("{path}: the first certificate cannot be used: {error}"))?;
        // What the parser says of a key that it cannot read never holds any of it.
        let key = PrivateKeyDer::from_pem_slice(&self.key.octets)
            .map_err(|error| format!("{key_path}: no private key: {error}"))?;
        let certified = CertifiedKey::from_der(chain, key, provider)
            .map_err(|error| format!("{path} and {key_path} do not go together: {error}"))?;
        Ok(Identity { certified: Arc::new(certified), names })
    }
}

fn names(chain: &[CertificateDer<'static>]) -> Result<Vec<String>, webpki::Error> {
    let Some(first) = chain.first() else { return Ok(Vec::new()) };
    let certificate = EndEntityCert::try_from(first)?;
    Ok(certificate.valid_dns_names().map(str::to_ascii_lowercase).collect())
}
