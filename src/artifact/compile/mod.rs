//! A policy to an artifact: every field gets its classifiers, every guard its node, every location its list.

mod addresses;
mod asked;
mod captures;
mod classifiers;
#[cfg(test)]
mod corruption;
mod diagram_tables;
mod facts;
mod guards;
mod headers;
mod hosts;
mod layout;
mod levels;
mod lookups;
mod maps;
mod operations;
mod pack;
mod plans;
mod reach;
mod sample;
mod searches;
mod simulated;
mod tables;
mod templates;
mod values;
mod witness;

use crate::artifact::checksum::crc32;
use crate::artifact::manifest_of;
use crate::automaton::Limits;
use crate::contract::cases::Case;
use crate::contract::manifest::{LocationEntry, Manifest, ServiceEntry};
use crate::diagnostic::{Diagnostic, Sources};
use crate::matcher::Matcher;
use crate::model::{LocationId, Policy, ServerNameKind, Test, TestCase};
use std::time::Instant;
use tables::{Builder, internal};

/// An artifact, and what it took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Compiled {
    /// What is written to a `.rulec` file.
    pub bytes: Vec<u8>,
    /// What it took.
    pub stats: Stats,
    /// What only the automata and the diagram could find.
    pub warnings: Vec<Diagnostic>,
}

/// What a compilation took.
#[derive(Clone, Copy, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Locations.
    pub rules: usize,
    /// Classes of all fields that guards read.
    pub classes: usize,
    /// States of all automata.
    pub states: usize,
    /// Automata.
    pub automata: usize,
    /// Regexes whose automata would be too large, so that a matcher simulates them.
    pub simulated: usize,
    /// Nodes of the diagram.
    pub nodes: usize,
    /// Octets of the artifact.
    pub bytes: usize,
    /// Wall time.
    pub seconds: f64,
}

/// Compiles `policy`, which was resolved without errors from `sources`. The same policy gives the same bytes.
///
/// # Errors
/// Rules that cost more than `limits` allow, each named at its place.
pub fn compile(policy: &Policy, sources: &Sources, limits: &Limits) -> Result<Compiled, Vec<Diagnostic>> {
    let began = Instant::now();
    let mut builder = Builder::new(policy, *limits);
    builder.classify_fields();
    builder.facts();
    builder.plan_sources();
    builder.count_variables();
    builder.maps();
    builder.balance_keys();
    builder.count_captures();
    builder.services_and_locations();
    builder.hosts();
    builder.diagram_tables();
    let manifest = manifest_octets(&manifest(policy, sources))?;
    builder.policy_tables(crc32(&manifest));
    let mut stats = builder.stats();
    let mut warnings = core::mem::take(&mut builder.warnings);
    let open = core::mem::take(&mut builder.open);
    let bytes = builder.finish(manifest)?;
    // Whoever loads it checks it too; but a mistake is the compiler's to tell, before anybody relies on what it wrote.
    let (matcher, manifest) =
        loaded(&bytes).map_err(|why| vec![internal(&format!("what was compiled cannot be loaded: {why}"))])?;
    warnings.extend(witness::shown(&open, policy, &manifest, &matcher));
    stats.bytes = bytes.len();
    stats.seconds = began.elapsed().as_secs_f64();
    Ok(Compiled { bytes, stats, warnings: policy.unsilenced(warnings) })
}

/// `bytes` as whoever loads them has them.
fn loaded(bytes: &[u8]) -> Result<(Matcher<&[u8]>, Manifest), String> {
    let matcher = Matcher::parse(bytes).map_err(|error| error.to_string())?;
    let manifest = manifest_of(matcher.artifact()).map_err(|error| error.to_string())?;
    Ok((matcher, manifest))
}

/// The JSON of `manifest`, as long as a table.
fn manifest_octets(manifest: &Manifest) -> Result<Vec<u8>, Vec<Diagnostic>> {
    let octets = serde_json::to_vec(manifest);
    let mut octets = octets.map_err(|error| vec![internal(&format!("the manifest cannot be written: {error}"))])?;
    octets.resize(octets.len().next_multiple_of(4), b' ');
    Ok(octets)
}

fn manifest(policy: &Policy, sources: &Sources) -> Manifest {
    let mut listeners: Vec<String> = policy.services.iter().flat_map(|service| service.listeners.clone()).collect();
    listeners.sort();
    listeners.dedup();
    Manifest {
        compiler: env!("CARGO_PKG_VERSION").to_owned(),
        sources: sources.iter().map(|(_, source)| source.name.clone()).collect(),
        upstreams: policy.upstreams.clone(),
        plan_sources: policy.plan_sources.clone(),
        facts: policy.facts.clone(),
        services: policy
            .services
            .iter()
            .map(|service| ServiceEntry {
                name: service.name.clone(),
                place: sources.place(service.span),
                host: service.names.iter().find_map(|name| match &name.kind {
                    ServerNameKind::Exact(host) => Some(host.clone()),
                    _ => None,
                }),
                plans: service.plans.map(|plans| plans.0),
            })
            .collect(),
        locations: policy
            .locations
            .iter()
            .map(|location| LocationEntry {
                display: display_chain(policy, location.parent, &location.display),
                name: location.name.clone(),
                place: sources.place(location.span),
            })
            .collect(),
        meters: policy.meters.clone(),
        listeners,
        tests: tests(policy, sources),
    }
}

/// The lines of all `test` blocks in order.
fn tests(policy: &Policy, sources: &Sources) -> Vec<Case> {
    let of_test = |test: &Test| {
        let case = |case: &TestCase| {
            let place = sources.place(case.span);
            Case::new(test.name.clone(), place, case.request.clone(), case.expectation.clone())
        };
        test.cases.iter().map(case).collect::<Vec<_>>()
    };
    policy.tests.iter().flat_map(of_test).collect()
}

/// Modifier and pattern behind those of the enclosing locations.
fn display_chain(policy: &Policy, parent: Option<LocationId>, own: &str) -> String {
    let mut chain = own.to_owned();
    let mut next = parent;
    while let Some(location) = next.and_then(|id| policy.locations.get(id.0 as usize)) {
        chain = format!("{} > {chain}", location.display);
        next = location.parent;
    }
    chain
}
