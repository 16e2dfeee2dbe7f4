//! Statements to their meaning: names resolved, types checked, defaults written out.
//!
//! Every mistake of a run is collected; what has one is left out, so that it is said once.

mod answer;
mod declare;
mod destination;
mod fact;
mod header;
mod location;
mod map;
mod meter;
mod own_hosts;
mod predicate;
mod quantity;
mod rewrite;
mod server_name;
mod service;
mod setting;
mod statement;
mod template;
mod test;
mod upgrade;
mod upstream;
mod upstream_option;
mod variable;

use super::{Allowed, Pattern, Policy};
use crate::diagnostic::{Diagnostic, Sources, Span, nearest};
use crate::regex::{self, Regex};
use crate::syntax::ast::{Item, ItemKind, Word};
use std::collections::{BTreeMap, BTreeSet};

/// What `items`, the statements of all files in order, mean.
pub(super) fn resolve(items: &[Item], sources: &Sources) -> (Policy, Vec<Diagnostic>) {
    let mut resolver = Resolver {
        sources,
        policy: Policy::default(),
        diagnostics: Vec::new(),
        hashed: Vec::new(),
        regexes: BTreeMap::new(),
        kept_by_maps: BTreeSet::new(),
        kept: BTreeSet::new(),
    };
    resolver.declare(items);
    for item in items {
        if let ItemKind::Map { name, cases } = &item.kind {
            resolver.map(item.head, name, cases);
        }
    }
    resolver.kept_by_maps = core::mem::take(&mut resolver.kept);
    resolver.balance_keys();
    resolver.collect_meters(items);
    for item in items {
        if let ItemKind::Service { name, default, body } = &item.kind {
            resolver.service(item, name, *default, body);
        }
    }
    resolver.check_server_names();
    for item in items {
        if let ItemKind::Test { name, cases } = &item.kind {
            resolver.test(item.head, name, cases);
        }
    }
    (resolver.policy, resolver.diagnostics)
}

struct Resolver<'a> {
    sources: &'a Sources,
    policy: Policy,
    diagnostics: Vec<Diagnostic>,
    /// What `balance hash` says, with the index of the upstream: a template may use maps, which are read later.
    hashed: Vec<(usize, Word)>,
    /// Patterns read already, by source and whether case counts: names of groups are wanted before their statements.
    regexes: BTreeMap<(String, bool), Result<Regex, regex::Mistake>>,
    /// Names of headers that are not plain, in their plain spelling: those of maps, which any service may use.
    kept_by_maps: BTreeSet<String>,
    /// Those that stood in what was read since.
    kept: BTreeSet<String>,
}

impl Resolver<'_> {
    fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.say(Diagnostic::error(code, span, message).help(help));
    }

    /// Says that what stands at `span` is understood and belongs to a later version.
    fn later(&mut self, span: Span, what: &str) {
        self.say(Diagnostic::error("not-supported-yet", span, format!("{what} is not supported yet")));
    }

    /// Says that there is no `kind` called `word`, and which of `known` was probably meant.
    fn unknown<'k>(
        &mut self,
        code: &'static str,
        kind: &str,
        word: &Word,
        known: impl IntoIterator<Item = &'k str> + Clone,
    ) {
        let mut diagnostic = Diagnostic::error(code, word.span, format!("no {kind} is called `{}`", word.text));
        if let Some(near) = nearest(&word.text, known.clone()) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else {
            let mut names: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
            names.truncate(10);
            if !names.is_empty() {
                diagnostic = diagnostic.note(format!("there are {}", names.join(", ")));
            }
        }
        self.say(diagnostic);
    }

    /// What `source` means.
    fn regex(&mut self, source: &str, caseless: bool) -> Result<Regex, regex::Mistake> {
        let key = (source.to_owned(), caseless);
        self.regexes.entry(key).or_insert_with(|| regex::parse(source, caseless)).clone()
    }

    /// The regex that `word` holds, whatever mistakes it has; the first `skip` bytes of the word are not part of it.
    fn pattern(&mut self, word: &Word, skip: usize, caseless: bool) -> Pattern {
        let source = word.text.get(skip..).unwrap_or("").to_owned();
        let (groups, meaning) = match self.regex(&source, caseless) {
            Ok(regex) => {
                if let Some(name) = regex.groups.iter().flatten().find(|name| template::is_reserved(name)) {
                    let message = format!("`${name}` is a variable already");
                    self.error("reserved-name", word.span, message, "give the group another name");
                }
                (regex.groups, Some(regex.meaning))
            }
            Err(mistake) => {
                let span = self.inside(word, skip + mistake.range.start, skip + mistake.range.end);
                let mut diagnostic = Diagnostic::error(mistake.code, span, mistake.message);
                diagnostic.help = mistake.help;
                self.say(diagnostic);
                (Vec::new(), None)
            }
        };
        Pattern { source, caseless, span: word.span, groups, meaning }
    }

    /// The place of bytes `start..end` of the text of `word`; the whole word where its escapes have moved them.
    fn inside(&self, word: &Word, start: usize, end: usize) -> Span {
        let quotes = usize::from(word.quoted);
        let written = self.sources.text(word.span);
        let end = end.min(word.text.len()).max(start);
        if written.len() != word.text.len() + 2 * quotes {
            return word.span;
        }
        let place = |byte: usize| u32::try_from(byte + quotes).map_or(word.span.end, |byte| word.span.start + byte);
        Span::new(word.span.file, place(start), place(end))
    }

    /// What `allow` silences inside `scope`.
    fn allow(&mut self, scope: Span, names: &[Word]) {
        for name in names {
            if crate::diagnostic::WARNINGS.contains(&name.text.as_str()) {
                self.policy.allowed.push(Allowed::new(name.text.clone(), scope));
            } else {
                self.unknown("unknown-warning", "warning", name, crate::diagnostic::WARNINGS.iter().copied());
            }
        }
    }

    /// Says that `word` was said before, at `first`.
    fn twice(&mut self, word: &Word, first: Span) {
        let message = format!("`{}` is said twice", word.text);
        let diagnostic = Diagnostic::error("duplicate-statement", word.span, message).related(first, "first here");
        self.say(diagnostic.help("leave one of them out"));
    }
}
