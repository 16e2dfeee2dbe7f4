//! Authorities, certificates and TLS clients for tests.

use core::net::SocketAddr;
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::harness::PATIENCE;

/// A folder with an authority of our own, and certificates that it signed.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(super) folder: PathBuf,
}

pub(super) type TlsClient = StreamOwned<ClientConnection, TcpStream>;

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("params");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("certificate");
        let folder = std::env::temp_dir().join(format!("rulec-listener-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        fs::write(folder.join("ca.pem"), issuer.pem()).expect("written");
        Self { issuer, folder }
    }

    /// Writes `FILE.pem` and `FILE.key`, for `names`.
    pub(super) fn write(&self, file: &str, names: &[&str]) {
        let (certificate, key) = self.sign(names);
        // As renewals do it: each file is there whole or not at all.
        for (ending, text) in [("pem", certificate.pem()), ("key", key.serialize_pem())] {
            let (new, path) = (self.folder.join("new"), self.folder.join(format!("{file}.{ending}")));
            fs::write(&new, text).expect("written");
            fs::rename(new, path).expect("renamed");
        }
    }

    fn sign(&self, names: &[&str]) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("key");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("params");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        (params.signed_by(&key, &self.issuer).expect("signed"), key)
    }

    /// A client that trusts this authority.
    pub(super) fn client_config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("authority");
        builder().with_root_certificates(roots).with_no_client_auth()
    }

    /// A client that trusts this authority and has a certificate of it.
    pub(super) fn certified_client_config(&self) -> (ClientConfig, CertificateDer<'static>) {
        self.client_config_of(self)
    }

    /// A client that trusts this authority and has a certificate of `other`.
    pub(super) fn client_config_of(&self, other: &Self) -> (ClientConfig, CertificateDer<'static>) {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("authority");
        let (certificate, key) = other.sign(&["client.test"]);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![certificate.der().clone()];
        let config = builder().with_root_certificates(roots).with_client_auth_cert(chain, key).expect("client");
        (config, certificate.der().clone())
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn builder() -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions")
}

/// The handshake done, or why not.
pub(super) fn handshake(address: SocketAddr, name: &str, config: &Arc<ClientConfig>) -> std::io::Result<TlsClient> {
    let stream = TcpStream::connect(address)?;
    handshake_on(stream, name, config)
}

pub(super) fn handshake_on(
    mut stream: TcpStream,
    name: &str,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsClient> {
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    let name = ServerName::try_from(name.to_owned()).expect("name");
    let mut session = ClientConnection::new(Arc::clone(config), name).expect("session");
    while session.is_handshaking() {
        session.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(session, stream))
}
