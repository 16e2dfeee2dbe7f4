//! What became of every directive.

use crate::diagnostic::{Diagnostic, Severity, Sources, Span};
use serde::Serialize;
use std::collections::BTreeMap;

/// What became of a directive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The rules say it.
    Carried,
    /// The rules do not say it, for this reason.
    NotCarried(String),
    /// It decides, and was left out on request: what that means for requests.
    LeftOut(String),
    /// No decision depends on it.
    BearsOnNothing,
}

/// The account of all directives of a configuration.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Name, place and outcome of each directive, in reading order.
    pub entries: Vec<Entry>,
}

/// What became of one directive.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// What became of it.
    pub outcome: Outcome,
}

/// How many directives came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// All of them.
    pub directives: usize,
    /// The rules say them.
    pub carried: usize,
    /// The rules do not say them.
    pub not_carried: usize,
    /// They were left out on request.
    pub left_out: usize,
    /// No decision depends on them.
    pub bearing_on_nothing: usize,
}

impl Report {
    /// How many directives came to what.
    pub fn counts(&self) -> Counts {
        let count = |of: &dyn Fn(&Outcome) -> bool| self.entries.iter().filter(|entry| of(&entry.outcome)).count();
        Counts {
            directives: self.entries.len(),
            carried: count(&|outcome| *outcome == Outcome::Carried),
            not_carried: count(&|outcome| matches!(outcome, Outcome::NotCarried(_))),
            left_out: count(&|outcome| matches!(outcome, Outcome::LeftOut(_))),
            bearing_on_nothing: count(&|outcome| *outcome == Outcome::BearsOnNothing),
        }
    }

    /// Names of directives that no decision depends on, and how often each stands.
    pub fn bearing_on_nothing(&self) -> BTreeMap<&str, usize> {
        let mut names = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.outcome == Outcome::BearsOnNothing) {
            *names.entry(entry.name.as_str()).or_default() += 1;
        }
        names
    }

    /// As a person reads it.
    pub fn human(&self, sources: &Sources) -> String {
        let Counts { directives, carried, not_carried, left_out, bearing_on_nothing } = self.counts();
        let mut text = format!(
            "{directives} directives: {carried} carried over, {not_carried} not carried over, \
             {left_out} left out, {bearing_on_nothing} bear on no decision\n"
        );
        for entry in &self.entries {
            let (what, why) = match &entry.outcome {
                Outcome::NotCarried(why) => ("not carried over", why),
                Outcome::LeftOut(why) => ("left out", why),
                Outcome::Carried | Outcome::BearsOnNothing => continue,
            };
            let place = sources.place(entry.span);
            text.push_str(&format_args!("{what}: {place}: `{}`: {why}\n", entry.name).to_string());
        }
        let names = self.bearing_on_nothing();
        if !names.is_empty() {
            let one = |(name, count): (&&str, &usize)| {
                if *count == 1 { (*name).to_owned() } else { format!("{name} ({count})") }
            };
            let list = names.iter().map(one).collect::<Vec<_>>().join(", ");
            text.push_str(&format_args!("bear on no decision: {list}\n").to_string());
        }
        text
    }

    /// As a program reads it, with the diagnostics.
    pub fn json(&self, sources: &Sources, diagnostics: &[Diagnostic]) -> String {
        let entry = |entry: &Entry| {
            let (line, column) = sources.position(entry.span);
            let (outcome, why) = match &entry.outcome {
                Outcome::Carried => ("carried", None),
                Outcome::NotCarried(why) => ("not_carried", Some(why.clone())),
                Outcome::LeftOut(why) => ("left_out", Some(why.clone())),
                Outcome::BearsOnNothing => ("bears_on_nothing", None),
            };
            EntryRecord { name: entry.name.clone(), file: file(sources, entry.span), line, column, outcome, why }
        };
        let said = |diagnostic: &Diagnostic| {
            let (line, column) = sources.position(diagnostic.place.span);
            let severity = if diagnostic.severity == Severity::Error { "error" } else { "warning" };
            SaidRecord {
                severity,
                code: diagnostic.code,
                file: file(sources, diagnostic.place.span),
                line,
                column,
                message: diagnostic.message.clone(),
                notes: diagnostic.notes.clone(),
                help: diagnostic.help.clone(),
            }
        };
        let record = Record {
            counts: self.counts(),
            directives: self.entries.iter().map(entry).collect(),
            diagnostics: diagnostics.iter().map(said).collect(),
        };
        serde_json::to_string(&record).unwrap_or_default() + "\n"
    }
}

fn file(sources: &Sources, span: Span) -> String {
    sources.get(span.file).map(|source| source.name.clone()).unwrap_or_default()
}

#[derive(Serialize)]
struct Record {
    counts: Counts,
    directives: Vec<EntryRecord>,
    diagnostics: Vec<SaidRecord>,
}

#[derive(Serialize)]
struct EntryRecord {
    name: String,
    file: String,
    line: usize,
    column: usize,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
struct SaidRecord {
    severity: &'static str,
    code: &'static str,
    file: String,
    line: usize,
    column: usize,
    message: String,
    notes: Vec<String>,
    help: Option<String>,
}
