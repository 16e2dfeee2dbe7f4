//! `[upstream.NAME]`: words that replace those of the rules.

use std::path::PathBuf;

use super::section::Section;
use super::words;
use crate::contract::manifest::{self, Health, Protocol};

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
    /// Each word replaces one of the rules.
    pub timeout: TimeoutWords,
    /// How servers are chosen.
    pub balance: Option<BalanceWord>,
    /// So many failures keep a server out; 0: none does.
    pub max_fails: Option<u32>,
    /// Failures within this count, and a server is kept out for as long.
    pub fail_timeout_ms: Option<u64>,
    /// Other servers that an idempotent request is tried at.
    pub retries: Option<u32>,
    /// Retries for a hundred requests.
    pub retry_budget_percent: Option<u32>,
    /// The whole of it replaces that of the rules.
    pub health: Option<Health>,
    /// A server that has come back gets its whole share after this.
    pub slow_start_ms: Option<u64>,
    /// What is spoken.
    pub protocol: Option<Protocol>,
}

/// `timeout = { ... }`: milliseconds.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TimeoutWords {
    /// Name resolved.
    pub dns_ms: Option<u64>,
    /// TCP connection made.
    pub connect_ms: Option<u64>,
    /// TLS handshake done.
    pub tls_ms: Option<u64>,
    /// Between two writes of the request.
    pub send_ms: Option<u64>,
    /// First octet of the answer.
    pub response_ms: Option<u64>,
    /// Between two reads of the answer.
    pub idle_ms: Option<u64>,
    /// The whole request.
    pub request_ms: Option<u64>,
}

/// `balance = "..."`; templates stand in rules only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum BalanceWord {
    /// `round_robin`
    RoundRobin,
    /// `least_conn`
    LeastConn,
}

/// `"host:port weight=2"`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerWords {
    /// Host name or address; IPv6 without brackets.
    pub host: String,
    /// The scheme's own unless said.
    pub port: Option<u16>,
    /// Share of the requests.
    pub weight: u32,
    /// Takes requests only where no other server can.
    pub backup: bool,
    /// In place of the upstream's.
    pub max_fails: Option<u32>,
    /// In place of the upstream's.
    pub fail_timeout_ms: Option<u64>,
}

/// `tls = { ... }` of an upstream.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TlsWords {
    /// Certificates of authorities (PEM) that are trusted besides the machine's.
    pub ca: Option<PathBuf>,
    /// The certificate (PEM, with its chain) that the gateway shows.
    pub certificate: Option<PathBuf>,
    /// Its key (PEM).
    pub key: Option<PathBuf>,
    /// Whether the certificate is verified.
    pub verify: Option<bool>,
    /// Whether SNI is sent.
    pub sni: Option<bool>,
    /// SNI and name to verify.
    pub name: Option<String>,
    /// `["1.2", "1.3"]`
    pub versions: Option<Vec<String>>,
}

const KEYS: &[&str] = &[
    "servers",
    "host",
    "tls",
    "keepalive",
    "keepalive_idle",
    "timeout",
    "balance",
    "max_fails",
    "fail_timeout",
    "retries",
    "retry_budget",
    "health",
    "slow_start",
    "protocol",
];

/// Reads one.
pub(super) fn upstream(section: &Section<'_, '_>) -> UpstreamWords {
    section.only(KEYS);
    let words = UpstreamWords {
        place: section.file.place(&section.span()),
        servers: section.all_parsed("servers", words::server),
        host: section.parsed("host", host),
        tls: section.section("tls").map(|tls| self::tls(&tls)),
        keepalive: section.number("keepalive"),
        keepalive_idle_ms: section.parsed("keepalive_idle", words::milliseconds),
        timeout: section.section("timeout").map(|timers| timeout(&timers)).unwrap_or_default(),
        balance: section.parsed("balance", balance),
        max_fails: section.number("max_fails"),
        fail_timeout_ms: section.parsed("fail_timeout", words::milliseconds),
        retries: section.number("retries"),
        retry_budget_percent: section.parsed("retry_budget", percent),
        health: section.section("health").and_then(|section| health(&section)),
        slow_start_ms: section.parsed("slow_start", words::milliseconds),
        protocol: section.parsed("protocol", protocol),
    };
    if words.servers.as_ref().is_some_and(Vec::is_empty) && section.is_empty_list("servers") {
        let span = section.value_span("servers").unwrap_or_default();
        section.file.problem(&span, "`servers` names no server");
    }
    words
}

fn timeout(timers: &Section<'_, '_>) -> TimeoutWords {
    timers.only(&["dns", "connect", "tls", "send", "response", "idle", "request"]);
    let time = |name: &str| timers.parsed(name, words::milliseconds);
    TimeoutWords {
        dns_ms: time("dns"),
        connect_ms: time("connect"),
        tls_ms: time("tls"),
        send_ms: time("send"),
        response_ms: time("response"),
        idle_ms: time("idle"),
        request_ms: time("request"),
    }
}

fn health(section: &Section<'_, '_>) -> Option<Health> {
    section.only(&["path", "interval", "timeout", "rise", "fall", "status"]);
    if section.value_span("path").is_none() {
        section.file.problem(&section.span(), "`path` is missing");
    }
    let path = section.parsed("path", |text| {
        let is_target = |octet: u8| octet > b' ' && octet < 0x7F && octet != b'#';
        let good = text.starts_with('/') && text.bytes().all(is_target);
        if good { Ok(text.to_owned()) } else { Err(format!("`{text}` is no path that can be asked for")) }
    })?;
    let mut health = Health::new(path);
    let count = |name: &str, place: &mut u32| match section.number(name) {
        Some(0) => section.file.problem(&section.value_span(name).unwrap_or_default(), "it is at least 1"),
        Some(number) => *place = number,
        None => {}
    };
    count("rise", &mut health.rise);
    count("fall", &mut health.fall);
    health.interval_ms = section.parsed("interval", words::milliseconds).unwrap_or(health.interval_ms);
    health.timeout_ms = section.parsed("timeout", words::milliseconds).unwrap_or(health.timeout_ms);
    if let Some((first, last)) = section.parsed("status", statuses) {
        (health.status_first, health.status_last) = (first, last);
    }
    Some(health)
}

fn statuses(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let status = |text: &str| text.parse().ok().filter(|status| (100..=599).contains(status));
    match (status(first), status(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err(format!("`{text}` is no status like 200 or 200-399")),
    }
}

fn balance(text: &str) -> Result<BalanceWord, String> {
    match text {
        "round_robin" => Ok(BalanceWord::RoundRobin),
        "least_conn" => Ok(BalanceWord::LeastConn),
        _ => Err(format!("`{text}` is neither `round_robin` nor `least_conn`; `hash` stands in rules")),
    }
}

fn protocol(text: &str) -> Result<Protocol, String> {
    match text {
        "http1" => Ok(Protocol::Http1),
        "http2" => Ok(Protocol::Http2),
        _ => Err(format!("`{text}` is neither `http1` nor `http2`")),
    }
}

fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').and_then(|number| number.parse().ok());
    number.filter(|number| *number <= 100).ok_or_else(|| format!("`{text}` is no share like 20%"))
}

/// It is written into a head as it stands.
fn host(text: &str) -> Result<String, String> {
    let may_stand = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:[]".contains(&octet);
    let good = !text.is_empty() && text.bytes().all(may_stand);
    if good { Ok(text.to_owned()) } else { Err(format!("`{text}` is no host name")) }
}

fn tls(section: &Section<'_, '_>) -> TlsWords {
    section.only(&["ca", "certificate", "key", "verify", "sni", "name", "versions"]);
    let file = |name: &str| section.string(name).map(|(path, _)| section.file.relative(&path));
    for (one, other) in [("certificate", "key"), ("key", "certificate")] {
        if let (Some(span), None) = (section.value_span(one), section.value_span(other)) {
            section.file.problem(&span, &format!("`{one}` is nothing without `{other}`"));
        }
    }
    TlsWords {
        ca: file("ca"),
        certificate: file("certificate"),
        key: file("key"),
        verify: section.boolean("verify"),
        sni: section.boolean("sni"),
        name: section.parsed("name", host),
        versions: section.all_parsed("versions", words::tls_version),
    }
}

impl UpstreamWords {
    /// Puts what is said here in place of what the rules say.
    pub(in crate::proxy) fn merge(&self, upstream: &mut manifest::Upstream) {
        if let Some(words) = &self.tls {
            let tls = upstream.tls.get_or_insert_default();
            replace(&mut tls.verify, words.verify);
            replace(&mut tls.sni, words.sni);
            replace(&mut tls.versions, words.versions.clone());
            tls.name = words.name.clone().or(tls.name.take());
        }
        let port = if upstream.tls.is_some() { 443 } else { 80 };
        if let Some(servers) = &self.servers {
            upstream.servers = servers.iter().map(|server| server.manifest(port)).collect();
        }
        upstream.host = self.host.clone().or(upstream.host.take());
        replace(&mut upstream.keepalive, self.keepalive);
        replace(&mut upstream.keepalive_idle_ms, self.keepalive_idle_ms);
        self.timeout.merge(&mut upstream.timeouts);
        match self.balance {
            None => {}
            Some(BalanceWord::RoundRobin) => upstream.balance = manifest::Balance::RoundRobin,
            Some(BalanceWord::LeastConn) => upstream.balance = manifest::Balance::LeastConn,
        }
        replace(&mut upstream.max_fails, self.max_fails);
        replace(&mut upstream.fail_timeout_ms, self.fail_timeout_ms);
        replace(&mut upstream.retries, self.retries);
        replace(&mut upstream.retry_budget_percent, self.retry_budget_percent);
        upstream.health = self.health.clone().or(upstream.health.take());
        replace(&mut upstream.slow_start_ms, self.slow_start_ms);
        replace(&mut upstream.protocol, self.protocol);
    }
}

impl TimeoutWords {
    fn merge(self, timeouts: &mut manifest::Timeouts) {
        replace(&mut timeouts.dns_ms, self.dns_ms);
        replace(&mut timeouts.connect_ms, self.connect_ms);
        replace(&mut timeouts.tls_ms, self.tls_ms);
        replace(&mut timeouts.send_ms, self.send_ms);
        replace(&mut timeouts.response_ms, self.response_ms);
        replace(&mut timeouts.idle_ms, self.idle_ms);
        timeouts.request_ms = self.request_ms.or(timeouts.request_ms);
    }
}

impl ServerWords {
    fn manifest(&self, port: u16) -> manifest::Server {
        manifest::Server {
            host: self.host.clone(),
            port: self.port.unwrap_or(port),
            weight: self.weight,
            backup: self.backup,
            max_fails: self.max_fails,
            fail_timeout_ms: self.fail_timeout_ms,
        }
    }
}

fn replace<T>(place: &mut T, word: Option<T>) {
    if let Some(word) = word {
        *place = word;
    }
}
