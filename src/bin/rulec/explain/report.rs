//! An explanation for a person, and for a program.

use super::Findings;
use crate::lines::Lines;
use core::fmt::Write;
use rulec::analysis::cases::describe;
use rulec::analysis::explain::{Candidate, ExplainedLookup, Standing};
use rulec::diagnostic::Sources;
use rulec::model::HeaderChanges;
use serde_json::{Value, json};

/// Request, path, location, answer: in the order in which they are found.
pub(super) fn human(findings: &Findings) -> String {
    let mut lines = Account::default();
    let (record, verdict) = (&findings.record, &findings.verdict);
    lines.add("request", &format!("{} {} over {}", record.method, record.target, record.scheme));
    if let Some(name) = &verdict.service {
        lines.add("service", &placed(name, service_place(findings)));
    }
    if let Some(path) = &verdict.uri {
        lines.add("match path", path);
    }
    if let Some(location) = &verdict.location {
        lines.add("location", &placed(location, location_place(findings)));
    }
    if let Some((sources, explanation)) = &findings.explained {
        for lookup in &explanation.lookups {
            lines.lookup(lookup, sources);
        }
    }
    lines.add("answer", &describe(verdict));
    if let Some(page) = verdict.code {
        lines.add("", &format!("`rulec explain {page}` says more"));
    }
    if let Some(allow) = &verdict.allow {
        lines.add("allow", &allow.join(", "));
    }
    if let (Some(status), Some(_)) = (verdict.status, &verdict.forward) {
        lines.add("status", &format!("{status}, whatever the upstream answers"));
    }
    if let Some(forward) = &verdict.forward {
        if let Some(method) = &forward.method {
            lines.add("method", method);
        }
        lines.add("forward path", &forward.target);
        lines.add("host", forward.host.as_deref().unwrap_or("what proxy.toml says"));
        lines.add("body", forward.body);
        lines.changes("to upstream", &forward.headers);
    }
    lines.changes("to client", &verdict.response);
    let meters: Vec<String> = verdict.meters.iter().map(|(name, count)| format!("{name} +{count}")).collect();
    if !meters.is_empty() {
        lines.add("meters", &meters.join(", "));
    }
    lines.add("needed", &needed(findings));
    lines.text.into_text()
}

/// The verdict as `rulec decide` writes it, and how it came about.
pub(super) fn json(findings: &Findings) -> String {
    let candidate = |sources: &Sources, candidate: &Candidate| {
        json!({
            "location": candidate.location,
            "name": candidate.name,
            "place": sources.place(candidate.span),
            "standing": candidate.standing,
            "reason": candidate.reason,
        })
    };
    let lookup = |sources: &Sources, lookup: &ExplainedLookup| {
        let candidates: Vec<Value> = lookup.candidates.iter().map(|one| candidate(sources, one)).collect();
        json!({ "path": lookup.path, "adds_slash": lookup.adds_slash, "candidates": candidates })
    };
    let lookups = findings.explained.as_ref().map(|(sources, explanation)| {
        explanation.lookups.iter().map(|one| lookup(sources, one)).collect::<Vec<Value>>()
    });
    let text = json!({
        "request": findings.record,
        "verdict": findings.verdict,
        "service_place": service_place(findings),
        "location_place": location_place(findings),
        "lookups": lookups,
        "plan_needed": findings.plan_matters,
        "facts_needed": findings.facts_that_matter,
    });
    format!("{text}\n")
}

fn needed(findings: &Findings) -> String {
    if let Some(fact) = &findings.verdict.needs_fact {
        let known = findings.ready.manifest.facts.iter().find(|known| known.name == *fact);
        let values = known.map(|known| known.values.join(", ")).unwrap_or_default();
        return format!("the fact `{fact}`: say --fact {fact}=VALUE, one of {values}");
    }
    let facts = findings.facts_that_matter.iter().map(|fact| format!("the fact `{fact}`"));
    let plan = match (findings.verdict.needs_plan, findings.plan_matters) {
        (true, _) => Some("the caller's plan: say --plan NAME, ?missing, ?unknown or ?failed".to_owned()),
        (false, true) => Some("the caller's plan".to_owned()),
        (false, false) => None,
    };
    let needed: Vec<String> = facts.chain(plan).collect();
    if needed.is_empty() { "nothing beside the request".to_owned() } else { needed.join(", ") }
}

fn service_place(findings: &Findings) -> Option<&str> {
    let name = findings.verdict.service.as_ref()?;
    let service = findings.ready.manifest.services.iter().find(|service| service.name == *name)?;
    Some(&service.place)
}

/// Where the location stands; of several that are written alike the one of the explanation.
fn location_place(findings: &Findings) -> Option<String> {
    let display = findings.verdict.location.as_ref()?;
    let explained = findings.explained.as_ref().and_then(|(sources, explanation)| {
        let candidates = &explanation.lookups.last()?.candidates;
        let winner = candidates.iter().find(|candidate| candidate.standing == Standing::Won)?;
        Some(sources.place(winner.span))
    });
    let in_manifest = || {
        let mut locations = findings.ready.manifest.locations.iter();
        Some(locations.find(|location| location.display == *display)?.place.clone())
    };
    explained.or_else(in_manifest)
}

fn placed(name: &str, place: Option<impl AsRef<str>>) -> String {
    place.map_or_else(|| name.to_owned(), |place| format!("{name}   ({})", place.as_ref()))
}

/// Names in one column, what is said about them in the next.
#[derive(Default)]
struct Account {
    text: Lines,
}

impl Account {
    fn add(&mut self, name: &str, value: &str) {
        writeln!(self.text, "{name:<12} {value}").ok();
    }

    /// The locations that take a path, and why each won or lost.
    fn lookup(&mut self, lookup: &ExplainedLookup, sources: &Sources) {
        self.add("", &format!("for {}:", lookup.path));
        let width = lookup.candidates.iter().map(|candidate| candidate.location.chars().count()).max().unwrap_or(0);
        for candidate in &lookup.candidates {
            let mark = match candidate.standing {
                Standing::Won => "won ",
                Standing::Encloses => "over",
                Standing::Lost => "lost",
            };
            let (line, _) = sources.position(candidate.span);
            let Candidate { location, reason, .. } = candidate;
            self.add("", &format!("  {mark}  {location:<width$}  {reason} (line {line})"));
        }
    }

    fn changes(&mut self, name: &str, changes: &HeaderChanges) {
        let mut name = name;
        let mut change = |value: String| {
            self.add(name, &value);
            name = "";
        };
        changes.set.iter().for_each(|(field, value)| change(format!("set  {field}: {value}")));
        changes.add.iter().for_each(|(field, value)| change(format!("add  {field}: {value}")));
        changes.drop.iter().for_each(|field| change(format!("drop {field}")));
    }
}
