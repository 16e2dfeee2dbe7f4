//! `proxy.toml`: what differs between one deployment of an artifact and another.

mod address;
mod admin;
mod dns;
mod listener;
mod log;
mod plans;
mod read;
mod section;
mod upstream;
mod words;

use crate::visible;
use core::net::SocketAddr;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use address::{Address, parse_address};
pub use listener::{CertificateWords, ClientCertificates, ClientTimers, Forwarded, Http2, Listener, ListenerTls};
pub use log::{LogPlace, LogWords, parse_log_place};
pub use plans::PlansWords;
pub use upstream::{BalanceWord, ServerWords, TimeoutWords, TlsWords, UpstreamWords};
pub(super) use words::Secret;
pub use words::parse_time;

use super::keys::read_bounded;
use super::limits::Limits;
use super::plans::PlanSource;

/// How a policy is served.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// Where clients connect to.
    pub listeners: Vec<Listener>,
    /// Where health and counters are told; nowhere unless said.
    pub admin: Option<Address>,
    /// What they are asked for who want to know more than whether the gateway lives.
    pub(super) admin_token: Option<Secret>,
    /// `[log]`
    pub log: LogWords,
    /// By the upstream's name.
    pub upstreams: BTreeMap<String, UpstreamWords>,
    /// By the plan source's name.
    pub plans: BTreeMap<String, PlansWords>,
    /// `[dns]`: the servers that resolve names; none: the system's.
    pub dns: Vec<SocketAddr>,
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

    /// The files that are read besides `proxy.toml` whenever a policy is: with another content they make it another one.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for plans in self.plans.values() {
            files.push(plans.keys.clone());
            files.extend(plans.hash_key.file().map(Path::to_owned));
        }
        for tls in self.upstreams.values().filter_map(|words| words.tls.as_ref()) {
            files.extend([&tls.ca, &tls.certificate, &tls.key].into_iter().flatten().cloned());
        }
        files
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
            write!(f, "error: {}", visible::line(problem))?;
        }
        Ok(())
    }
}

impl core::error::Error for LoadError {}
