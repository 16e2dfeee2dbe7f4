//! `map` and `geo`: tables of values.

use super::condition::variables;
use super::field::Field;
use super::importer::{Importer, Lack};
use super::level::Level;
use super::place::{Moves, Place, Server};
use super::predicate::Predicate;
use super::regex;
use super::rules::Node;
use super::table::{self, Class};
use super::tree::{Directive, Word};
use super::values::Values;
use super::variable::{Part, parts};
use std::collections::{BTreeMap, BTreeSet};

/// The tables of a configuration, by the variable they give, in lower case.
#[derive(Debug, Default)]
pub(super) struct Maps<'p> {
    declared: BTreeMap<String, &'p Directive>,
    /// Variables that other modules give: their values are known when a request comes.
    opaque: BTreeSet<String>,
    /// What became of those that were asked for; `None` while it is being translated.
    translated: BTreeMap<String, Option<Result<(), Lack>>>,
    /// In the order in which they may refer to each other.
    nodes: Vec<Node>,
}

impl<'p> Maps<'p> {
    /// Takes note of `directive`, a `map` or a `geo`; of two for one variable the later counts.
    pub(super) fn declare(&mut self, directive: &'p Directive) {
        let Some(variable) = directive.args.last() else { return };
        let name = variable.text.trim_start_matches('$').to_ascii_lowercase();
        self.declared.insert(name, directive);
    }

    /// Takes note of the variables that modules give with `directives` and all below them.
    pub(super) fn declare_given(&mut self, directives: &[Directive]) {
        for directive in directives {
            let name = directive.name();
            if matches!(table::class(name), Class::Variable) || name.starts_with("set_by_lua") {
                let entries = directive.children().iter().map(|entry| &entry.name);
                let words = directive.args.iter().chain(entries).filter_map(|word| word.text.strip_prefix('$'));
                self.opaque.extend(words.map(str::to_ascii_lowercase));
            }
            self.declare_given(directive.children());
        }
    }

    /// Whether a table gives `name`.
    pub(super) fn is_declared(&self, name: &str) -> bool {
        self.declared.contains_key(name)
    }

    /// Whether `name` has a value that only the host knows.
    pub(super) fn is_opaque(&self, name: &str) -> bool {
        self.opaque.contains(name)
    }

    /// What the value of `name` depends on that a rewrite may change.
    pub(super) fn asks(&self, name: &str, depth: usize) -> Moves {
        let Some(directive) =
            self.declared.get(name).filter(|directive| directive.name() == "map" && depth < CHAIN_MAX)
        else {
            return Moves::default();
        };
        let mut asks = Moves::default();
        for name in directive.args.first().map(variables).unwrap_or_default() {
            asks = asks.or(match name.as_str() {
                "uri" | "document_uri" => Moves { path: true, args: false },
                "args" | "query_string" | "is_args" => Moves { path: false, args: true },
                name if name.starts_with("arg_") => Moves { path: false, args: true },
                name => self.asks(name, depth + 1),
            });
        }
        asks
    }

    /// Whether asking for `name` tries regexes, its own or those of a table that it asks.
    pub(super) fn tries_regexes(&self, name: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![name.to_owned()];
        while let Some(name) = waiting.pop() {
            let Some(directive) = self.declared.get(&name).filter(|directive| directive.name() == "map") else {
                continue;
            };
            if directive.children().iter().any(|entry| entry.name().starts_with('~')) {
                return true;
            }
            if seen.insert(name) {
                let values = directive.children().iter().flat_map(|entry| &entry.args);
                waiting.extend(directive.args.first().into_iter().chain(values).flat_map(variables));
            }
        }
        false
    }

    /// The default and the other values of the table that gives `name`, if all are written without variables.
    pub(super) fn literal_values(&self, name: &str) -> Option<(String, Vec<String>)> {
        let directive = self.declared.get(name)?;
        let (mut default, mut others) = (String::new(), Vec::new());
        for entry in directive.children() {
            let [value] = entry.args.as_slice() else { continue };
            if value.text.contains('$') {
                return None;
            }
            match entry.name() {
                "include" => {}
                "default" => default.clone_from(&value.text),
                _ if others.contains(&value.text) => {}
                _ => others.push(value.text.clone()),
            }
        }
        others.retain(|value| *value != default);
        Some((default, others))
    }

    /// The tables that were asked for.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The tables that nothing asked for.
    pub(super) fn unused(&self) -> impl Iterator<Item = &'p Directive> {
        self.declared.iter().filter(|(name, _)| !self.translated.contains_key(*name)).map(|(_, directive)| *directive)
    }
}

/// Tables that ask tables that ask tables: people write two.
const CHAIN_MAX: usize = 16;

/// A line of a table.
struct Entry {
    /// Lower comes first.
    rank: (u8, usize),
    when: Predicate,
    value: Word,
    comments: Vec<String>,
}

impl<'p> Importer<'p> {
    /// [`Self::use_map`], where what it asks for is still as it came.
    pub(super) fn use_map_at(&mut self, name: &str, place: &Place<'_, 'p>) -> Result<String, Lack> {
        let asks = self.maps.asks(name, 0);
        if (asks.path && place.moves.path) || (asks.args && place.moves.args) {
            let why = "asks for what a rewrite may have changed before, and tables see the request as it came";
            return Err(Lack::beyond(format!("`${name}` {why}")));
        }
        self.use_map(name)
    }

    /// Translates the table that gives `name`, once; its name in the rules.
    pub(super) fn use_map(&mut self, name: &str) -> Result<String, Lack> {
        let own = if name == "plan" { "plan_".to_owned() } else { name.to_owned() };
        match self.maps.translated.get(name) {
            Some(Some(done)) => return done.clone().map(|()| own),
            Some(None) => return Err(Lack::Wrong(format!("cycle while evaluating variable \"{name}\""))),
            None => {}
        }
        let Some(directive) = self.maps.declared.get(name).copied() else {
            return Err(Lack::Wrong(format!("unknown \"{name}\" variable")));
        };
        self.maps.translated.insert(name.to_owned(), None);
        let made = if directive.name() == "map" { self.map(directive) } else { self.geo(directive) };
        let done = made.map(|body| {
            let place = self.place(directive.span);
            let own_comments = directive.comments.iter().map(|comment| Node::Comment(comment.text.clone()));
            self.maps.nodes.extend(own_comments);
            self.maps.nodes.push(Node::block(format!("map ${own}"), directive.span, body).remark(place));
            self.carried(directive);
        });
        self.maps.translated.insert(name.to_owned(), Some(done.clone()));
        done.map(|()| own)
    }

    fn map(&mut self, directive: &'p Directive) -> Result<Vec<Node>, Lack> {
        let mut server = nowhere();
        let regexes = directive.children().iter().filter_map(|entry| entry.name().strip_prefix('~'));
        server.groups.extend(regexes.flat_map(|source| regex::groups(source.trim_start_matches('*'))));
        let place = place(&server);
        let source = self.source(directive.arg(0), &place)?;
        let hostnames = directive.children().iter().any(|entry| entry.name() == "hostnames" && entry.args.is_empty());
        let mut entries = Vec::new();
        let mut default = None;
        for (index, entry) in directive.children().iter().enumerate() {
            match (entry.name(), entry.args.as_slice()) {
                ("hostnames" | "volatile", []) | ("include", [_]) => {}
                ("default", [value]) => default = Some(value.clone()),
                (key, [value]) => {
                    let (rank, when) = key_case(&source, key, hostnames).map_err(Lack::Beyond)?;
                    let comments = entry.comments.iter().map(|comment| comment.text.clone()).collect();
                    entries.push(Entry {
                        rank: (rank.0, rank.1.max(if rank.0 == REGEX { index } else { 0 })),
                        when,
                        value: value.clone(),
                        comments,
                    });
                }
                _ => return Err(Lack::Wrong("invalid number of the map parameters".to_owned())),
            }
        }
        entries.sort_by_key(|entry| entry.rank);
        self.cases(directive, entries, default, &place)
    }

    fn geo(&mut self, directive: &'p Directive) -> Result<Vec<Node>, Lack> {
        let server = nowhere();
        let place = place(&server);
        if directive.args.len() > 1 && directive.arg(0) != "$remote_addr" {
            return Err(Lack::beyond("only the client's own address can be asked for networks"));
        }
        let mut entries = Vec::new();
        let mut default = None;
        for entry in directive.children() {
            match (entry.name(), entry.args.as_slice()) {
                ("include", [_]) => {}
                ("ranges" | "proxy_recursive", []) => {
                    return Err(Lack::beyond(format!("`{}` is not carried over: write networks", entry.name())));
                }
                ("delete" | "proxy", [_]) => {
                    return Err(Lack::beyond(format!("`{}` is not carried over", entry.name())));
                }
                ("default", [value]) => default = Some(value.clone()),
                (network, [value]) => {
                    let (network, bits) = super::access::network(network)
                        .ok_or_else(|| Lack::Wrong(format!("invalid network \"{network}\"")))?;
                    if bits == 0 && network == "0.0.0.0/0" && default.is_none() {
                        default = Some(value.clone());
                        continue;
                    }
                    let comments = entry.comments.iter().map(|comment| comment.text.clone()).collect();
                    let when = Predicate::atom(format!("client in {network}"));
                    entries.push(Entry { rank: (0, 128 - usize::from(bits)), when, value: value.clone(), comments });
                }
                _ => return Err(Lack::Wrong("invalid number of the geo parameters".to_owned())),
            }
        }
        entries.sort_by_key(|entry| entry.rank);
        self.cases(directive, entries, default, &place)
    }

    /// The field a table asks.
    fn source(&mut self, text: &str, place: &Place<'_, 'p>) -> Result<Field, Lack> {
        match parts(text)?.as_slice() {
            [Part::Variable(name)] => self.field(name, place),
            [Part::Text(text)] => Ok(Field::Text(text.clone())),
            [] => Ok(Field::Text(String::new())),
            _ => Err(Lack::beyond("it asks for a text put together of several parts")),
        }
    }

    fn cases(
        &mut self,
        directive: &'p Directive,
        entries: Vec<Entry>,
        default: Option<Word>,
        place: &Place<'_, 'p>,
    ) -> Result<Vec<Node>, Lack> {
        let mut body = Vec::new();
        for entry in entries {
            if entry.when == Predicate::False {
                continue;
            }
            let value = self.template(&entry.value, place)?;
            body.extend(entry.comments.into_iter().map(Node::Comment));
            body.push(Node::line(format!("{} -> {value}", entry.when.text()), directive.span));
        }
        if let Some(default) = default.filter(|value| !value.text.is_empty()) {
            let value = self.template(&default, place)?;
            body.push(Node::line(format!("default -> {value}"), directive.span));
        }
        Ok(body)
    }
}

/// Exact texts, then wildcards, then regexes.
const REGEX: u8 = 3;

/// When a key holds, and how early it is tried.
fn key_case(source: &Field, key: &str, hostnames: bool) -> Result<((u8, usize), Predicate), String> {
    if let Some(regex) = key.strip_prefix('~') {
        let (regex, caseless) = regex.strip_prefix('*').map_or((regex, false), |regex| (regex, true));
        return Ok(((REGEX, 0), source.matches(&regex::source(regex), caseless)?));
    }
    let key = key.strip_prefix('\\').unwrap_or(key);
    // The longest wildcard first.
    let rank = |kind: u8| (kind, usize::MAX - key.len());
    if hostnames {
        if let Some(rest) = key.strip_prefix("*.") {
            return Ok((rank(1), source.matches(&format!("^.+\\.{}\\z", regex::escaped(rest)), true)?));
        }
        if let Some(rest) = key.strip_prefix('.') {
            return Ok((rank(1), source.matches(&format!("^(?:.+\\.)?{}\\z", regex::escaped(rest)), true)?));
        }
        if let Some(rest) = key.strip_suffix(".*") {
            return Ok((rank(2), source.matches(&format!("^{}\\..+\\z", regex::escaped(rest)), true)?));
        }
    }
    Ok(((0, 0), source.equals(key, true)))
}

/// A table is filled in wherever it is used: it knows of no server.
fn nowhere<'p>() -> Server<'p> {
    Server {
        level: Level::outermost(&[]),
        first_name: String::new(),
        port: None,
        is_tls: None,
        sets: BTreeMap::new(),
        made_of: BTreeMap::new(),
        groups: BTreeSet::new(),
        said: BTreeSet::new(),
        takes_groups: false,
        passes_on: false,
        targets: Vec::new(),
        named: BTreeSet::new(),
        is_any: true,
    }
}

fn place<'a, 'p>(server: &'a Server<'p>) -> Place<'a, 'p> {
    Place {
        server,
        level: server.level.clone(),
        moves: Moves::default(),
        values: Values::default(),
        ignores_uri: false,
        proxy_host: None,
    }
}
