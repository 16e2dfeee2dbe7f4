//! The part of an artifact that people and sockets read, and the matcher does not: names, places, upstreams, plans.
//!
//! It travels as one table of JSON.

use serde::{Deserialize, Serialize};

/// Everything beside the decision tables. Indices are those that a decision names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
}

/// A service as logs and explanations name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct LocationEntry {
    /// Modifier and pattern, nested ones as a chain: `/a/ > ~ \.php$`.
    pub display: String,
    /// What `as` gives.
    pub name: Option<String>,
    /// `file:line:column`
    pub place: String,
}

/// Servers that requests are sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
}

/// One server of an upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Server {
    /// Host name or address as written; IPv6 without brackets.
    pub host: String,
    /// 80, or 443 with TLS, unless said.
    pub port: u16,
    /// Share of the requests; 1 unless said.
    pub weight: u32,
}

/// How an upstream is spoken to over TLS. Certificates are verified unless `verify off`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
#[non_exhaustive]
pub struct Timeouts {
    /// TCP connection made; 3 s.
    pub connect_ms: u64,
    /// TLS handshake done; 5 s.
    pub tls_ms: u64,
    /// First octet of the answer; 60 s.
    pub response_ms: u64,
    /// Between two reads or writes of a body; 60 s.
    pub idle_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 3_000, tls_ms: 5_000, response_ms: 60_000, idle_ms: 60_000 }
    }
}

/// `plans NAME { ... }`: who calls, and what they bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
#[non_exhaustive]
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
#[non_exhaustive]
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
