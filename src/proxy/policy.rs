//! An artifact together with what `proxy.toml` says about it, ready to be served.

use core::sync::atomic::AtomicU64;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::config::{Config, LoadError, PlansWords, Secret, UpstreamWords};
use super::keys::{HashKey, Keys, read_bounded};
use super::plans::PlanSource;
use super::upstream::{Names, Upstream, tls};
use crate::artifact::manifest::{self, CredentialKind, Manifest};
use crate::matcher::Matcher;

/// A policy that can be served; nothing of it changes.
#[derive(Debug)]
pub struct Policy {
    pub(super) matcher: Matcher<Vec<u8>>,
    pub(super) manifest: Manifest,
    // Invariant: as many as the manifest has, in its order.
    pub(super) upstreams: Vec<Arc<Upstream>>,
    // Invariant: as many as the manifest has, in its order.
    pub(super) plan_sources: Vec<Arc<dyn PlanSource>>,
    /// The names of their servers.
    names: Names,
    /// Index of the value of each fact, in the manifest's order.
    pub(super) facts: Vec<Option<u16>>,
    /// Names of query arguments that are credentials, in lower case: their values are in no log.
    pub(super) secret_arguments: BTreeSet<String>,
    // Invariant: as many as the manifest has, in its order.
    pub(super) meters: Vec<AtomicU64>,
    /// BLAKE3 of the artifact, in hex.
    pub(super) hash: String,
    pub(super) loaded: SystemTime,
}

impl Policy {
    /// Reads the artifact at `path`.
    ///
    /// # Errors
    /// As [`Policy::new`], or where the file cannot be read.
    pub fn load(path: &Path, config: &Config) -> Result<Self, LoadError> {
        let unreadable = |error| LoadError { problems: vec![format!("{}: {error}", path.display())], unreadable: true };
        let bytes = read_bounded(path).map_err(unreadable)?;
        Self::new(bytes, config).map_err(|error| {
            let name = |problem: String| {
                if problem.starts_with("the artifact") { format!("{}: {problem}", path.display()) } else { problem }
            };
            LoadError { problems: error.problems.into_iter().map(name).collect(), ..error }
        })
    }

    /// Checks an artifact and everything that `config` says for it.
    ///
    /// # Errors
    /// Everything that is wrong: a damaged artifact, upstreams without servers, plans without keys, names that one
    /// side knows and the other does not.
    pub fn new(artifact: Vec<u8>, config: &Config) -> Result<Self, LoadError> {
        let hash = blake3::hash(&artifact).to_hex().to_string();
        let damaged = |problem: String| LoadError::invalid(vec![format!("the artifact is refused: {problem}")]);
        let matcher = Matcher::parse(artifact).map_err(|error| damaged(error.to_string()))?;
        let manifest: Manifest =
            serde_json::from_slice(matcher.manifest()).map_err(|error| damaged(format!("manifest: {error}")))?;
        let mut problems = Vec::new();
        check_listeners(&manifest, config, &mut problems);
        let names = Names::new(config.dns.clone());
        let upstreams = upstreams(&manifest, config, &names, &mut problems);
        let plan_sources = plan_sources(&manifest, config, &mut problems);
        let facts = facts(&manifest, config, &mut problems);
        if !problems.is_empty() {
            return Err(LoadError::invalid(problems));
        }
        let credentials = manifest.plan_sources.iter().flat_map(|source| &source.credentials);
        let secret_arguments = credentials
            .filter(|credential| credential.kind == CredentialKind::Query)
            .map(|credential| credential.name.to_ascii_lowercase())
            .collect();
        let meters = manifest.meters.iter().map(|_| AtomicU64::new(0)).collect();
        let loaded = SystemTime::now();
        Ok(Self { matcher, manifest, upstreams, plan_sources, names, facts, secret_arguments, meters, hash, loaded })
    }
}

impl Policy {
    /// What `before`, which served before, knows of its servers and their names goes on to count.
    pub(super) fn inherit(&mut self, before: &Self) {
        self.names.inherit(&before.names);
        let known: BTreeMap<&str, &Arc<Upstream>> =
            before.upstreams.iter().map(|upstream| (upstream.name.as_str(), upstream)).collect();
        for upstream in &mut self.upstreams {
            // Nobody else has it before it serves.
            if let Some(upstream) = Arc::get_mut(upstream) {
                let before = known.get(upstream.name.as_str()).map(|before| &***before);
                upstream.inherit(before, &self.names);
            }
        }
    }
}

fn check_listeners(manifest: &Manifest, config: &Config, problems: &mut Vec<String>) {
    for name in &manifest.listeners {
        if !config.listeners.iter().any(|listener| listener.name == *name) {
            problems.push(format!("the rules name the listener `{name}`, which `proxy.toml` does not: add `[listener.{name}]` with an `address`"));
        }
    }
}

fn upstreams(manifest: &Manifest, config: &Config, names: &Names, problems: &mut Vec<String>) -> Vec<Arc<Upstream>> {
    for (name, words) in &config.upstreams {
        if !manifest.upstreams.iter().any(|upstream| upstream.name == *name) {
            problems.push(format!("{}: the rules know no upstream `{name}`", words.place));
        }
    }
    let mut built = Vec::new();
    for upstream in &manifest.upstreams {
        match build(upstream, config.upstreams.get(&upstream.name), names, config.cores()) {
            Ok(upstream) => built.push(Arc::new(upstream)),
            Err(problem) => problems.push(problem),
        }
    }
    built
}

fn build(
    upstream: &manifest::Upstream,
    words: Option<&UpstreamWords>,
    names: &Names,
    cores: usize,
) -> Result<Upstream, String> {
    let mut merged = upstream.clone();
    if let Some(words) = words {
        words.merge(&mut merged);
    }
    let name = &merged.name;
    if merged.servers.is_empty() {
        return Err(format!(
            "the upstream `{name}` is external: `proxy.toml` must name its `servers` in `[upstream.{name}]`"
        ));
    }
    let place = |problem: String| {
        let place = words
            .filter(|words| !words.place.is_empty())
            .map_or_else(String::new, |words| format!("{}: ", words.place));
        format!("{place}upstream `{name}`: {problem}")
    };
    let files = words.and_then(|words| words.tls.as_ref());
    let read = |path: Option<&PathBuf>| match path {
        Some(path) => read_bounded(path).map(Some).map_err(|error| place(format!("{}: {error}", path.display()))),
        None => Ok(None),
    };
    let material = tls::Material {
        ca: read(files.and_then(|tls| tls.ca.as_ref()))?,
        certificate: read(files.and_then(|tls| tls.certificate.as_ref()))?,
        key: read(files.and_then(|tls| tls.key.as_ref()))?,
    };
    let speaks = merged.protocol;
    let tls = merged.tls.as_ref().map(|tls| tls::config(tls, &material, speaks)).transpose().map_err(place)?;
    Upstream::build(&merged, tls.as_ref(), names, cores)
}

fn plan_sources(manifest: &Manifest, config: &Config, problems: &mut Vec<String>) -> Vec<Arc<dyn PlanSource>> {
    for (name, words) in &config.plans {
        if !manifest.plan_sources.iter().any(|source| source.name == *name) {
            problems.push(format!("{}: the rules know no plans `{name}`", words.place));
        }
    }
    let mut sources: Vec<Arc<dyn PlanSource>> = Vec::new();
    let mut callers = BTreeSet::new();
    for source in &manifest.plan_sources {
        let name = &source.name;
        if let Some(given) = config.plan_sources.get(name) {
            sources.push(Arc::clone(given));
            continue;
        }
        match config.plans.get(name).map(|words| keys(words, &source.plans)) {
            Some(Ok(keys)) => {
                callers.extend(keys.names().map(str::to_owned));
                sources.push(Arc::new(keys));
            }
            Some(Err(found)) => problems.extend(found),
            None => problems
                .push(format!("the plans `{name}` have no keys: `proxy.toml` must name them in `[plans.{name}]`")),
        }
    }
    check_callers(&config.callers, &callers, problems);
    sources
}

fn facts(manifest: &Manifest, config: &Config, problems: &mut Vec<String>) -> Vec<Option<u16>> {
    for (name, (_, place)) in &config.facts {
        if !manifest.facts.iter().any(|fact| fact.name == *name) {
            problems.push(format!("{place}: the rules know no fact `{name}`"));
        }
    }
    let mut values = Vec::new();
    for fact in &manifest.facts {
        let (name, known) = (&fact.name, fact.values.join(", "));
        let index = match config.facts.get(name) {
            None => {
                Err(format!("nothing says what the fact `{name}` is: `proxy.toml` must, in `[facts]`: one of {known}"))
            }
            Some((value, place)) => {
                let index = fact.values.iter().position(|own| own == value);
                index.ok_or_else(|| format!("{place}: the fact `{name}` cannot be `{value}`; it is one of {known}"))
            }
        };
        match index {
            Ok(index) => values.push(u16::try_from(index).ok()),
            Err(problem) => problems.push(problem),
        }
    }
    values
}

fn check_callers(
    lists: &BTreeMap<String, Vec<(String, String)>>,
    known: &BTreeSet<String>,
    problems: &mut Vec<String>,
) {
    for (name, place) in lists.values().flatten() {
        if !known.contains(name) {
            problems.push(format!("{place}: no keys file names a caller `{name}`"));
        }
    }
}

impl PlansWords {
    /// What keys are hashed with.
    ///
    /// # Errors
    /// Where the secret is not there, or too short.
    pub fn hash_key(&self) -> Result<HashKey, String> {
        match &self.hash_key {
            Secret::File(path) => HashKey::read(path),
            Secret::Environment(name) => match env::var(name) {
                Ok(secret) => {
                    HashKey::new(secret.as_bytes()).map_err(|problem| format!("environment variable {name}: {problem}"))
                }
                Err(_) => Err(format!("{}: the environment has no {name}", self.place)),
            },
        }
    }
}

fn keys(words: &PlansWords, plans: &[String]) -> Result<Keys, Vec<String>> {
    let hash_key = words.hash_key().map_err(|problem| vec![problem])?;
    let file = words.keys.display().to_string();
    let text = read_bounded(&words.keys).map_err(|error| vec![format!("{file}: {error}")])?;
    let text = String::from_utf8(text).map_err(|_| vec![format!("{file}: not UTF-8")])?;
    Keys::parse(&text, &file, plans, hash_key)
}
