//! Whether the manifest tells what the tables decide: as many of everything, and the plans, credentials and facts by name.
//!
//! The matcher speaks in indices, and people read names. A manifest of other names would have one upstream asked and another
//! one logged, or a caller of one plan decided as one of another.

use super::format::{NONE, Variable, field, plans};
use super::{Artifact, Lost, Tables};
use crate::contract::manifest::{CredentialKind, Manifest, PlanSource};
use crate::visible::line;
use core::fmt;
use std::collections::BTreeSet;

/// Why a manifest is not that of its artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestError {
    /// It is no manifest.
    Json(String),
    /// It has more or fewer of these than the tables.
    Count(&'static str),
    /// It says something else of these than the tables, or the same name twice.
    Names(&'static str),
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(why) => write!(f, "manifest: {why}"),
            Self::Count(what) => write!(f, "manifest: the tables have another number of {what}"),
            Self::Names(what) => write!(f, "manifest: the tables say something else of the {what}"),
        }
    }
}

impl core::error::Error for ManifestError {}

/// The manifest of `artifact`, found to agree with its tables: everybody who needs names takes them from here.
///
/// Linear in its size. `Artifact::parse` has found before that the manifest is the one that these tables were written
/// with; this finds that it was right.
///
/// # Errors
/// The first thing that it says otherwise than the tables.
pub fn manifest_of<B: AsRef<[u8]>>(artifact: &Artifact<B>) -> Result<Manifest, ManifestError> {
    let manifest: Manifest =
        serde_json::from_slice(artifact.manifest()).map_err(|error| ManifestError::Json(line(&error.to_string())))?;
    let lost = Lost::new();
    let tables = artifact.tables(&lost);
    counts_agree(&manifest, tables)?;
    names_are_different(&manifest)?;
    let has = |holds: bool, what| if holds { Ok(()) } else { Err(ManifestError::Names(what)) };
    has(facts_agree(&manifest, tables), "facts")?;
    has(plans_agree(&manifest, tables), "plans")?;
    has(services_agree(&manifest, tables), "plans of a service")?;
    has(listeners_agree(&manifest, tables), "listeners")?;
    has(!lost.is_set(), "tables")?;
    Ok(manifest)
}

fn counts_agree(manifest: &Manifest, t: Tables<'_>) -> Result<(), ManifestError> {
    let policy = t.policy().row(0);
    let sources = t.plans().iter().filter(|row| row.kind == plans::SOURCE).count();
    for (what, named, counted) in [
        ("services", manifest.services.len(), t.services().len()),
        ("locations", manifest.locations.len(), t.locations().len()),
        ("upstreams", manifest.upstreams.len(), policy.upstreams as usize),
        ("meters", manifest.meters.len(), policy.meters as usize),
        ("facts", manifest.facts.len(), policy.facts as usize),
        ("plan sources", manifest.plan_sources.len(), sources),
    ] {
        if named != counted {
            return Err(ManifestError::Count(what));
        }
    }
    Ok(())
}

/// What `proxy.toml`, logs and counters name has one name each.
fn names_are_different(manifest: &Manifest) -> Result<(), ManifestError> {
    fn differ<'m>(names: impl Iterator<Item = &'m str>) -> bool {
        let mut known = BTreeSet::new();
        names.into_iter().all(|name| known.insert(name))
    }
    let of_plans = |source: &PlanSource| differ(source.plans.iter().map(String::as_str));
    let of_facts = manifest.facts.iter().all(|fact| differ(fact.values.iter().map(String::as_str)));
    for (what, holds) in [
        ("services", differ(manifest.services.iter().map(|service| service.name.as_str()))),
        ("upstreams", differ(manifest.upstreams.iter().map(|upstream| upstream.name.as_str()))),
        ("meters", differ(manifest.meters.iter().map(String::as_str))),
        ("facts", differ(manifest.facts.iter().map(|fact| fact.name.as_str())) && of_facts),
        ("plan sources", differ(manifest.plan_sources.iter().map(|source| source.name.as_str()))),
        ("plans", manifest.plan_sources.iter().all(of_plans)),
    ] {
        if !holds {
            return Err(ManifestError::Names(what));
        }
    }
    Ok(())
}

fn facts_agree(manifest: &Manifest, t: Tables<'_>) -> bool {
    t.variables().iter().filter(|variable| variable.field == field::FACT).all(
        |Variable { automaton, classes, .. }| {
            manifest.facts.get(automaton as usize).is_some_and(|fact| fact.values.len() == classes as usize)
        },
    )
}

/// By source, in order: its plans, its credentials, and what callers without a plan are answered.
fn plans_agree(manifest: &Manifest, t: Tables<'_>) -> bool {
    let rows = (0u32..).zip(t.plans().iter()).filter(|(_, row)| row.kind == plans::SOURCE);
    (0u32..).zip(rows).zip(&manifest.plan_sources).all(|((number, (index, row)), source)| {
        let first = index.saturating_add(1);
        let names = t.plans().range(first, row.a).map(|plan| t.string(plan.a));
        let credentials = t.plans().range(first.saturating_add(row.a), row.b).map(|row| {
            let kind = if row.a == 1 { CredentialKind::Header } else { CredentialKind::Query };
            (kind, t.string(row.b), row.c == 1)
        });
        let told = source.credentials.iter().map(|own| (own.kind, own.name.as_bytes(), own.keep));
        names.eq(source.plans.iter().map(String::as_bytes))
            && credentials.eq(told)
            && row.c == u32::from(source.missing) | u32::from(source.unknown) << 16
            && row.d == u32::from(source.failed) | number << 16
    })
}

fn services_agree(manifest: &Manifest, t: Tables<'_>) -> bool {
    t.services().iter().zip(&manifest.services).all(|(row, service)| {
        let source = (row.plans != NONE).then(|| t.plans().row(row.plans).d >> 16);
        source == service.plans
    })
}

fn listeners_agree(manifest: &Manifest, t: Tables<'_>) -> bool {
    let mut decided: Vec<&[u8]> = t.hosts().iter().skip(2).map(|host| t.string(host.listener)).collect();
    let mut told: Vec<&[u8]> = manifest.listeners.iter().map(String::as_bytes).collect();
    decided.sort_unstable();
    told.sort_unstable();
    decided == told
}
