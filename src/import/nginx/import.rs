//! A configuration to rules: the parts put together, and every directive accounted for.

use super::context::Context as Home;
use super::importer::Importer;
use super::level::Level;
use super::report::{Entry, Outcome, Report};
use super::rules::{Node, Rendered};
use super::table::{self, Class};
use super::tree::{Directive, Parsed};
use super::without::{LeftOut, Misnamed, Options, Without};
use crate::artifact;
use crate::automaton::Limits;
use crate::diagnostic::{Diagnostic, Severity, Span, direction, nearest};
use crate::model::load_text;

/// A configuration as rules.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Imported {
    /// The rules; empty where there are errors.
    pub rules: String,
    /// What became of every directive.
    pub report: Report,
    /// Mistakes, refusals and traps, each at its place in the configuration.
    pub diagnostics: Vec<Diagnostic>,
    /// What was left out on request, in reading order.
    pub left_out: Vec<LeftOut>,
    /// What was asked to be left out, and cannot be or is not there.
    pub misnamed: Vec<Misnamed>,
    /// What `--without` would have to name, where something that it may name keeps the rules from being written.
    pub wanted: Vec<Without>,
    /// By line of the rules, from 0: the place in the configuration that it came from.
    pub(super) origins: Vec<Option<Span>>,
}

impl Imported {
    /// Whether there is something that keeps the rules from being written.
    pub fn has_errors(&self) -> bool {
        !self.misnamed.is_empty() || self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Translates `parsed` into rules that decide as nginx does, but for what `options` leave out.
///
/// Whatever decides and has no translation is an error, unless `options` name it: then it is in
/// [`Imported::left_out`], and at the head of the rules. The rules are compiled before they are given out, so that what comes back has no errors; the cost is that of
/// compiling them.
pub fn import(parsed: &Parsed, options: &Options) -> Imported {
    // What was not read to its end means nothing.
    if parsed.diagnostics.iter().any(|found| matches!(found.code, "file-too-large" | "too-many-mistakes")) {
        return Imported { diagnostics: parsed.diagnostics.clone(), ..Imported::default() };
    }
    let mut importer = Importer::new(parsed, options);
    importer.diagnostics.extend(parsed.diagnostics.iter().cloned());
    let mut nodes = importer.file();
    let report = importer.account();
    let misnamed = importer.misnamed(&report.entries);
    importer.left_out.sort_by_key(|out| out.span);
    let head: Vec<Node> = importer.left_out.iter().map(|out| importer.left_out_node(out)).collect();
    nodes.splice(1..1, head);
    if parsed.has_errors() {
        // What is no directive at all cannot be left out.
        importer.wanted.clear();
    }
    let Importer { left_out, wanted, .. } = &mut importer;
    let (left_out, wanted) = (core::mem::take(left_out), core::mem::take(wanted));
    let rendered = Rendered::of(&nodes);
    let mut diagnostics = importer.diagnostics;
    if !diagnostics.has_errors() {
        diagnostics.extend(mistakes(&rendered));
    }
    diagnostics.extend(parsed.sources.iter().flat_map(|(file, source)| direction::check(file, &source.text)));
    let diagnostics = diagnostics.sorted();
    let result =
        Imported { rules: rendered.text, report, diagnostics, left_out, misnamed, wanted, origins: rendered.origins };
    if result.has_errors() { Imported { rules: String::new(), ..result } } else { result }
}

/// What the compiler refuses, at the places that it came from.
fn mistakes(rendered: &Rendered) -> Vec<Diagnostic> {
    let loaded = load_text("imported.rules", &rendered.text);
    let mut errors: Vec<Diagnostic> =
        loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).cloned().collect();
    if errors.is_empty() {
        errors = artifact::compile(&loaded.policy, &loaded.sources, &Limits::default()).err().unwrap_or_default();
    }
    let origin = |span: Span| {
        let (line, _) = loaded.sources.position(span);
        rendered.origins.get(line - 1).copied().flatten().unwrap_or_default()
    };
    let moved = |error: Diagnostic| {
        let written = loaded.sources.text(error.place.span).to_owned();
        let mut moved = Diagnostic::error(error.code, origin(error.place.span), error.message);
        for label in error.related {
            moved = moved.related(origin(label.span), label.text);
        }
        moved.notes = error.notes;
        moved.help = error.help;
        if written.is_empty() { moved } else { moved.note(format!("as rules: `{written}`")) }
    };
    errors.into_iter().map(moved).collect()
}

/// What the directives of a file without `http` stand in.
pub(super) enum Context {
    Main,
    Http,
    Server,
}

impl<'p> Importer<'p> {
    fn file(&mut self) -> Vec<Node> {
        let parsed = self.parsed;
        let directives = parsed.directives.as_slice();
        self.maps.declare_given(directives);
        let mut services = Vec::new();
        match context(directives) {
            Context::Main => {
                let main = Level::outermost(directives);
                for http in main.own("http") {
                    self.carried(http);
                    services.extend(self.http(main.inner(http)));
                    services.extend(
                        http.block
                            .iter()
                            .flat_map(|block| &block.comments)
                            .map(|comment| Node::Comment(comment.text.clone())),
                    );
                }
            }
            Context::Http => services = self.http(Level::outermost(directives)),
            Context::Server => services = self.snippet(directives),
        }
        let mut nodes = vec![Node::Comment(format!("From {}, written by `rulec import nginx`.", self.file_name()))];
        let mut section = |part: Vec<Node>| {
            if part.iter().any(Node::is_statement) {
                nodes.push(Node::Blank);
                nodes.extend(part);
            }
        };
        section(self.upstreams.nodes().cloned().collect());
        section(self.maps.nodes().to_vec());
        section(self.fact_nodes());
        nodes.extend(services);
        nodes.extend(parsed.comments.iter().map(|comment| Node::Comment(comment.text.clone())));
        nodes
    }

    fn left_out_node(&self, out: &LeftOut) -> Node {
        let text = format!("Left out on request: `{}` ({}): {}", out.name, self.place(out.span), out.why);
        // A name in quotes may hold line ends, and a comment ends with its line.
        Node::Comment(text.replace(|c: char| c.is_control(), " "))
    }

    fn file_name(&self) -> String {
        let name = self.parsed.sources.iter().next().map_or("", |(_, source)| source.name.as_str());
        name.rsplit('/').next().unwrap_or(name).to_owned()
    }

    fn http(&mut self, level: Level<'p>) -> Vec<Node> {
        self.check_contexts(level.directives, Home::Http);
        for directive in level.directives {
            match directive.name() {
                "upstream" => self.upstreams.declare(directive),
                "map" | "geo" => self.maps.declare(directive),
                _ => {}
            }
        }
        self.servers(level)
    }

    /// A file that another configuration includes in a `server`.
    fn snippet(&mut self, directives: &'p [Directive]) -> Vec<Node> {
        if directives.iter().all(|directive| directive.name() == "include") {
            return Vec::new();
        }
        self.check_contexts(directives, Home::Server);
        self.snippet_server(directives)
    }

    /// Accounts for every directive that was read.
    fn account(&mut self) -> Report {
        self.account_unused();
        let mut entries = Vec::new();
        let parsed = self.parsed;
        self.account_for(&parsed.directives, &mut entries);
        Report { entries }
    }

    fn account_unused(&mut self) {
        let maps: Vec<&'p Directive> = self.maps.unused().collect();
        let upstreams: Vec<&'p Directive> = self.upstreams.unused().collect();
        for directive in maps.into_iter().chain(upstreams) {
            self.ledger.insert(directive.span, Outcome::BearsOnNothing);
            for inner in directive.children() {
                self.ledger.insert(inner.span, Outcome::BearsOnNothing);
            }
        }
    }

    fn account_for(&mut self, directives: &'p [Directive], entries: &mut Vec<Entry>) {
        for directive in directives {
            let outcome = self.outcome(directive);
            entries.push(Entry { name: directive.name().to_owned(), span: directive.span, outcome: outcome.clone() });
            if table::is_opaque(directive.name()) {
                account_with(directive.children(), &outcome, entries);
            } else {
                self.account_for(directive.children(), entries);
            }
        }
    }

    fn outcome(&mut self, directive: &'p Directive) -> Outcome {
        if let Some(outcome) = self.ledger.get(&directive.span) {
            return outcome.clone();
        }
        match table::class(directive.name()) {
            // What is translated and was not asked for: nothing that is decided reaches it.
            Class::Nothing | Class::Variable | Class::Translated { .. } => Outcome::BearsOnNothing,
            Class::Decides(row) if !row.decides(directive, &|name| self.switches.contains_key(name)) => {
                Outcome::BearsOnNothing
            }
            Class::Decides(row) => {
                let why = format!("without it {}", row.without);
                self.decides(directive, &why, row.instead);
                self.said_of(directive)
            }
            Class::Parameter(switches) => self.parameter(directive, switches),
            Class::Unknown => {
                self.unknown_directive(directive);
                self.said_of(directive)
            }
        }
    }

    fn said_of(&self, directive: &Directive) -> Outcome {
        self.ledger.get(&directive.span).cloned().unwrap_or(Outcome::BearsOnNothing)
    }

    /// What says more about `switches` comes to what they come to, where one of them is on.
    fn parameter(&mut self, directive: &'p Directive, switches: &[&str]) -> Outcome {
        let on: Vec<&'p Directive> =
            switches.iter().filter_map(|switch| self.switches.get(switch)).flatten().copied().collect();
        let Some(first) = on.first() else { return Outcome::BearsOnNothing };
        let why = format!("it says more about `{}`", first.name());
        self.names(directive);
        let is_left_out = on.iter().all(|switch| self.names(switch));
        if is_left_out { Outcome::LeftOut(why) } else { Outcome::NotCarried(why) }
    }

    fn unknown_directive(&mut self, directive: &'p Directive) {
        let name = directive.name();
        let why = "nothing is known of it, so it may decide";
        if self.leaves_out(directive, why) {
            return;
        }
        self.not_carried(directive, why);
        // Nearness costs a look at every name, and nobody is told of more.
        let near = if self.diagnostics.is_full() { None } else { nearest(name, table::names()) };
        let near = near.map(|near| format!("did you mean `{near}`? If it is right, "));
        let help = format!("{}{}", near.unwrap_or_default(), table::UNKNOWN_INSTEAD);
        let message = format!("unknown directive `{name}`: {why}");
        self.say(Diagnostic::error("nginx-unknown-directive", directive.name.span, message).help(help));
    }
}

/// Entries of a block that is accounted for as a whole.
fn account_with(directives: &[Directive], outcome: &Outcome, entries: &mut Vec<Entry>) {
    for directive in directives {
        entries.push(Entry { name: directive.name().to_owned(), span: directive.span, outcome: outcome.clone() });
        account_with(directive.children(), outcome, entries);
    }
}

pub(super) fn context(directives: &[Directive]) -> Context {
    let has = |names: &[&str]| {
        directives.iter().any(|directive| names.contains(&directive.name()) && directive.block.is_some())
    };
    if has(&["http", "events", "stream", "mail"]) {
        return Context::Main;
    }
    if has(&["server", "upstream", "map", "geo"]) { Context::Http } else { Context::Server }
}
