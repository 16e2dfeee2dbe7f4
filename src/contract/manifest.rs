//! The part of an artifact that people and sockets read, and the matcher does not: names, places, upstreams, plans.
//!
//! It travels as one table of JSON.

use super::cases::Case;
use serde::{Deserialize, Serialize};

/// Everything beside the decision tables. Indices are those that a decision names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the compiler.
    pub compiler: String,
    /// Names of the sources, as read.
    pub sources: Vec<String>,
    /// By upstream index.
    pub upstreams: Vec<Upstream>,
    /// By plan source index.
    pub plan_sources: Vec<PlanSource>,
    /// By fact index.
    pub facts: Vec<Fact>,
    /// By service index.
    pub services: Vec<ServiceEntry>,
    /// By location index.
    pub locations: Vec<LocationEntry>,
    /// By meter index.
    pub meters: Vec<String>,
    /// Listeners that the rules name.
    pub listeners: Vec<String>,
    /// The `test` blocks, which a proxy runs before it serves the policy.
    #[serde(default)]
    pub tests: Vec<Case>,
}

/// A service as logs and explanations name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEntry {
    /// Its name.
    pub name: String,
    /// `file:line:column`
    pub place: String,
    /// Its first exact `server_name`, for requests that say no host.
    pub host: Option<String>,
    /// Index of its plan source.
    pub plans: Option<u32>,
}

/// A location as logs and explanations name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationEntry {
    /// Modifier and pattern, nested ones as a chain: `/a/ > ~ \.php$`.
    pub display: String,
    /// What `as` gives.
    pub name: Option<String>,
    /// `file:line:column`
    pub place: String,
}

/// Servers that requests are sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// `upstream NAME external;`: `proxy.toml` says where.
    pub external: bool,
    /// In order; empty where external.
    pub servers: Vec<Server>,
    /// `host`: Host, SNI and the name to verify, unless said otherwise.
    pub host: Option<String>,
    /// `tls { }`: None is clear text.
    pub tls: Option<Tls>,
    /// Idle connections kept, for the whole gateway. Default 32.
    pub keepalive: u32,
    /// An idle connection is closed after this. Default 55 s: upstreams commonly close theirs after 60 or 75 s.
    pub keepalive_idle_ms: u64,
    /// Phase timers.
    pub timeouts: Timeouts,
    /// How servers are chosen.
    pub balance: Balance,
    /// So many failures within `fail_timeout_ms` keep a server out for as long; 0: none does. 1 unless said.
    pub max_fails: u32,
    /// See `max_fails`; 10 s unless said.
    pub fail_timeout_ms: u64,
    /// How many other servers an idempotent request is tried at, where it failed without an answer; 1 unless said.
    pub retries: u32,
    /// So many retries for a hundred requests, at most; 20 unless said.
    pub retry_budget_percent: u32,
    /// `health PATH ...`: servers are asked whether they work.
    pub health: Option<Health>,
    /// A server that has come back gets its whole share after this; 0: at once.
    pub slow_start_ms: u64,
    /// What is spoken.
    pub protocol: Protocol,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            name: String::new(),
            external: false,
            servers: Vec::new(),
            host: None,
            tls: None,
            keepalive: 32,
            keepalive_idle_ms: 55_000,
            timeouts: Timeouts::default(),
            balance: Balance::default(),
            max_fails: 1,
            fail_timeout_ms: 10_000,
            retries: 1,
            retry_budget_percent: 20,
            health: None,
            slow_start_ms: 0,
            protocol: Protocol::default(),
        }
    }
}

/// How the server of a request is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum Balance {
    /// They take turns by weight.
    #[default]
    RoundRobin,
    /// The one with the fewest requests in flight for its weight.
    LeastConn,
    /// By the hash of a text, so that equal texts go to the same server; what it is made of, as written.
    Hash(String),
}

/// What is spoken with an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum Protocol {
    /// HTTP/1.1
    #[default]
    Http1,
    /// HTTP/2, over TLS by ALPN, in clear text with prior knowledge.
    Http2,
}

/// `health PATH [interval=TIME] [timeout=TIME] [rise=N] [fall=N] [status=N[-N]];`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// What is asked for with GET.
    pub path: String,
    /// From one question to the next; 5 s.
    pub interval_ms: u64,
    /// How long the answer may take; 2 s.
    pub timeout_ms: u64,
    /// So many good answers in a row bring a server back; 2.
    pub rise: u32,
    /// So many bad ones in a row take it out; 3.
    pub fall: u32,
    /// The first status that is good; 200.
    pub status_first: u16,
    /// The last; 399.
    pub status_last: u16,
}

impl Health {
    /// Asks for `path`, the rest as it is unless said.
    pub fn new(path: String) -> Self {
        Self { path, interval_ms: 5_000, timeout_ms: 2_000, rise: 2, fall: 3, status_first: 200, status_last: 399 }
    }
}

/// One server of an upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Host name or address as written; IPv6 without brackets.
    pub host: String,
    /// 80, or 443 with TLS, unless said.
    pub port: u16,
    /// Share of the requests; 1 unless said.
    pub weight: u32,
    /// Takes requests only where no other server can.
    pub backup: bool,
    /// In place of the upstream's.
    pub max_fails: Option<u32>,
    /// In place of the upstream's.
    pub fail_timeout_ms: Option<u64>,
}

/// How an upstream is spoken to over TLS. Certificates are verified unless `verify off`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// `versions 1.2 1.3`; both unless said.
    pub versions: Vec<String>,
    /// `verify off` makes it false.
    pub verify: bool,
    /// `sni off` makes it false.
    pub sni: bool,
    /// `name N`: SNI and name to verify, where they are not the upstream's host.
    pub name: Option<String>,
}

impl Default for Tls {
    fn default() -> Self {
        Self { versions: vec!["1.2".to_owned(), "1.3".to_owned()], verify: true, sni: true, name: None }
    }
}

/// Timers of the phases of a request, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// The server's name resolved, where that is waited for; 3 s.
    pub dns_ms: u64,
    /// TCP connection made; 3 s.
    pub connect_ms: u64,
    /// TLS handshake done; 5 s.
    pub tls_ms: u64,
    /// Between two writes of the request; 60 s.
    pub send_ms: u64,
    /// First octet of the answer; 60 s.
    pub response_ms: u64,
    /// Between two reads of the answer; 60 s.
    pub idle_ms: u64,
    /// From the first attempt to the last octet of the answer; none unless said.
    pub request_ms: Option<u64>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            dns_ms: 3_000,
            connect_ms: 3_000,
            tls_ms: 5_000,
            send_ms: 60_000,
            response_ms: 60_000,
            idle_ms: 60_000,
            request_ms: None,
        }
    }
}

/// `plans NAME { ... }`: who calls, and what they bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSource {
    /// Its name.
    pub name: String,
    /// Where credentials are looked for, in order.
    pub credentials: Vec<Credential>,
    /// Plans in the order of the rules.
    pub plans: Vec<String>,
    /// Status for a caller without a credential; 401 unless said.
    pub missing: u16,
    /// Status for a credential that nobody knows; 403 unless said.
    pub unknown: u16,
    /// Status where the lookup failed; 503 unless said.
    pub failed: u16,
}

/// One place where a credential may stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// `query` or `header`.
    pub kind: CredentialKind,
    /// Name of the argument or header, in lower case.
    pub name: String,
    /// `keep`: it is sent on to the upstream.
    pub keep: bool,
}

impl Credential {
    /// A credential in `kind` `name`.
    pub fn new(kind: CredentialKind, name: String, keep: bool) -> Self {
        Self { kind, name, keep }
    }
}

/// `fact NAME VALUE...;`: something that only the host knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// What it can be.
    pub values: Vec<String>,
}

impl Fact {
    /// The fact `name`, which is one of `values`.
    pub fn new(name: String, values: Vec<String>) -> Self {
        Self { name, values }
    }
}

/// Where a credential stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum CredentialKind {
    /// An argument of the query.
    Query,
    /// A header field.
    Header,
}
