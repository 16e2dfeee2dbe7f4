//! What is done with a request that no rewrite has answered: access, files that may be there, the handler.

use super::fact::file_fact;
use super::flow::{Branch, Flow, UriUse, When};
use super::importer::{Importer, Lack};
use super::level::Level;
use super::location;
use super::place::Place;
use super::predicate::Predicate;
use super::proxy::Home;
use super::rules::{Node, Rendered, quoted, word};
use super::survey::changes;
use super::tree::{Directive, Word};
use crate::diagnostic::Span;

/// What answers on a level.
#[derive(Clone, Copy, Debug)]
pub(super) enum Handler<'p> {
    /// `proxy_pass`
    Proxy(&'p Directive),
    /// Another protocol, or a module of its own.
    Foreign(&'p Directive),
    /// Files, as everywhere where nothing else is said.
    Files,
}

/// Protocols that a server in front of an external upstream has to speak.
const PROTOCOLS: &[&str] = &["fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass"];
/// What answers by itself: left out on request, an external upstream stands in its place.
const MODULES: &[&str] =
    &["empty_gif", "stub_status", "status", "api", "upstream_conf", "vhost_traffic_status_display", "hls", "f4f"];

impl<'p> Handler<'p> {
    /// What `level` says itself.
    pub(super) fn own(level: &Level<'p>) -> Option<Self> {
        level.directives.iter().rev().find_map(|directive| match directive.name() {
            "proxy_pass" => Some(Self::Proxy(directive)),
            name if PROTOCOLS.contains(&name) || MODULES.contains(&name) || is_script(name) => {
                Some(Self::Foreign(directive))
            }
            _ => None,
        })
    }
}

fn is_script(name: &str) -> bool {
    name.starts_with("content_by_lua") || matches!(name, "js_content" | "perl" | "echo")
}

/// What is known of the location around the content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'p> {
    /// What the location's own handler is.
    pub(super) handler: Handler<'p>,
    /// Its kind.
    pub(super) home: Home,
}

impl<'p> Importer<'p> {
    /// The statements behind the rewrite phase of a location.
    pub(super) fn content(&mut self, flow: &Flow<'_, 'p>, around: Around<'p>) -> Vec<Node> {
        let moves = flow.place.moves.or(changes(flow.place.level.directives));
        let place = &Place { values: flow.after.clone(), moves, ..flow.place.clone() };
        let uri = if flow.place.ignores_uri { UriUse::Unknown } else { flow.uri() };
        let base = self.passing(place, around, true, &uri);
        let base = self.unless_waiting(base, flow);
        let mut branches: Vec<(Predicate, Vec<Node>, Span)> = Vec::new();
        for (index, branch) in flow.branches.iter().enumerate() {
            if branch.when == Predicate::False {
                continue;
            }
            let place = Place { level: branch.level.clone(), ..place.clone() };
            let mut nodes = self.passing(&place, around, false, &uri);
            let before = flow.branches.get(..index).unwrap_or(&[]);
            let of_access = self.access(&place.level, &place).len();
            let is_reached = nodes.len() > of_access;
            for orphan in before.iter().rev().filter(|before| is_reached && leaves_orphan(before, branch, around)) {
                // nginx keeps the handler of the `if` before, and has no upstream for it.
                let body = vec![Node::line("return 500", branch.span)];
                match &orphan.when {
                    Predicate::True => nodes.splice(of_access.., body).for_each(drop),
                    when => nodes.insert(of_access, Node::block(format!("when {}", when.text()), branch.span, body)),
                }
            }
            let nodes = self.unless_waiting(nodes, flow);
            let when = match &branch.broke_before {
                When::Holds(broke) => branch.when.clone().and(broke.clone().not()),
                When::Unknown if same(&nodes, &base) => branch.when.clone(),
                When::Unknown => {
                    let message = "whether a `break` above keeps this `if` from being asked cannot be told";
                    self.refuse(branch.span, message, "put the `if` above the rewrite");
                    continue;
                }
            };
            branches.push((when, nodes, branch.span));
        }
        let mut nodes = Vec::new();
        let needed = branches.iter().position(|(_, nodes, _)| !same(nodes, &base)).unwrap_or(branches.len());
        for (when, body, span) in branches.drain(needed..).rev() {
            if when == Predicate::True {
                nodes.extend(body);
                return nodes;
            }
            let place = self.place(span);
            nodes.push(Node::block(format!("when {}", when.text()), span, body).remark(place));
        }
        nodes.extend(base);
        nodes
    }

    /// nginx looks up the path again before it asks who may pass; only `proxy` waits for that by itself.
    fn unless_waiting(&mut self, nodes: Vec<Node>, flow: &Flow<'_, 'p>) -> Vec<Node> {
        let waits = match (&flow.waits, &flow.broke) {
            (When::Holds(waits), When::Holds(broke)) => When::Holds(waits.clone().and(broke.clone().not())),
            (When::Holds(Predicate::False), _) => When::Holds(Predicate::False),
            _ => When::Unknown,
        };
        match waits {
            When::Holds(Predicate::False) => nodes,
            _ if !nodes.iter().any(answers_itself) => nodes,
            When::Holds(waits) => {
                let head = format!("when {}", waits.not().text());
                let guarded = |node: Node| {
                    if answers_itself(&node) { Node::block(head.clone(), span_of(&node), vec![node]) } else { node }
                };
                nodes.into_iter().map(guarded).collect()
            }
            When::Unknown => {
                let span = nodes.iter().find(|node| node.is_statement()).map(span_of);
                let message = "whether a rewrite without a flag has matched before cannot be told here";
                self.refuse(span.unwrap_or_default(), message, "give the rewrite `last`");
                nodes
            }
        }
    }

    /// Access and handler of a level.
    pub(super) fn passing(
        &mut self,
        place: &Place<'_, 'p>,
        around: Around<'p>,
        is_location: bool,
        uri: &UriUse,
    ) -> Vec<Node> {
        let mut nodes = self.access(&place.level, place);
        if nodes.last().is_some_and(is_final) {
            return nodes;
        }
        let own = Handler::own(&place.level).filter(|_| !is_location);
        let (handler, home) = match own {
            Some(own) => (own, Home::NoPrefix),
            None => (around.handler, around.home),
        };
        let tries = if is_location { place.level.own("try_files").into_iter().next() } else { None };
        match tries {
            Some(tries) => nodes.extend(self.try_files(tries, handler, home, place, uri)),
            None => nodes.extend(self.handler(handler, home, place, uri)),
        }
        nodes
    }

    /// The statement of a handler.
    pub(super) fn handler(
        &mut self,
        handler: Handler<'p>,
        home: Home,
        place: &Place<'_, 'p>,
        uri: &UriUse,
    ) -> Vec<Node> {
        match handler {
            Handler::Proxy(directive) => match self.proxy_pass(directive, place, home, uri) {
                Ok(nodes) => nodes,
                Err(lack) => {
                    self.lacks(directive, &lack);
                    Vec::new()
                }
            },
            Handler::Foreign(directive) => {
                let what = format!("{} {}", directive.name(), directive.arg(0));
                let protocol = directive.name().trim_end_matches("_pass");
                let name = self.external(protocol, what.trim(), directive.span);
                if PROTOCOLS.contains(&directive.name()) {
                    self.carried(directive);
                }
                vec![Node::line(format!("proxy {name}"), directive.span)]
            }
            Handler::Files => {
                let span = self.files(&place.level);
                self.pages_of_files(&place.level);
                let name = self.external("files", "a file server: nginx serves these itself", span);
                vec![Node::line(format!("proxy {name}"), span)]
            }
        }
    }

    /// Whether a file is missing is known behind the rules, where no error page of theirs stands in.
    fn pages_of_files(&mut self, level: &Level<'p>) {
        for page in level.effective("error_page") {
            if page.args.iter().any(|word| matches!(word.text.as_str(), "403" | "404")) {
                let message = "a file that is missing is the file server's 404: this page does not stand in for it";
                self.trap(page.span, message, "let the file server have the page");
            }
        }
    }

    /// Files are served: what says where they are is the host's affair.
    fn files(&mut self, level: &Level<'p>) -> Span {
        let mut span = None;
        for directive in ["alias", "root"].into_iter().flat_map(|name| level.effective(name)) {
            span = span.or(Some(directive.span));
            self.carried(directive);
        }
        for index in level.effective("index") {
            self.index(index);
        }
        span.or_else(|| level.directives.first().map(|directive| directive.span)).unwrap_or_default()
    }

    /// An index that is a plain file is the file server's affair; any other is sought by another location.
    fn index(&mut self, index: &'p Directive) {
        let is_plain = |word: &Word| {
            let extension = word.text.rsplit_once('.').map_or("", |(_, extension)| extension);
            matches!(extension, "html" | "htm")
        };
        match index.args.iter().find(|word| !is_plain(word)) {
            None => self.carried(index),
            Some(other) => {
                let why = format!("a folder that has `{}` is answered by the location of that path", other.text);
                self.gap(index, &why);
            }
        }
    }

    fn try_files(
        &mut self,
        tries: &'p Directive,
        handler: Handler<'p>,
        home: Home,
        place: &Place<'_, 'p>,
        uri: &UriUse,
    ) -> Vec<Node> {
        self.carried(tries);
        let Some((last, files)) = tries.args.split_last().filter(|(_, files)| !files.is_empty()) else {
            self.wrong(tries.span, "invalid number of arguments in \"try_files\" directive");
            return Vec::new();
        };
        let mut nodes = Vec::new();
        let mut any = Predicate::False;
        for file in files {
            let is_folder = file.text.ends_with('/');
            let wanted = file_fact(&file.text, if is_folder { "is_folder" } else { "is_file" });
            let meaning =
                format!("whether `{}` is {} below the root", file.text, if is_folder { "a folder" } else { "a file" });
            let fact = self.fact(&wanted, "yes no", meaning, file.span);
            let there = Predicate::atom(format!("fact {fact} yes"));
            if !matches!(handler, Handler::Proxy(_)) {
                any = any.or(there);
                continue;
            }
            match self.found(&file.text, handler, home, place, uri) {
                Ok(body) => nodes.push(Node::block(format!("when {}", there.text()), tries.span, body)),
                Err(lack) => self.lacks(tries, &lack),
            }
        }
        if any != Predicate::False {
            let body = self.handler(handler, home, place, uri);
            nodes.push(Node::block(format!("when {}", any.text()), tries.span, body));
        }
        match self.last_word(&last.text, place) {
            Ok(line) => nodes.push(Node::line(line, tries.span)),
            Err(lack) => self.lacks(tries, &lack),
        }
        nodes
    }

    /// A request for a file that is there, passed on: its path is the file's.
    fn found(
        &mut self,
        file: &str,
        handler: Handler<'p>,
        home: Home,
        place: &Place<'_, 'p>,
        uri: &UriUse,
    ) -> Result<Vec<Node>, Lack> {
        let span = match handler {
            Handler::Proxy(directive) => directive.span,
            _ => Span::default(),
        };
        let answer = self.handler(handler, home, place, uri);
        if file == "$uri" {
            let canonical = |node: Node| match node {
                Node::Line { text, span, remark } if text.split(' ').count() == 2 => {
                    Node::Line { text: format!("{text} canonical"), span, remark }
                }
                other => other,
            };
            return Ok(answer.into_iter().map(canonical).collect());
        }
        if answer.iter().any(|node| matches!(node, Node::Line { text, .. } if text.contains('"'))) {
            return Err(Lack::beyond("the path of a file that is there takes the place of what `proxy_pass` says"));
        }
        let template = self.template_text(file, place)?;
        let mut nodes = vec![Node::line(format!("rewrite ^ {} break", quoted(&template)), span)];
        nodes.extend(answer);
        Ok(nodes)
    }

    fn last_word(&mut self, last: &str, place: &Place<'_, 'p>) -> Result<String, Lack> {
        if let Some(code) = last.strip_prefix('=') {
            return match code.parse::<u16>() {
                Ok(444) => Ok("return 444".to_owned()),
                Ok(code @ 200..=599) => Ok(format!("return {code}")),
                Ok(_) => Err(Lack::beyond(format!("{code} is no status of an answer"))),
                Err(_) => Err(Lack::Wrong(format!("invalid code \"{last}\""))),
            };
        }
        if !last.starts_with(['/', '@', '$']) {
            return Err(Lack::beyond(format!("`{last}` is no path: is `={last}` meant?")));
        }
        if let Some(name) = last.strip_prefix('@') {
            // nginx finds out when a request comes.
            if !place.server.named.contains(name) {
                return Ok("return 500".to_owned());
            }
            return Ok(format!("goto {}", word(last)));
        }
        let last = match alias_prefix(&place.level).filter(|_| last.contains('$')) {
            Some(prefix) => less_prefix(last, &prefix)?,
            None => last,
        };
        Ok(format!("goto {}", quoted(&self.template_text(last, place)?)))
    }
}

/// The prefix that an `alias` stands for at `level`, if one does.
fn alias_prefix(level: &Level<'_>) -> Option<String> {
    if level.own("alias").is_empty() {
        return if level.own("root").is_empty() { alias_prefix(level.outer.as_ref()?) } else { None };
    }
    let (modifier, pattern) = location::head_of(level.of?)?;
    (!modifier.starts_with('~') && !pattern.starts_with('@')).then_some(pattern)
}

/// What nginx makes of `last`, the last word of a `try_files` with a variable: it takes the prefix of an `alias` off.
fn less_prefix<'w>(last: &'w str, prefix: &str) -> Result<&'w str, Lack> {
    let literal = last.split('$').next().unwrap_or("");
    if let Some(rest) = last.strip_prefix(prefix).filter(|_| literal.len() >= prefix.len()) {
        let why = format!("nginx takes `{prefix}` off because of the `alias`, and what is left is no path");
        return if rest.starts_with('/') { Ok(rest) } else { Err(Lack::beyond(why)) };
    }
    if prefix.starts_with(literal) {
        return Err(Lack::beyond(format!("nginx takes `{prefix}` off where it begins so, because of the `alias`")));
    }
    Ok(last)
}

/// Whether a request that matched both gets the handler of `before` with the settings of `last`, which has none.
fn leaves_orphan(before: &Branch<'_>, last: &Branch<'_>, around: Around<'_>) -> bool {
    let of_level = Handler::own(&before.level);
    let is_same_kind = matches!((of_level, around.handler), (Some(Handler::Proxy(_)), Handler::Proxy(_)));
    before.when != Predicate::False && Handler::own(&last.level).is_none() && of_level.is_some() && !is_same_kind
}

/// Whether `node` answers without `proxy` or `goto`, which wait for a new lookup by themselves.
fn answers_itself(node: &Node) -> bool {
    match node {
        Node::Line { text, .. } => text.starts_with("return "),
        Node::Block { body, .. } => body.iter().any(answers_itself),
        _ => false,
    }
}

fn span_of(node: &Node) -> Span {
    match node {
        Node::Line { span, .. } | Node::Block { span, .. } => span.unwrap_or_default(),
        _ => Span::default(),
    }
}

/// Whether both say the same, wherever they come from.
fn same(nodes: &[Node], others: &[Node]) -> bool {
    Rendered::of(nodes).text == Rendered::of(others).text
}

/// Whether nothing behind `node` is reached.
fn is_final(node: &Node) -> bool {
    matches!(node, Node::Line { text, .. } if text.starts_with("return "))
}
