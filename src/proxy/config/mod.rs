//! `proxy.toml`: what differs between one deployment of an artifact and another.

mod read;
mod section;
mod words;

use core::net::SocketAddr;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use words::Secret;
pub use words::parse_address;

use super::keys::read_bounded;
use super::limits::Limits;
use super::network::Network;
use super::plans::PlanSource;

/// How a policy is served.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// Where clients connect to.
    pub listeners: Vec<Listener>,
    /// Where health and counters are told; nowhere unless said.
    pub admin: Option<Address>,
    /// By the upstream's name.
    pub upstreams: BTreeMap<String, UpstreamWords>,
    /// By the plan source's name.
    pub plans: BTreeMap<String, PlansWords>,
    /// `[facts]`: the value of each fact, with its place.
    pub facts: BTreeMap<String, (String, String)>,
    /// Lists of callers' names, each name with its place.
    pub callers: BTreeMap<String, Vec<(String, String)>>,
    /// Plan sources that a program supplies itself; they go before `plans`.
    pub plan_sources: BTreeMap<String, Arc<dyn PlanSource>>,
    /// How many cores serve; 0 is all.
    pub threads: usize,
    /// How long clients are waited for.
    pub limits: Limits,
}

/// `[listener.NAME]`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listener {
    /// Its name in the rules.
    pub name: String,
    /// Where it listens.
    pub address: Address,
    /// Hops whose X-Forwarded-For and X-Forwarded-Proto count. A Unix socket's peer counts as 127.0.0.1.
    pub trusted: Vec<Network>,
}

impl Listener {
    /// A listener that trusts no hop.
    pub fn new(name: &str, address: Address) -> Self {
        Self { name: name.to_owned(), address, trusted: Vec::new() }
    }
}

/// `127.0.0.1:8080` or `unix:/run/rulec.sock`
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an interface that others write")]
pub enum Address {
    /// An address and a port; port 0 is any free one.
    Tcp(SocketAddr),
    /// The path of a socket.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

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

/// `[plans.NAME]`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlansWords {
    /// `file:line:column`
    pub place: String,
    /// The keys file.
    pub keys: PathBuf,
    /// Where the secret is that the keys are hashed with.
    pub(super) hash_key: Secret,
}

impl Config {
    /// One listener `default` at `address`.
    pub fn listen(address: Address) -> Self {
        Self { listeners: vec![Listener::new("default", address)], ..Self::default() }
    }

    /// How many cores serve.
    pub(super) fn cores(&self) -> usize {
        let all = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
        if self.threads == 0 { all } else { self.threads }
    }

    /// Reads a `proxy.toml`; paths in it are relative to its folder.
    ///
    /// # Errors
    /// Everything that is wrong with it, or that it cannot be read.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let bytes = read_bounded(path).map_err(|error| LoadError::unreadable(path, &error))?;
        let text =
            String::from_utf8(bytes).map_err(|_| LoadError::invalid(vec![format!("{}: not UTF-8", path.display())]))?;
        Self::parse(&text, path).map_err(LoadError::invalid)
    }

    /// Reads the text of a `proxy.toml` that stands at `path`.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with `file:line:column`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Vec<String>> {
        read::config(text, path)
    }
}

/// Why something could not be loaded: every reason, in the order of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadError {
    /// For a person, each with its place.
    pub problems: Vec<String>,
    /// A file could not be read, which is not its author's mistake.
    pub unreadable: bool,
}

impl LoadError {
    pub(super) fn invalid(problems: Vec<String>) -> Self {
        Self { problems, unreadable: false }
    }

    fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self { problems: vec![format!("{}: {error}", path.display())], unreadable: true }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "error: {problem}")?;
        }
        Ok(())
    }
}

impl core::error::Error for LoadError {}
