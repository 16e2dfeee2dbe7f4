//! Authorities, certificates, and TLS clients and servers for tests.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned, SupportedProtocolVersion};

use super::harness::PATIENCE;

/// An authority of our own; its folder has its certificate in `ca.pem`, and those that it was asked to write.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(super) folder: PathBuf,
}

/// A certificate and its key.
pub(super) struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

pub(super) type TlsClient = StreamOwned<ClientConnection, TcpStream>;

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        static FOLDERS: AtomicUsize = AtomicUsize::new(0);
        let mut params = CertificateParams::new(Vec::new()).expect("params");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("certificate");
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("rulec-{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        fs::write(folder.join("ca.pem"), issuer.pem()).expect("written");
        Self { issuer, folder }
    }

    /// Writes `FILE.pem` and `FILE.key`, for `names`.
    pub(super) fn write(&self, file: &str, names: &[&str]) {
        let (certificate, key) = self.certify(names, 2000, 2090).pem();
        // As renewals do it: each file is there whole or not at all.
        for (ending, text) in [("pem", certificate), ("key", key)] {
            let (new, path) = (self.folder.join("new"), self.folder.join(format!("{file}.{ending}")));
            fs::write(&new, text).expect("written");
            fs::rename(new, path).expect("renamed");
        }
    }

    /// For `names`, valid within these years.
    pub(super) fn certify(&self, names: &[&str], from: i32, until: i32) -> Identity {
        let key = KeyPair::generate().expect("key");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("params");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        Identity { certificate: params.signed_by(&key, &self.issuer).expect("signed"), key }
    }

    /// A client that trusts this authority.
    pub(super) fn client_config(&self) -> ClientConfig {
        builder().with_root_certificates(self.roots()).with_no_client_auth()
    }

    /// A client that trusts this authority and has a certificate of it.
    pub(super) fn certified_client_config(&self) -> (ClientConfig, CertificateDer<'static>) {
        self.client_config_of(self)
    }

    /// A client that trusts this authority and has a certificate of `other`.
    pub(super) fn client_config_of(&self, other: &Self) -> (ClientConfig, CertificateDer<'static>) {
        let identity = other.certify(&["client.test"], 2000, 2090);
        let certificate = identity.certificate.der().clone();
        let builder = builder().with_root_certificates(self.roots());
        (builder.with_client_auth_cert(vec![certificate.clone()], identity.secret()).expect("client"), certificate)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("authority");
        roots
    }
}

impl Identity {
    /// As PEM, certificate and key.
    pub(super) fn pem(&self) -> (String, String) {
        (self.certificate.pem(), self.key.serialize_pem())
    }

    fn secret(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()))
    }

    /// A server that speaks `versions`, and lets in only whom `clients` has certified, if it is said.
    pub(super) fn server(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<&Authority>,
    ) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authority.roots()), provider);
                builder.with_client_cert_verifier(verifier.build().expect("verifier"))
            }
        };
        builder.with_single_cert(vec![self.certificate.der().clone()], self.secret()).expect("certificate")
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
