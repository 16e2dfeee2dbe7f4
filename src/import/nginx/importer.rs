//! What all of the translation shares: findings, the account of directives, and what is declared at the top.

use super::fact::Fact;
use super::map::Maps;
use super::report::{Entry, Outcome};
use super::tree::{Directive, Parsed};
use super::upstream::Upstreams;
use super::without::{LeftOut, Misnamed, Options, Without};
use crate::diagnostic::{Diagnostic, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};

/// A translation under way.
#[derive(Debug)]
pub(super) struct Importer<'p> {
    pub(super) parsed: &'p Parsed,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) ledger: BTreeMap<Span, Outcome>,
    pub(super) upstreams: Upstreams<'p>,
    pub(super) maps: Maps<'p>,
    pub(super) facts: Vec<Fact>,
    /// Variables that any server sets or captures: nginx knows them everywhere.
    pub(super) variables: BTreeSet<String>,
    /// What is left out on request.
    pub(super) left_out: Vec<LeftOut>,
    /// What `--without` would have to name, so that nothing of what may be left out is refused.
    pub(super) wanted: Vec<Without>,
    options: &'p Options,
    /// By number of the option: whether it named what may be left out.
    used: Vec<bool>,
}

/// Why something has no translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// nginx itself refuses it: what is wrong.
    Wrong(String),
    /// It cannot be decided, or is not said in rules: why.
    Beyond(String),
}

impl Lack {
    /// Not decidable, or not said in rules.
    pub(super) fn beyond(why: impl Into<String>) -> Self {
        Self::Beyond(why.into())
    }

    /// The reason.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Wrong(why) | Self::Beyond(why) => why,
        }
    }
}

impl<'p> Importer<'p> {
    /// Nothing is translated yet.
    pub(super) fn new(parsed: &'p Parsed, options: &'p Options) -> Self {
        Self {
            parsed,
            diagnostics: Vec::new(),
            ledger: BTreeMap::new(),
            upstreams: Upstreams::default(),
            maps: Maps::default(),
            facts: Vec::new(),
            variables: BTreeSet::new(),
            left_out: Vec::new(),
            wanted: Vec::new(),
            used: vec![false; options.without.len()],
            options,
        }
    }

    /// The rules say `directive`.
    pub(super) fn carried(&mut self, directive: &Directive) {
        self.ledger.entry(directive.span).or_insert(Outcome::Carried);
    }

    /// The rules do not say `directive`, wherever else they do.
    pub(super) fn not_carried(&mut self, directive: &Directive, why: impl Into<String>) {
        let outcome = Outcome::NotCarried(why.into());
        let said = self.ledger.entry(directive.span).or_insert_with(|| outcome.clone());
        if !matches!(said, Outcome::NotCarried(_)) {
            *said = outcome;
        }
    }

    /// Whether `directive` is left out on request, because `so`.
    pub(super) fn leaves_out(&mut self, directive: &'p Directive, so: &str) -> bool {
        let named: Vec<usize> = (0..)
            .zip(&self.options.without)
            .filter(|(_, without)| without.means(directive, &self.parsed.sources))
            .map(|(number, _)| number)
            .collect();
        for number in &named {
            if let Some(used) = self.used.get_mut(*number) {
                *used = true;
            }
        }
        if named.is_empty() {
            self.want(directive);
            return false;
        }
        self.leave_out(directive, so);
        true
    }

    fn leave_out(&mut self, directive: &'p Directive, so: &str) {
        let out = LeftOut { name: directive.name().to_owned(), span: directive.span, why: so.to_owned() };
        if !self.left_out.iter().any(|known| known.span == out.span) {
            self.left_out.push(out);
        }
        self.ledger.insert(directive.span, Outcome::LeftOut(so.to_owned()));
        for inner in directive.children() {
            self.ledger.insert(inner.span, Outcome::LeftOut(so.to_owned()));
        }
    }

    /// `--without` could name `directive`.
    fn want(&mut self, directive: &Directive) {
        let sources = &self.parsed.sources;
        let file = sources.get(directive.span.file).map(|source| source.name.clone()).unwrap_or_default();
        let place = Some((file, sources.position(directive.span).0));
        let without = Without { name: directive.name().to_owned(), place };
        if !self.wanted.contains(&without) {
            self.wanted.push(without);
        }
    }

    /// What was asked to be left out, and is not: each with why.
    pub(super) fn misnamed(&self, entries: &[Entry]) -> Vec<Misnamed> {
        let sources = &self.parsed.sources;
        let unused = self.options.without.iter().zip(&self.used).filter(|(_, used)| !**used);
        unused.map(|(without, _)| misnamed(without, entries, sources)).collect()
    }

    /// nginx refuses the configuration because of what stands at `span`.
    pub(super) fn wrong(&mut self, span: Span, message: impl Into<String>) {
        self.say(Diagnostic::error("nginx-refuses", span, message).note("nginx does not start with this"));
    }

    /// What stands at `span` has no meaning as rules.
    pub(super) fn refuse(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.say(Diagnostic::error("nginx-not-decidable", span, message).help(help));
    }

    /// `lack` at `directive`.
    pub(super) fn lacks(&mut self, directive: &'p Directive, lack: &Lack) {
        let name = directive.name();
        match lack {
            Lack::Wrong(why) => self.wrong(directive.span, why.clone()),
            Lack::Beyond(why) => {
                if self.leaves_out(directive, why) {
                    return;
                }
                self.not_carried(directive, why.clone());
                let message = format!("`{name}` cannot be decided beforehand: {why}");
                self.refuse(directive.span, message, "say in rules what is meant, and leave this out of the import");
            }
        }
    }

    /// Behaviour that is kept, and surprises.
    pub(super) fn trap(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.say(Diagnostic::warning("nginx-trap", span, message).help(help));
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        let same =
            |other: &Diagnostic| other.place.span == diagnostic.place.span && other.message == diagnostic.message;
        if !self.diagnostics.iter().any(same) {
            self.diagnostics.push(diagnostic);
        }
    }
}

/// Why nothing is left out for `without`.
fn misnamed(without: &Without, entries: &[Entry], sources: &Sources) -> Misnamed {
    let said = |why: String| Misnamed { without: without.clone(), why };
    let name = &without.name;
    let of_name: Vec<&Entry> = entries.iter().filter(|entry| entry.name == *name).collect();
    if of_name.is_empty() {
        return said(format!("no directive of this configuration is called `{name}`"));
    }
    let Some(entry) = of_name.iter().find(|entry| without.is_at(entry.span, sources)) else {
        return said(format!("no `{name}` stands there"));
    };
    let place = sources.place(entry.span);
    said(match &entry.outcome {
        Outcome::BearsOnNothing => format!("no decision depends on `{name}` at {place}: there is nothing to leave out"),
        Outcome::NotCarried(why) => format!("`{name}` at {place} cannot be left out: {why}"),
        Outcome::Carried | Outcome::LeftOut(_) => format!("`{name}` at {place} is carried over, and stays"),
    })
}
