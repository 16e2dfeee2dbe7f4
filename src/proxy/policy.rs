//! An artifact together with what `proxy.toml` says about it, ready to be served.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::config::{Config, LoadError, PlansWords, UpstreamWords};
use super::keys::{HashKey, Keys, read_bounded};
use super::plans::PlanSource;
use super::resident::Resident;
use super::upstream::{Names, Upstream, tls};
use crate::artifact::manifest_of;
use crate::contract::cases::Case;
use crate::contract::manifest::{self, CredentialKind, Manifest};
use crate::matcher::{Matcher, Scratch};
use crate::trial;

/// Policies that were built in this process.
static BUILT: AtomicU64 = AtomicU64::new(1);

/// A policy that can be served; nothing of it changes.
#[derive(Debug)]
pub struct Policy {
    /// Later ones have higher numbers.
    pub(super) id: u64,
    pub(super) matcher: Matcher<Resident>,
    pub(super) manifest: Manifest,
    // Invariant: as many as the manifest has, in its order.
    pub(super) upstreams: Vec<Arc<Upstream>>,
    /// What each of them was built from.
    origins: Vec<Origin>,
    // Invariant: as many as the manifest has, in its order.
    pub(super) plan_sources: Vec<Arc<dyn PlanSource>>,
    /// The names of their servers.
    names: Names,
    /// Index of the value of each fact, in the manifest's order.
    pub(super) facts: Vec<Option<u16>>,
    /// Names of query arguments that are credentials, in lower case: their values are in no log, in whatever spelling.
    pub(super) secret_arguments: BTreeSet<String>,
    // Invariant: as many as the manifest has, in its order.
    pub(super) meters: Vec<AtomicU64>,
    /// BLAKE3 of the artifact, in hex.
    pub(super) hash: String,
    pub(super) loaded: SystemTime,
}

/// Everything that an upstream is built from. Two that were built from the same are the same.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    /// The rules' words with those of `proxy.toml` over them.
    words: manifest::Upstream,
    /// Of the files for TLS: CA, certificate, key.
    hashes: [Option<blake3::Hash>; 3],
    dns: Vec<SocketAddr>,
    cores: usize,
}

impl Policy {
    /// Reads the artifact at `path`.
    ///
    /// # Errors
    /// As [`Policy::new`], or where the file cannot be read.
    pub fn load(path: &Path, config: &Config) -> Result<Self, LoadError> {
        Self::read(path, config, None)
    }

    /// Reads the artifact at `path`, for taking the place of `before`, as [`Policy::renew`].
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn load_again(path: &Path, config: &Config, before: &Self) -> Result<Self, LoadError> {
        Self::read(path, config, Some(before))
    }

    fn read(path: &Path, config: &Config, before: Option<&Self>) -> Result<Self, LoadError> {
        let unreadable = |error| LoadError { problems: vec![format!("{}: {error}", path.display())], unreadable: true };
        let bytes = read_bounded(path).map_err(unreadable)?;
        Self::build(bytes, config, before).map_err(|error| {
            let name = |problem: String| {
                if problem.starts_with("the artifact") { format!("{}: {problem}", path.display()) } else { problem }
            };
            LoadError { problems: error.problems.into_iter().map(name).collect(), ..error }
        })
    }

    /// Checks an artifact and everything that `config` says for it, and runs the tests that came with the rules.
    ///
    /// # Errors
    /// Everything that is wrong: a damaged artifact, tests that fail, upstreams without servers, plans without keys,
    /// names that one side knows and the other does not.
    pub fn new(artifact: Vec<u8>, config: &Config) -> Result<Self, LoadError> {
        Self::build(artifact, config, None)
    }

    /// As [`Policy::new`], for taking the place of `before`: upstreams that are the same in both are shared, and with
    /// them the connections to their servers and what is known of these.
    ///
    /// # Errors
    /// As [`Policy::new`].
    pub fn renew(artifact: Vec<u8>, config: &Config, before: &Self) -> Result<Self, LoadError> {
        Self::build(artifact, config, Some(before))
    }

    fn build(artifact: Vec<u8>, config: &Config, before: Option<&Self>) -> Result<Self, LoadError> {
        let hash = blake3::hash(&artifact).to_hex().to_string();
        let damaged = |problem: String| LoadError::invalid(vec![format!("the artifact is refused: {problem}")]);
        let matcher = Matcher::parse(Resident::new(artifact)).map_err(|error| damaged(error.to_string()))?;
        let manifest = manifest_of(matcher.artifact()).map_err(|error| damaged(error.to_string()))?;
        let mut problems = self_test(&matcher, &manifest);
        check_listeners(&manifest, config, &mut problems);
        let names = Names::new(config.dns.clone());
        let (upstreams, origins) = upstreams(&manifest, config, &names, before, &mut problems);
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
        let id = BUILT.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            id,
            matcher,
            manifest,
            upstreams,
            origins,
            plan_sources,
            names,
            facts,
            secret_arguments,
            meters,
            hash,
            loaded,
        })
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

/// What the `test` blocks of the rules expect and the tables do not give.
fn self_test(matcher: &Matcher<Resident>, manifest: &Manifest) -> Vec<String> {
    let mut scratch = Box::new(Scratch::new());
    let run = |case: &Case| {
        let got = trial::case::failure(matcher, manifest, &case.request, &case.expectation, &mut scratch)?;
        Some(format!("the artifact fails its test `{}`: {}: {got}", case.test, case.place))
    };
    manifest.tests.iter().filter_map(run).collect()
}

fn check_listeners(manifest: &Manifest, config: &Config, problems: &mut Vec<String>) {
    for name in &manifest.listeners {
        if !config.listeners.iter().any(|listener| listener.name == *name) {
            problems.push(format!("the rules name the listener `{name}`, which `proxy.toml` does not: add `[listener.{name}]` with an `address`"));
        }
    }
}

fn upstreams(
    manifest: &Manifest,
    config: &Config,
    names: &Names,
    before: Option<&Policy>,
    problems: &mut Vec<String>,
) -> (Vec<Arc<Upstream>>, Vec<Origin>) {
    for (name, words) in &config.upstreams {
        if !manifest.upstreams.iter().any(|upstream| upstream.name == *name) {
            problems.push(format!("{}: the rules know no upstream `{name}`", words.place));
        }
    }
    let before: BTreeMap<&str, (&Origin, &Arc<Upstream>)> = before.map_or_else(BTreeMap::new, |before| {
        let both = before.origins.iter().zip(&before.upstreams);
        both.map(|(origin, upstream)| (origin.words.name.as_str(), (origin, upstream))).collect()
    });
    let (mut built, mut origins) = (Vec::new(), Vec::new());
    for upstream in &manifest.upstreams {
        let words = config.upstreams.get(&upstream.name);
        let made = origin(upstream, words, config).and_then(|(origin, material)| {
            let same = before.get(upstream.name.as_str()).filter(|(before, _)| **before == origin);
            let upstream = match same {
                Some((_, upstream)) => {
                    names.keep(upstream);
                    Arc::clone(upstream)
                }
                None => Arc::new(build(&origin, &material, words, names)?),
            };
            Ok((upstream, origin))
        });
        match made {
            Ok((upstream, origin)) => {
                built.push(upstream);
                origins.push(origin);
            }
            Err(problem) => problems.push(problem),
        }
    }
    (built, origins)
}

/// What the gateway makes of one upstream, for who wants to look at it alone.
pub(super) fn build_alone(
    upstream: &manifest::Upstream,
    words: Option<&UpstreamWords>,
    config: &Config,
) -> Result<Upstream, String> {
    let (origin, material) = origin(upstream, words, config)?;
    build(&origin, &material, words, &Names::new(config.dns.clone()))
}

fn origin(
    upstream: &manifest::Upstream,
    words: Option<&UpstreamWords>,
    config: &Config,
) -> Result<(Origin, tls::Material), String> {
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
    let files = words.and_then(|words| words.tls.as_ref());
    let read = |path: Option<&PathBuf>| match path {
        Some(path) => {
            read_bounded(path).map(Some).map_err(|error| placed(words, name, &format!("{}: {error}", path.display())))
        }
        None => Ok(None),
    };
    let material = tls::Material {
        ca: read(files.and_then(|tls| tls.ca.as_ref()))?,
        certificate: read(files.and_then(|tls| tls.certificate.as_ref()))?,
        key: read(files.and_then(|tls| tls.key.as_ref()))?,
    };
    let hashes = [&material.ca, &material.certificate, &material.key]
        .map(|file| file.as_ref().map(|octets| blake3::hash(octets)));
    Ok((Origin { words: merged, hashes, dns: config.dns.clone(), cores: config.cores() }, material))
}

fn build(
    origin: &Origin,
    material: &tls::Material,
    words: Option<&UpstreamWords>,
    names: &Names,
) -> Result<Upstream, String> {
    let merged = &origin.words;
    let tls = merged.tls.as_ref().map(|tls| tls::config(tls, material, merged.protocol)).transpose();
    let tls = tls.map_err(|problem| placed(words, &merged.name, &problem))?;
    Upstream::build(merged, tls.as_ref(), names, origin.cores)
}

/// `problem` with where `proxy.toml` speaks of the upstream `name`.
fn placed(words: Option<&UpstreamWords>, name: &str, problem: &str) -> String {
    let place = words.filter(|words| !words.place.is_empty());
    let place = place.map_or_else(String::new, |words| format!("{}: ", words.place));
    format!("{place}upstream `{name}`: {problem}")
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
        let secret = self.hash_key.read()?;
        HashKey::new(&secret).map_err(|problem| format!("{}: {problem}", self.hash_key))
    }
}

fn keys(words: &PlansWords, plans: &[String]) -> Result<Keys, Vec<String>> {
    let hash_key = words.hash_key().map_err(|problem| vec![problem])?;
    let file = words.keys.display().to_string();
    let text = read_bounded(&words.keys).map_err(|error| vec![format!("{file}: {error}")])?;
    let text = String::from_utf8(text).map_err(|_| vec![format!("{file}: not UTF-8")])?;
    Keys::parse(&text, &file, plans, hash_key)
}
