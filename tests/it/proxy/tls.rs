//! TLS towards upstreams: SNI and verification, and each way it can fail.

use core::time::Duration;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rulec::proxy::Config;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::harness::{Answer, Gateway, Upstream};

/// An authority of our own, its certificate in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("params");
        // Two authorities of one name would differ by their signatures only.
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("key")).expect("certificate");
        let folder = std::env::temp_dir().join(format!("rulec-tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        std::fs::write(folder.join("ca.pem"), issuer.pem()).expect("written");
        Self { issuer, folder }
    }

    /// A certificate for `name`; `expired` ended in 2020.
    fn certify(&self, name: &str, expired: bool) -> Arc<CertifiedKey> {
        let key = KeyPair::generate().expect("key");
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("params");
        if expired {
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&secret).expect("key type");
        Arc::new(CertifiedKey::new(vec![certificate.der().clone()], signer))
    }

    fn config(&self) -> Config {
        self.config_with("")
    }

    /// `words` stand beside `ca` in the upstream's `tls`.
    fn config_with(&self, words: &str) -> Config {
        let text = format!(
            "[listener.default]\naddress = \"127.0.0.1:0\"\n[upstream.api]\ntls = {{ ca = \"ca.pem\" {words} }}\n"
        );
        let mut config = Config::parse(&text, &self.folder.join("proxy.toml")).expect("config");
        config.threads = 1;
        config
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Gives one certificate to everyone and notes the name that was asked for.
#[derive(Debug)]
struct Asked {
    key: Arc<CertifiedKey>,
    names: Mutex<Vec<Option<String>>>,
}

impl ResolvesServerCert for Asked {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.names.lock().expect("names").push(hello.server_name().map(str::to_owned));
        Some(Arc::clone(&self.key))
    }
}

fn upstream(key: Arc<CertifiedKey>, versions: &[&'static rustls::SupportedProtocolVersion]) -> (Upstream, Arc<Asked>) {
    let asked = Arc::new(Asked { key, names: Mutex::default() });
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::<Asked>::clone(&asked));
    (echo(config), asked)
}

fn echo(config: rustls::ServerConfig) -> Upstream {
    let config = Arc::new(config);
    Upstream::wrapped(
        move |stream| {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).expect("session");
            Box::new(rustls::StreamOwned::new(session, stream))
        },
        |_, wire, seen| {
            while let Some(request) = seen.read(wire) {
                wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.len()));
                wire.send(request);
            }
        },
    )
}

fn rules(port: u16, words: &str) -> String {
    format!(
        "upstream api {{ server 127.0.0.1:{port}; {words} timeout tls=300ms; }} service all default {{ location / {{ proxy api; }} }}"
    )
}

fn get(gateway: &Gateway) -> Answer {
    gateway.ask("GET / HTTP/1.1\r\nHost: client.test\r\n\r\n")
}

#[test]
fn g_01_sni_and_host_are_the_upstreams_and_the_certificate_is_verified() {
    let authority = Authority::new("sni");
    for version in rustls::ALL_VERSIONS {
        let (upstream, asked) = upstream(authority.certify("api.test", false), &[version]);
        let gateway = Gateway::with(&rules(upstream.port, "host api.test; tls { }"), &authority.config());
        for _ in 0..3 {
            let answer = get(&gateway);
            assert!(answer.text().contains("\r\nHost: api.test\r\n"), "{answer:?}");
        }
        assert_eq!(*asked.names.lock().expect("names"), [Some("api.test".to_owned())], "one connection, one name");
    }
}

#[test]
fn g_02_an_address_is_verified_and_no_sni_sent() {
    let authority = Authority::new("address");
    let (upstream, asked) = upstream(authority.certify("127.0.0.1", false), rustls::ALL_VERSIONS);
    let gateway = Gateway::with(
        &rules(upstream.port, "host api.test; tls { }"),
        &authority.config_with(", name = \"127.0.0.1\""),
    );
    assert_eq!(get(&gateway).status, 200);
    assert_eq!(*asked.names.lock().expect("names"), [None]);
}

#[test]
fn a_03_certificates_that_do_not_fit_are_told_apart() {
    let (authority, other) = (Authority::new("fit"), Authority::new("other"));
    let code = |key: Arc<CertifiedKey>, words: &str| {
        let (upstream, _) = upstream(key, rustls::ALL_VERSIONS);
        let gateway = Gateway::with(&rules(upstream.port, words), &authority.config());
        let answer = get(&gateway);
        let log = gateway.stop();
        assert!(
            answer.status == 200 || log[0]["detail"].as_str().is_some_and(|detail| detail.contains("api.test")),
            "{log:?}"
        );
        if answer.status == 200 { String::new() } else { answer.code() }
    };
    let strict = "host api.test; tls { }";
    assert_eq!(code(authority.certify("elsewhere.test", false), strict), "upstream.tls.certificate_name");
    assert_eq!(code(authority.certify("api.test", true), strict), "upstream.tls.certificate_expired");
    assert_eq!(code(other.certify("api.test", false), strict), "upstream.tls.certificate_issuer");
    assert_eq!(code(other.certify("elsewhere.test", true), "host api.test; tls { verify off; }"), "");
    let (upstream, asked) = upstream(authority.certify("other.test", false), rustls::ALL_VERSIONS);
    let named = authority.config_with(", name = \"other.test\"");
    assert_eq!(get(&Gateway::with(&rules(upstream.port, strict), &named)).status, 200);
    assert_eq!(*asked.names.lock().expect("names"), [Some("other.test".to_owned())]);
}

#[test]
fn a_02_a_03_handshakes_that_fail_are_told_apart() {
    let authority = Authority::new("handshake");
    let code = |upstream: &Upstream, words: &str| {
        let gateway = Gateway::with(&rules(upstream.port, words), &authority.config());
        let answer = get(&gateway);
        assert!(answer.status == 502 || answer.status == 504);
        answer.code()
    };
    let silent = Upstream::start(|_, _, _| thread::sleep(Duration::from_secs(3)));
    assert_eq!(code(&silent, "host api.test; tls { }"), "upstream.tls.handshake_timeout");
    let closes = Upstream::start(|_, wire, _| {
        // A socket that is closed with octets unread resets the connection instead.
        drop(std::io::Read::read(&mut wire.stream, &mut [0; 16384]));
    });
    assert_eq!(code(&closes, "host api.test; tls { }"), "upstream.tls.closed");
    let talks = Upstream::start(|_, wire, _| {
        let mut octets = [0; 1024];
        drop(std::io::Read::read(&mut wire.stream, &mut octets));
        wire.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        drop(wire.stream.flush());
    });
    assert_eq!(code(&talks, "host api.test; tls { }"), "upstream.tls.not_tls");
    let (modern, _) = upstream(authority.certify("api.test", false), &[&rustls::version::TLS13]);
    assert_eq!(code(&modern, "host api.test; tls { versions 1.2; }"), "upstream.tls.version");
}

#[test]
fn a_truncated_answer_over_tls_is_no_end() {
    let authority = Authority::new("truncated");
    let (key, provider) =
        (authority.certify("api.test", false), Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Asked { key, names: Mutex::default() }));
    let config = Arc::new(config);
    let upstream = Upstream::wrapped(
        move |stream| {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).expect("session");
            Box::new(rustls::StreamOwned::new(session, stream))
        },
        // Ends with the connection, and without the alert that says so.
        |_, wire, seen| {
            seen.read(wire);
            wire.send("HTTP/1.1 200 OK\r\n\r\nhello");
        },
    );
    let gateway = Gateway::with(&rules(upstream.port, "host api.test; tls { }"), &authority.config());
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.read_answer(false).is_none_or(|answer| !answer.whole));
}

#[test]
fn the_certificate_of_proxy_toml_is_shown_to_who_asks_for_one() {
    let authority = Authority::new("client");
    let key = KeyPair::generate().expect("key");
    let params = CertificateParams::new(vec!["gateway.test".to_owned()]).expect("params");
    let certificate = params.signed_by(&key, &authority.issuer).expect("signed");
    std::fs::write(authority.folder.join("own.pem"), certificate.pem()).expect("written");
    std::fs::write(authority.folder.join("own.key"), key.serialize_pem()).expect("written");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.issuer.der().clone()).expect("root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("verifier"))
        .with_cert_resolver(Arc::new(Asked { key: authority.certify("127.0.0.1", false), names: Mutex::default() }));
    let upstream = echo(config);
    let rules = rules(upstream.port, "host 127.0.0.1;");
    let shown = authority.config_with(", certificate = \"own.pem\", key = \"own.key\"");
    assert_eq!(get(&Gateway::with(&rules, &shown)).status, 200);
    assert_eq!(get(&Gateway::with(&rules, &authority.config())).status, 502);
}
