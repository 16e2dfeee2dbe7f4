//! Handshakes: with SNI and without, certificates that fit and do not, and nothing in common.

use super::super::Folder;
use super::servers::{Server, nginx, openssl};
use super::{codes, examine, finding, first_address};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};

/// An authority in `ca.pem`, and certificates from it in files.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new(folder: &Folder) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Words CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        folder.file("ca.pem", &issuer.pem());
        Self { issuer }
    }

    /// Writes a certificate for `name` that ends at the beginning of `year`.
    pub(super) fn certify(&self, folder: &Folder, name: &str, year: i32) {
        self.certify_for(folder, name, year, &[]);
    }

    /// The same, for `purposes` only.
    pub(super) fn certify_for(&self, folder: &Folder, name: &str, year: i32, purposes: &[ExtendedKeyUsagePurpose]) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        params.extended_key_usages = purposes.to_vec();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        folder.file(&format!("{name}.pem"), &certificate.pem());
        folder.file(&format!("{name}.key"), &key.serialize_pem());
    }
}

/// What is said of `server` as an upstream with `words`, and `tls` in `proxy.toml`.
pub(super) fn said(folder: &Folder, server: &Server, words: &str, tls: &str) -> (serde_json::Value, i32) {
    let tls = if tls.is_empty() { String::new() } else { format!("[upstream.api]\ntls = {{ {tls} }}\n") };
    let config = folder.file("proxy.toml", &tls);
    let upstream = format!("server 127.0.0.1:{}; {words}", server.port);
    examine(folder, &upstream, &["--config", config.to_str().unwrap(), "--timeout", "3s"])
}

pub(super) const STRICT: &str = "host api.test; tls { }";
pub(super) const TRUSTED: &str = "ca = \"ca.pem\"";

pub(super) fn nginx_with(folder: &Folder, servers: &str) -> Server {
    let server = "server { listen 127.0.0.1:PORT ssl http2; server_name api.test; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate api.test.pem; \
                  ssl_certificate_key api.test.key; return 200 hello; }\n";
    nginx(folder, &format!("{servers}\n{server}"))
}

#[test]
fn a_good_server_is_told_in_every_detail() {
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "api.test", 2090);
    let server = nginx_with(&folder, "");
    let (report, status) = said(&folder, &server, STRICT, TRUSTED);
    assert_eq!((codes(&report, "error").len(), codes(&report, "warning").len(), status), (0, 0, 0), "{report:#}");
    let tls = &first_address(&report)["tls"];
    let configured = &tls["as_configured"];
    assert_eq!(configured["version"], "1.3");
    assert!(configured["cipher"].as_str().unwrap().starts_with("TLS13_AES"), "{configured}");
    assert!(["X25519", "X25519MLKEM768"].contains(&configured["group"].as_str().unwrap()), "{configured}");
    let certificate = &configured["certificates"][0];
    assert_eq!((&certificate["subject"], &certificate["issuer"]), (&"api.test".into(), &"Words CA".into()));
    assert_eq!(
        (&certificate["names"][0], &certificate["not_after"]),
        (&"api.test".into(), &"2090-01-01T00:00:00Z".into())
    );
    assert_eq!(tls["verification"]["problem"], serde_json::Value::Null);
    // HTTP/2 is offered, and the gateway speaks HTTP/1.1.
    assert_eq!(tls["with_sni"]["alpn"], "h2");
    assert_eq!(codes(&report, "info"), ["doctor.http2.unused"]);
    assert_eq!(first_address(&report)["http"]["status"], 200);
}

#[test]
fn a_01_sni_that_is_missing_is_told_with_what_the_server_does() {
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "api.test", 2090);
    let server = nginx_with(&folder, "server { listen 127.0.0.1:PORT ssl default_server; ssl_reject_handshake on; }");
    // The rules' name is said: only others fail.
    let (report, status) = said(&folder, &server, STRICT, TRUSTED);
    assert_eq!((codes(&report, "error").len(), status), (0, 0), "{report:#}");
    assert!(
        finding(&report, "doctor.tls.needs_sni")["what"].as_str().unwrap().contains("UnrecognisedName"),
        "{report:#}"
    );
    for (words, tls) in [(STRICT, "ca = \"ca.pem\", sni = false"), (STRICT, "ca = \"ca.pem\", name = \"127.0.0.1\"")] {
        let (report, status) = said(&folder, &server, words, tls);
        assert_eq!((codes(&report, "error")[0].as_str(), status), ("doctor.tls.sni_missing", 1), "{words}: {report:#}");
    }
}

#[test]
fn a_01_another_certificate_without_sni_is_seen() {
    let folder = Folder::new();
    let authority = Authority::new(&folder);
    authority.certify(&folder, "api.test", 2090);
    authority.certify(&folder, "other.test", 2090);
    let other = "server { listen 127.0.0.1:PORT ssl default_server; ssl_certificate other.test.pem; \
                 ssl_certificate_key other.test.key; return 404; }";
    let server = nginx_with(&folder, other);
    let (report, status) = said(&folder, &server, STRICT, TRUSTED);
    assert_eq!((codes(&report, "error").len(), status), (0, 0), "{report:#}");
    assert!(finding(&report, "doctor.tls.needs_sni")["what"].as_str().unwrap().contains("other.test"), "{report:#}");
    let (report, status) = said(&folder, &server, STRICT, "ca = \"ca.pem\", sni = false");
    assert_eq!((codes(&report, "error"), status), (vec!["doctor.tls.sni_missing".to_owned()], 1), "{report:#}");
}

#[test]
fn a_03_each_reason_why_verification_fails_is_told() {
    let folder = Folder::new();
    let authority = Authority::new(&folder);
    authority.certify(&folder, "api.test", 2090);
    authority.certify(&folder, "old.test", 2020);
    let codes_of = |certificate: &str, words: &str, tls: &str| {
        let server = openssl(&folder, certificate, &[]);
        let (report, _) = said(&folder, &server, words, tls);
        let mut found = codes(&report, "error");
        found.retain(|code| code.starts_with("doctor.tls"));
        found
    };
    assert_eq!(codes_of("api.test", "host else.test; tls { }", TRUSTED), ["doctor.tls.name"]);
    assert_eq!(codes_of("old.test", "host old.test; tls { }", TRUSTED), ["doctor.tls.expired"]);
    assert_eq!(codes_of("old.test", "host else.test; tls { }", TRUSTED), ["doctor.tls.name", "doctor.tls.expired"]);
    assert_eq!(codes_of("api.test", STRICT, ""), ["doctor.tls.issuer"]);
    // Whoever renews it is not to be told of the next trouble only then.
    assert_eq!(codes_of("old.test", "host old.test; tls { }", ""), ["doctor.tls.expired", "doctor.tls.issuer"]);
    let server = openssl(&folder, "api.test", &[]);
    let (report, _) = said(&folder, &server, "host api.test; tls { verify off; }", TRUSTED);
    assert!(finding(&report, "doctor.tls.unverified")["instead"].as_str().unwrap().contains("take `verify off` away"));
}

#[test]
fn a_certificate_that_ends_soon_is_told() {
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "api.test", 2090);
    // Ten days from now: OpenSSL counts them.
    let mut command = std::process::Command::new("openssl");
    command.current_dir(&folder.0).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ]);
    command.args(["-keyout", "soon.key", "-out", "soon.pem", "-days", "10", "-subj", "/CN=api.test"]);
    command.args(["-addext", "subjectAltName=DNS:api.test", "-addext", "basicConstraints=critical,CA:FALSE"]);
    assert!(command.output().unwrap().status.success());
    std::fs::copy(folder.path("soon.pem"), folder.path("ca.pem")).unwrap();
    let server = openssl(&folder, "soon", &[]);
    let (report, _) = said(&folder, &server, "host api.test; tls { verify off; }", TRUSTED);
    let found = finding(&report, "doctor.tls.expires_soon");
    assert!(found["what"].as_str().unwrap().contains("days are left"), "{found}");
}

#[test]
fn a_02_nothing_in_common_is_told_with_what_would_be() {
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "api.test", 2090);
    let check = |arguments: &[&str], words: &str| {
        let server = openssl(&folder, "api.test", arguments);
        let (report, status) = said(&folder, &server, words, TRUSTED);
        let found = codes(&report, "error");
        assert_eq!((found[0].as_str(), status), ("doctor.tls.nothing_in_common", 1), "{arguments:?}: {report:#}");
    };
    // A group that the gateway does not have, an old cipher, a version that the rules forbid.
    check(&["-tls1_3", "-groups", "secp521r1"], STRICT);
    check(&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], STRICT);
    check(&["-tls1_2"], "host api.test; tls { versions 1.3; }");
}

#[test]
fn an_old_server_with_one_odd_cipher_is_seen_as_it_is() {
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "api.test", 2090);
    let server =
        openssl(&folder, "api.test", &["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305", "-groups", "P-384"]);
    let (report, _) = said(&folder, &server, STRICT, TRUSTED);
    let configured = &first_address(&report)["tls"]["as_configured"];
    assert_eq!(configured["version"], "1.2", "{report:#}");
    assert_eq!(configured["cipher"], "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    assert_eq!(configured["group"], "secp384r1");
    finding(&report, "doctor.tls.old_version");
}

#[test]
fn tls_where_clear_text_is_meant_and_the_reverse_are_told() {
    let folder = Folder::new();
    Authority::new(&folder).certify(&folder, "api.test", 2090);
    let secure = nginx_with(&folder, "");
    let (report, status) = said(&folder, &secure, "", "");
    assert_eq!((codes(&report, "error"), status), (vec!["doctor.tls.missing".to_owned()], 1), "{report:#}");
    let openssl = openssl(&folder, "api.test", &[]);
    let (report, _) = said(&folder, &openssl, "", "");
    assert_eq!(codes(&report, "error"), ["doctor.tls.missing"], "{report:#}");
    let clear = nginx(&folder, "server { listen 127.0.0.1:PORT; return 301 https://$host/; }");
    let (report, status) = said(&folder, &clear, STRICT, TRUSTED);
    assert_eq!((codes(&report, "error"), status), (vec!["doctor.tls.not_spoken".to_owned()], 1), "{report:#}");
    let (report, _) = said(&folder, &clear, "", "");
    assert_eq!(codes(&report, "warning"), ["doctor.http.wants_tls"], "{report:#}");
}

#[test]
fn sni_and_host_that_contradict_each_other_are_told() {
    let folder = Folder::new();
    let authority = Authority::new(&folder);
    authority.certify(&folder, "api.test", 2090);
    let server = nginx_with(&folder, "");
    let (report, _) = said(&folder, &server, "host media.test; tls { }", "ca = \"ca.pem\", name = \"api.test\"");
    assert_eq!(codes(&report, "warning"), ["doctor.host.contradicts_sni"], "{report:#}");
    let strict = nginx(
        &folder,
        "server { listen 127.0.0.1:PORT ssl; ssl_certificate api.test.pem; ssl_certificate_key api.test.key; \
         if ($host != $ssl_server_name) { return 421; } return 200 hello; }",
    );
    let (report, _) = said(&folder, &strict, "host media.test; tls { }", "ca = \"ca.pem\", name = \"api.test\"");
    assert_eq!(codes(&report, "error"), ["doctor.host.misdirected"], "{report:#}");
}
