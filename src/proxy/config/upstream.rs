//! `[upstream.NAME]`: words that replace those of the rules.

use std::path::PathBuf;

use super::section::Section;
use super::words;

/// `[upstream.NAME]`: words that replace those of the rules.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct UpstreamWords {
    /// `file:line:column`
    pub place: String,
    /// All servers.
    pub servers: Option<Vec<ServerWords>>,
    /// Host, SNI and the name to verify.
    pub host: Option<String>,
    /// Each word replaces one of the rules; the table alone makes it TLS.
    pub tls: Option<TlsWords>,
    /// Idle connections kept, for the whole gateway.
    pub keepalive: Option<u32>,
    /// An idle connection is closed after this.
    pub keepalive_idle_ms: Option<u64>,
    /// TCP connection made.
    pub connect_ms: Option<u64>,
    /// TLS handshake done.
    pub tls_ms: Option<u64>,
    /// First octet of the answer.
    pub response_ms: Option<u64>,
    /// Between two reads or writes of a body.
    pub idle_ms: Option<u64>,
}

/// `"host:port weight=2"`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerWords {
    /// Host name or address; IPv6 without brackets.
    pub host: String,
    /// The scheme's own unless said.
    pub port: Option<u16>,
    /// Share of the requests.
    pub weight: u32,
}

/// `tls = { ... }` of an upstream.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsWords {
    /// Certificates of authorities (PEM) that are trusted besides the machine's.
    pub ca: Option<PathBuf>,
    /// Whether the certificate is verified.
    pub verify: Option<bool>,
    /// Whether SNI is sent.
    pub sni: Option<bool>,
    /// SNI and name to verify.
    pub name: Option<String>,
    /// `["1.2", "1.3"]`
    pub versions: Option<Vec<String>>,
}

/// Reads one.
pub(super) fn upstream(section: &Section<'_, '_>) -> UpstreamWords {
    section.only(&["servers", "host", "tls", "keepalive", "keepalive_idle", "timeout"]);
    let mut words = UpstreamWords {
        place: section.file.place(&section.span()),
        servers: section.all_parsed("servers", words::server),
        host: section.parsed("host", host),
        tls: section.section("tls").map(|tls| self::tls(&tls)),
        keepalive: section.number("keepalive"),
        keepalive_idle_ms: section.parsed("keepalive_idle", words::milliseconds),
        ..UpstreamWords::default()
    };
    if words.servers.as_ref().is_some_and(Vec::is_empty) && section.is_empty_list("servers") {
        let span = section.value_span("servers").unwrap_or_default();
        section.file.problem(&span, "`servers` names no server");
    }
    if let Some(timers) = section.section("timeout") {
        timers.only(&["connect", "tls", "response", "idle"]);
        words.connect_ms = timers.parsed("connect", words::milliseconds);
        words.tls_ms = timers.parsed("tls", words::milliseconds);
        words.response_ms = timers.parsed("response", words::milliseconds);
        words.idle_ms = timers.parsed("idle", words::milliseconds);
    }
    words
}

/// It is written into a head as it stands.
fn host(text: &str) -> Result<String, String> {
    let may_stand = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:[]".contains(&octet);
    let good = !text.is_empty() && text.bytes().all(may_stand);
    if good { Ok(text.to_owned()) } else { Err(format!("`{text}` is no host name")) }
}

fn tls(section: &Section<'_, '_>) -> TlsWords {
    section.only(&["ca", "verify", "sni", "name", "versions"]);
    TlsWords {
        ca: section.string("ca").map(|(path, _)| section.file.relative(&path)),
        verify: section.boolean("verify"),
        sni: section.boolean("sni"),
        name: section.parsed("name", host),
        versions: section.all_parsed("versions", words::tls_version),
    }
}
