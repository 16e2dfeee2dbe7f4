//! `[listener.NAME]`: where clients connect to.

use core::time::Duration;
use std::path::PathBuf;

use super::address::{self, Address};
use super::section::Section;
use super::words;
use crate::proxy::limits::Limits;
use crate::proxy::network::Network;

/// `[listener.NAME]`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listener {
    /// Its name in the rules.
    pub name: String,
    /// Where it listens.
    pub address: Address,
    /// Permissions of a Unix socket's file; the system's unless said.
    pub mode: Option<u32>,
    /// Hops whose word about clients counts. A Unix socket's peer counts as 127.0.0.1.
    pub trusted: Vec<Network>,
    /// In which fields trusted hops say it.
    pub forwarded: Forwarded,
    /// Every connection begins with a header of the PROXY protocol, from a trusted hop.
    pub proxy_protocol: bool,
    /// TLS, by these certificates.
    pub tls: Option<ListenerTls>,
    /// Where HTTP/2 is spoken.
    pub http2: Http2,
    /// What differs from the limits of all listeners.
    pub timeout: ClientTimers,
    /// The load balancer before it lets go of idle connections after this; only `rulec doctor` reads it.
    pub load_balancer_idle_ms: Option<u64>,
}

/// The fields that trusted hops write. Those of the other kind may be their clients' invention and are dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forwarded {
    /// X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host.
    #[default]
    XForwarded,
    /// Forwarded, as RFC 7239 has it.
    Standard,
}

/// Where HTTP/2 is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Http2 {
    /// Nowhere.
    #[default]
    Off,
    /// Where the client asks for it in the TLS handshake.
    Negotiated,
    /// On every connection, without TLS.
    PriorKnowledge,
}

/// TLS of a listener.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListenerTls {
    /// The first is for clients that name none of the others.
    pub certificates: Vec<CertificateWords>,
    /// `["1.2", "1.3"]`; empty is both.
    pub versions: Vec<String>,
    /// Whether clients show certificates.
    pub client_certificates: Option<ClientCertificates>,
}

/// `{ certificate = "words.pem", key = "words.key" }`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CertificateWords {
    /// The certificate and those between it and the authority (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub key: PathBuf,
}

/// `{ ca = "ca.pem", required = true }`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientCertificates {
    /// The authorities (PEM); no others count.
    pub ca: PathBuf,
    /// Whether a client without one is turned away.
    pub required: bool,
}

/// `timeout = { header = "30s", ... }`
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ClientTimers {
    /// From the first octet of a head to its last.
    pub header: Option<Duration>,
    /// Between two octets of a body.
    pub body: Option<Duration>,
    /// Between two octets of an answer that the client takes.
    pub write: Option<Duration>,
    /// A connection without a request.
    pub idle: Option<Duration>,
    /// PROXY header and TLS handshake.
    pub handshake: Option<Duration>,
}

impl Listener {
    /// A listener in clear text that trusts no hop.
    pub fn new(name: &str, address: Address) -> Self {
        Self {
            name: name.to_owned(),
            address,
            mode: None,
            trusted: Vec::new(),
            forwarded: Forwarded::default(),
            proxy_protocol: false,
            tls: None,
            http2: Http2::Off,
            timeout: ClientTimers::default(),
            load_balancer_idle_ms: None,
        }
    }

    /// What holds here where `all` holds elsewhere.
    pub(in crate::proxy) fn limits(&self, all: Limits) -> Limits {
        let timers = &self.timeout;
        let mut limits = all;
        limits.head_time_max = timers.header.unwrap_or(all.head_time_max);
        limits.client_body_idle_max = timers.body.unwrap_or(all.client_body_idle_max);
        limits.client_write_idle_max = timers.write.unwrap_or(all.client_write_idle_max);
        limits.client_idle_max = timers.idle.unwrap_or(all.client_idle_max);
        limits.handshake_time_max = timers.handshake.unwrap_or(all.handshake_time_max);
        limits
    }
}

const KEYS: [&str; 11] = [
    "address",
    "mode",
    "trusted",
    "forwarded",
    "proxy_protocol",
    "tls",
    "tls_versions",
    "client_certificates",
    "http2",
    "timeout",
    "load_balancer_idle",
];

/// Reads one; None where it says no address.
pub(super) fn listener(name: &str, section: &Section<'_, '_>) -> Option<Listener> {
    section.only(&KEYS);
    let tls = tls(section);
    let listener = Listener {
        name: name.to_owned(),
        address: address::read(section)?,
        mode: section.parsed("mode", mode),
        trusted: section.all_parsed("trusted", str::parse).unwrap_or_default(),
        forwarded: section.parsed("forwarded", forwarded).unwrap_or_default(),
        proxy_protocol: section.boolean("proxy_protocol").unwrap_or_default(),
        http2: http2(section, tls.is_some()),
        tls,
        timeout: section.section("timeout").map(|timers| self::timers(&timers)).unwrap_or_default(),
        load_balancer_idle_ms: section.parsed("load_balancer_idle", words::milliseconds),
    };
    agree(&listener, section);
    Some(listener)
}

/// What can be right only together.
fn agree(listener: &Listener, section: &Section<'_, '_>) {
    let unless = |is_right: bool, key: &str, message: &str| {
        if let Some(span) = section.value_span(key).filter(|_| !is_right) {
            section.file.problem(&span, message);
        }
    };
    let of_a_file = matches!(listener.address, Address::Unix(_));
    unless(of_a_file, "mode", "only the file of a Unix socket has a mode");
    let says_trusted = !listener.trusted.is_empty();
    unless(says_trusted || !listener.proxy_protocol, "proxy_protocol", "say in `trusted` whose PROXY headers count");
    unless(says_trusted, "forwarded", "say in `trusted` whose word counts");
}

fn tls(section: &Section<'_, '_>) -> Option<ListenerTls> {
    let pairs = section.tables("tls");
    let says_none = pairs.as_ref().map_or(section.value_span("tls").is_none(), Vec::is_empty);
    if says_none {
        for key in ["tls", "tls_versions", "client_certificates"] {
            if let Some(span) = section.value_span(key) {
                section.file.problem(&span, "`tls` names no certificate");
            }
        }
    }
    let certificates = pairs?.iter().filter_map(certificate).collect();
    let clients = section.section("client_certificates");
    Some(ListenerTls {
        certificates,
        versions: section.all_parsed("tls_versions", words::tls_version).unwrap_or_default(),
        client_certificates: clients.and_then(|section| client_certificates(&section)),
    })
}

fn certificate(section: &Section<'_, '_>) -> Option<CertificateWords> {
    section.only(&["certificate", "key"]);
    let (certificate, key) = (section.path("certificate"), section.path("key"));
    Some(CertificateWords { certificate: certificate?, key: key? })
}

fn client_certificates(section: &Section<'_, '_>) -> Option<ClientCertificates> {
    section.only(&["ca", "required"]);
    Some(ClientCertificates { ca: section.path("ca")?, required: section.boolean("required").unwrap_or(true) })
}

fn http2(section: &Section<'_, '_>, is_tls: bool) -> Http2 {
    let default = if is_tls { Http2::Negotiated } else { Http2::Off };
    let Some(span) = section.value_span("http2") else { return default };
    if section.is_string("http2") {
        let word = section.parsed("http2", |word| match word {
            "prior_knowledge" => Ok(Http2::PriorKnowledge),
            _ => Err("expected true, false or \"prior_knowledge\"".to_owned()),
        });
        if is_tls {
            section.file.problem(&span, "on TLS the handshake says what is spoken: `http2 = true`");
        }
        return word.unwrap_or(default);
    }
    match section.boolean("http2") {
        Some(true) if !is_tls => {
            section.file.problem(&span, "without TLS nobody asks for it: `http2 = \"prior_knowledge\"`");
            default
        }
        Some(true) => Http2::Negotiated,
        Some(false) => Http2::Off,
        None => default,
    }
}

fn timers(section: &Section<'_, '_>) -> ClientTimers {
    section.only(&["header", "body", "write", "idle", "handshake"]);
    let timer = |key| section.parsed(key, words::milliseconds).map(Duration::from_millis);
    ClientTimers {
        header: timer("header"),
        body: timer("body"),
        write: timer("write"),
        idle: timer("idle"),
        handshake: timer("handshake"),
    }
}

/// `0660`
fn mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777 && !text.starts_with('+'));
    mode.ok_or_else(|| format!("`{text}` are no permissions like 0660"))
}

fn forwarded(text: &str) -> Result<Forwarded, String> {
    match text {
        "x-forwarded" => Ok(Forwarded::XForwarded),
        "rfc7239" => Ok(Forwarded::Standard),
        _ => Err("expected \"x-forwarded\" or \"rfc7239\"".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::proxy::config::Config;

    fn read(text: &str) -> Result<Listener, Vec<String>> {
        Config::parse(text, Path::new("etc/proxy.toml")).map(|config| config.listeners[0].clone())
    }

    #[test]
    fn everything_that_a_listener_can_say_is_read() {
        let listener = read(
            r#"
            [listener.a]
            address = "unix:/run/a.sock"
            mode = "0660"
            trusted = ["127.0.0.1"]
            forwarded = "rfc7239"
            proxy_protocol = true
            tls = [{ certificate = "a.pem", key = "/etc/a.key" }, { certificate = "b.pem", key = "b.key" }]
            tls_versions = ["1.3"]
            client_certificates = { ca = "ca.pem", required = false }
            http2 = true
            timeout = { header = "5s", handshake = "1s" }
            "#,
        );
        let listener = listener.unwrap();
        assert_eq!((listener.mode, listener.forwarded), (Some(0o660), Forwarded::Standard));
        let tls = listener.tls.as_ref().unwrap();
        assert_eq!(tls.certificates[0].certificate, Path::new("etc/a.pem"));
        assert_eq!(tls.certificates[0].key, Path::new("/etc/a.key"));
        assert_eq!((tls.certificates.len(), &tls.versions[..]), (2, &["1.3".to_owned()][..]));
        assert!(!tls.client_certificates.as_ref().unwrap().required);
        assert_eq!(listener.http2, Http2::Negotiated);
        let limits = listener.limits(Limits::default());
        assert_eq!(limits.head_time_max, Duration::from_secs(5));
        assert_eq!(limits.handshake_time_max, Duration::from_secs(1));
        assert_eq!(limits.client_idle_max, Limits::default().client_idle_max);
    }

    #[test]
    fn words_that_contradict_each_other_are_told() {
        let check = |words: &str, expect: &str| {
            let problems = read(&format!("[listener.a]\naddress = \":1\"\n{words}")).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(expect), "{words}: {problems:?}");
        };
        check("mode = \"0660\"", "only the file of a Unix socket");
        check("proxy_protocol = true", "say in `trusted`");
        check("forwarded = \"rfc7239\"", "say in `trusted`");
        check("forwarded = \"x\"\ntrusted = [\"::1\"]", "expected \"x-forwarded\"");
        check("tls = []", "names no certificate");
        check("tls_versions = [\"1.2\"]", "names no certificate");
        check("tls = [{ certificate = \"a\" }]", "`key` is missing");
        check("tls = { certificate = \"a\" }", "a list of tables");
        check("tls = [{ certificate = \"a\", key = \"b\" }]\ntls_versions = [\"1.1\"]", "TLS 1.1 is not spoken");
        check("tls = [{ certificate = \"a\", key = \"b\" }]\nhttp2 = \"prior_knowledge\"", "the handshake says");
        check("http2 = true", "nobody asks for it");
        check("timeout = { header = \"5\" }", "no time like");
    }
}
