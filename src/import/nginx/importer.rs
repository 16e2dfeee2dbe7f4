//! What all of the translation shares: findings, the account of directives, and what is declared at the top.

use super::fact::Fact;
use super::map::Maps;
use super::report::Outcome;
use super::tree::{Directive, Parsed};
use super::upstream::Upstreams;
use crate::diagnostic::{Diagnostic, Span};
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
    pub(super) fn new(parsed: &'p Parsed) -> Self {
        Self {
            parsed,
            diagnostics: Vec::new(),
            ledger: BTreeMap::new(),
            upstreams: Upstreams::default(),
            maps: Maps::default(),
            facts: Vec::new(),
            variables: BTreeSet::new(),
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

    /// nginx refuses the configuration because of what stands at `span`.
    pub(super) fn wrong(&mut self, span: Span, message: impl Into<String>) {
        self.say(Diagnostic::error("nginx-refuses", span, message).note("nginx does not start with this"));
    }

    /// What stands at `span` has no meaning as rules.
    pub(super) fn refuse(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.say(Diagnostic::error("nginx-not-decidable", span, message).help(help));
    }

    /// `lack` at `directive`.
    pub(super) fn lacks(&mut self, directive: &Directive, lack: &Lack) {
        let name = directive.name();
        match lack {
            Lack::Wrong(why) => self.wrong(directive.span, why.clone()),
            Lack::Beyond(why) => {
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
