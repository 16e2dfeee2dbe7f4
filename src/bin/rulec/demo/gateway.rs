//! The gateways of the demo: each file of rules is compiled and served as it would be in earnest, with a `proxy.toml`
//! and a keys file; only the addresses of the upstreams are the demo's own.

use super::files::player;
use super::stage::{CERTIFICATE, Stage};
use crate::console::Console;
use crate::keys::make_secret;
use crate::policy::{self, Ready};
use crate::status::Stop;
use core::fmt::Write;
use core::net::SocketAddr;
use rulec::analysis::record::host_sent;
use rulec::contract::manifest::{CredentialKind, Manifest, PlanSource, Upstream};
use rulec::model::{Loaded, RequestRecord, Test};
use rulec::proxy::keys::{self, HashKey, Keys};
use rulec::proxy::{self, AccessLog, Address, Config, Handle, Lookup, Policy};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A key that the demo's plan sources answer as if they could not be asked.
pub(crate) const FAILING_KEY: &str = "a-key-whose-lookup-fails";

/// One file of rules, served.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) name: &'static str,
    /// The first line of the file.
    pub(crate) about: String,
    pub(crate) ready: Ready,
    pub(crate) tests: Vec<Test>,
    /// By plan.
    pub(crate) keys: BTreeMap<String, String>,
    pub(crate) address: SocketAddr,
    /// Stops serving when dropped.
    _handle: Handle,
}

impl Gateway {
    /// Compiles and serves `loaded` on a free port.
    pub(crate) fn start(stage: &Stage, name: &'static str, loaded: Loaded, console: Console) -> Result<Self, Stop> {
        let bytes = policy::compile(&loaded, console)?.bytes;
        let ready = policy::from_bytes(Path::new(name), bytes.clone())?;
        let mut keys = BTreeMap::new();
        let config = config(stage, &ready.manifest, &mut keys)?;
        let policy = Policy::new(bytes, &config).map_err(|error| Stop::Input(error.to_string()))?;
        let handle = proxy::serve(policy, &config, AccessLog::Off)
            .map_err(|failed| Stop::Io { what: failed.what, error: failed.error })?;
        let address = handle.addresses().iter().find_map(|(_, address)| match address {
            Address::Tcp(address) => Some(*address),
            Address::Unix(_) | Address::Inherited(_) => None,
        });
        let Some(address) = address else {
            return Err(Stop::Input(format!("{name}: the gateway has no address")));
        };
        let first = loaded.sources.iter().next().and_then(|(_, source)| source.text.lines().next().map(str::to_owned));
        let about = first.unwrap_or_default().trim_start_matches('#').trim().to_owned();
        let tests = loaded.policy.tests;
        Ok(Self { name, about, ready, tests, keys, address, _handle: handle })
    }

    /// Requests that a reader may type: the first case, and the first with a key.
    pub(crate) fn curls(&self) -> Vec<String> {
        let cases = || self.tests.iter().flat_map(|test| &test.cases).map(|case| &case.request);
        let with_key = cases().find(|record| record.plan.is_some());
        let first = cases().next().filter(|first| Some(*first) != with_key);
        first.into_iter().chain(with_key).map(|record| self.curl(record)).collect()
    }

    fn curl(&self, record: &RequestRecord) -> String {
        let mut line = format!("curl -i -H 'Host: {}'", record.host.as_deref().unwrap_or_default());
        if record.method != "GET" {
            write!(line, " -X {}", record.method).ok();
        }
        if record.body > 0 {
            line.push_str(" -d abc");
        }
        if record.scheme == "https" {
            line.push_str(" -H 'X-Forwarded-Proto: https'");
        }
        for (name, value) in &record.headers {
            write!(line, " -H '{name}: {value}'").ok();
        }
        let key = record.plan.as_ref().and_then(|plan| self.keys.get(plan));
        if let Some((header, key)) = self.header().zip(key) {
            write!(line, " -H '{header}: {key}'").ok();
        }
        write!(line, " 'http://{}{}'", self.address, record.target).ok();
        line
    }

    /// The header that takes a credential.
    pub(crate) fn header(&self) -> Option<&str> {
        let credentials = self.ready.manifest.plan_sources.iter().flat_map(|source| &source.credentials);
        let mut headers = credentials.filter(|credential| credential.kind == CredentialKind::Header);
        headers.next().map(|credential| credential.name.as_str())
    }
}

/// The `proxy.toml` of one gateway, with new keys for all of its plans.
fn config(stage: &Stage, manifest: &Manifest, new_keys: &mut BTreeMap<String, String>) -> Result<Config, Stop> {
    let mut toml = "[listener.demo]\naddress = \"127.0.0.1:0\"\ntrusted = [\"127.0.0.0/8\"]\n".to_owned();
    for upstream in &manifest.upstreams {
        toml.push_str(&upstream_section(stage, upstream));
    }
    let path = stage.folder().join("proxy.toml");
    let mut config = Config::parse(&toml, &path).map_err(|problems| Stop::Input(problems.join("\n")))?;
    config.threads = 1;
    for source in &manifest.plan_sources {
        let plans = callers(stage, source, new_keys)?;
        config.plan_sources.insert(source.name.clone(), Arc::new(plans));
    }
    Ok(config)
}

/// Sends what is meant for `upstream` to the one that plays it, which is asked by the name that the rules give.
fn upstream_section(stage: &Stage, upstream: &Upstream) -> String {
    let address = if player(&upstream.name) == "staging" { stage.staging } else { stage.production };
    let mut section = format!("[upstream.{}]\nservers = [\"{address}\"]\n", upstream.name);
    if let Some(host) = host_sent(upstream) {
        writeln!(section, "host = \"{host}\"").ok();
    }
    if upstream.tls.is_some() {
        writeln!(section, "tls = {{ ca = \"{CERTIFICATE}\" }}").ok();
    }
    section
}

/// A keys file with a new key for each plan of `source`.
fn callers(stage: &Stage, source: &PlanSource, new_keys: &mut BTreeMap<String, String>) -> Result<Callers, Stop> {
    let secret = stage.folder().join("hash.key");
    if !secret.exists() {
        make_secret(&secret).map_err(Stop::io(secret.display()))?;
    }
    let hash_key = HashKey::read(&secret).map_err(Stop::Input)?;
    let file = stage.folder().join(format!("{}.keys", source.name));
    for plan in &source.plans {
        let key = keys::add(&file, &hash_key, plan, None).map_err(Stop::io(file.display()))?;
        new_keys.insert(plan.clone(), key);
    }
    let text = std::fs::read_to_string(&file).map_err(Stop::io(file.display()))?;
    let keys = Keys::parse(&text, &file.display().to_string(), &source.plans, hash_key);
    Ok(Callers { keys: keys.map_err(|problems| Stop::Input(problems.join("\n")))? })
}

/// A keys file, but for one key that cannot be looked up: what a plan source behind a network does at times.
#[derive(Debug)]
struct Callers {
    keys: Keys,
}

impl proxy::PlanSource for Callers {
    fn lookup(&self, credential: &[u8]) -> Lookup {
        if credential == FAILING_KEY.as_bytes() { Lookup::Failed } else { self.keys.lookup(credential) }
    }
}
