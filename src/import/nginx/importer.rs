//! What all of the translation shares: findings, the account of directives, and what is declared at the top.

use super::fact::Fact;
use super::findings::Findings;
use super::map::Maps;
use super::report::{Entry, Outcome};
use super::table;
use super::tree::{Directive, Parsed};
use super::upstream::Upstreams;
use super::without::{LeftOut, Misnamed, Options, Without};
use crate::diagnostic::{Diagnostic, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};

/// A translation under way.
#[derive(Debug)]
pub(super) struct Importer<'p> {
    pub(super) parsed: &'p Parsed,
    pub(super) diagnostics: Findings,
    pub(super) ledger: BTreeMap<Span, Outcome>,
    pub(super) upstreams: Upstreams<'p>,
    pub(super) maps: Maps<'p>,
    pub(super) facts: Vec<Fact>,
    /// Variables that any server sets or captures: nginx knows them everywhere.
    pub(super) variables: BTreeSet<String>,
    /// Variables of the server at work that texts of the rules name.
    pub(super) said: BTreeSet<String>,
    /// Directives of the two that follow.
    seen: BTreeSet<Span>,
    /// What is left out on request.
    pub(super) left_out: Vec<LeftOut>,
    /// What `--without` would have to name, so that nothing of what may be left out is refused.
    pub(super) wanted: Vec<Without>,
    /// Directives that are on somewhere, of those that the table calls switches.
    pub(super) switches: BTreeMap<&'p str, Vec<&'p Directive>>,
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
}

impl<'p> Importer<'p> {
    /// Nothing is translated yet.
    pub(super) fn new(parsed: &'p Parsed, options: &'p Options) -> Self {
        Self {
            parsed,
            diagnostics: Findings::default(),
            ledger: BTreeMap::new(),
            upstreams: Upstreams::default(),
            maps: Maps::default(),
            facts: Vec::new(),
            variables: BTreeSet::new(),
            said: BTreeSet::new(),
            seen: BTreeSet::new(),
            left_out: Vec::new(),
            wanted: Vec::new(),
            used: vec![false; options.without.len()],
            switches: switches(&parsed.directives),
            options,
        }
    }

    /// The rules say `directive`.
    pub(super) fn carried(&mut self, directive: &Directive) {
        self.ledger.entry(directive.span).or_insert(Outcome::Carried);
    }

    /// No decision depends on `directive`.
    pub(super) fn nothing(&mut self, directive: &Directive) {
        self.ledger.entry(directive.span).or_insert(Outcome::BearsOnNothing);
    }

    /// The rules do not say `directive`, wherever else they do.
    pub(super) fn not_carried(&mut self, directive: &Directive, why: impl Into<String>) {
        let outcome = Outcome::NotCarried(why.into());
        let said = self.ledger.entry(directive.span).or_insert_with(|| outcome.clone());
        if !matches!(said, Outcome::NotCarried(_)) {
            *said = outcome;
        }
    }

    /// `directive` decides and is not said: it is left out if that was asked for; else it is an error, because of `why`,
    /// and `instead` is to be written. Whether it is left out.
    pub(super) fn decides(&mut self, directive: &'p Directive, why: &str, instead: &str) -> bool {
        if self.leaves_out(directive, why) {
            return true;
        }
        self.not_carried(directive, why);
        let message = format!("`{}` decides, and is not translated: {why}", directive.name());
        self.say(Diagnostic::error("nginx-decides", directive.span, message).help(to_write(instead)));
        false
    }

    /// `directive` has a form that is not translated, because of `why`; whether it is left out.
    pub(super) fn gap(&mut self, directive: &'p Directive, why: &str) -> bool {
        let name = directive.name();
        if table::may_leave_out(name) && self.leaves_out(directive, why) {
            return true;
        }
        self.not_carried(directive, why);
        let message = format!("`{name}` has no translation here: {why}");
        self.refuse(directive.span, message, &to_write(table::instead(name)));
        false
    }

    /// Whether `directive` is left out on request; if not, that it may be is noted.
    pub(super) fn leaves_out(&mut self, directive: &'p Directive, why: &str) -> bool {
        if self.names(directive) {
            let out = LeftOut { name: directive.name().to_owned(), span: directive.span, why: why.to_owned() };
            if self.seen.insert(directive.span) {
                self.left_out.push(out);
            }
            self.leave_out(directive, why);
            return true;
        }
        if self.seen.insert(directive.span) {
            let sources = &self.parsed.sources;
            let file = sources.get(directive.span.file).map(|source| source.name.clone()).unwrap_or_default();
            let place = Some((file, sources.position(directive.span).0));
            self.wanted.push(Without { name: directive.name().to_owned(), place });
        }
        false
    }

    /// Whether `--without` names `directive`; those that do have named something.
    pub(super) fn names(&mut self, directive: &Directive) -> bool {
        let mut is_named = false;
        for (without, used) in self.options.without.iter().zip(&mut self.used) {
            let means = without.means(directive, &self.parsed.sources);
            *used |= means;
            is_named |= means;
        }
        is_named
    }

    fn leave_out(&mut self, directive: &'p Directive, why: &str) {
        self.ledger.insert(directive.span, Outcome::LeftOut(why.to_owned()));
        for inner in directive.children() {
            self.leave_out(inner, why);
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
        match lack {
            Lack::Wrong(why) => self.wrong(directive.span, why.clone()),
            Lack::Beyond(why) => {
                self.gap(directive, why);
            }
        }
    }

    /// Behaviour that is kept, and surprises.
    pub(super) fn trap(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.say(Diagnostic::warning("nginx-trap", span, message).help(help));
    }

    pub(super) fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
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

/// `instead` as what is to be done.
fn to_write(instead: &str) -> String {
    if instead.starts_with('`') { format!("write {instead}") } else { instead.to_owned() }
}

/// The directives among `directives`, and below them, that are on and on which others depend.
fn switches(directives: &[Directive]) -> BTreeMap<&str, Vec<&Directive>> {
    let mut on: BTreeMap<&str, Vec<&Directive>> = BTreeMap::new();
    let mut waiting: Vec<&Directive> = directives.iter().collect();
    while let Some(directive) = waiting.pop() {
        if table::is_on(directive) {
            on.entry(directive.name()).or_default().push(directive);
        }
        if !table::is_opaque(directive.name()) {
            waiting.extend(directive.children());
        }
    }
    on
}
