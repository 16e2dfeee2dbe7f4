//! `location`: its paths, its statements in the order in which nginx runs its phases, and what is nested in it.

use super::content::{Around, Handler};
use super::flow::{Flow, UriUse};
use super::importer::{Importer, Lack};
use super::level::Level;
use super::place::{Moves, Place, Server, Target};
use super::proxy::Home;
use super::regex;
use super::rules::{Node, word};
use super::survey::changes;
use super::tree::Directive;
use super::values::Values;
use std::collections::BTreeSet;

/// How a location is written.
#[derive(Clone, Debug)]
struct Head {
    modifier: &'static str,
    pattern: String,
}

/// What a location is nested in, and what is known there.
#[derive(Clone, Debug)]
pub(super) struct Outer<'a, 'p> {
    /// The server.
    pub(super) server: &'a Server<'p>,
    /// The level around it.
    pub(super) level: Level<'p>,
    /// What the server's statements have set.
    pub(super) values: Values,
    /// What its rewrites may have changed.
    pub(super) moves: Moves,
    /// Whether a `break` of the server may keep the URI of a `proxy_pass` from counting.
    ignores_uri: bool,
    /// The location around it: its modifier and pattern.
    around: Option<(&'static str, String)>,
    /// Which of the server's blocks this is.
    depth: usize,
}

impl<'a, 'p> Outer<'a, 'p> {
    /// Directly in a server whose own statements were followed.
    pub(super) fn of_server(flow: &Flow<'a, 'p>) -> Self {
        let place = &flow.place;
        Self {
            server: place.server,
            level: place.level.clone(),
            values: place.values.clone(),
            // What rewrites of the server change is known by where they lead.
            moves: flow.changes,
            ignores_uri: flow.uri() != UriUse::Always,
            around: None,
            depth: 0,
        }
    }
}

impl<'p> Importer<'p> {
    /// The locations of one level.
    pub(super) fn locations(&mut self, outer: &Outer<'_, 'p>) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut named: BTreeSet<String> = BTreeSet::new();
        let locations = outer.level.own("location");
        if let Some(first) = locations.first().filter(|_| outer.server.sets.len() > VARIABLES_MAX) {
            let message = format!("the server sets more than {VARIABLES_MAX} variables");
            self.refuse(first.span, &message, "split the server, or name fewer variables");
            return nodes;
        }
        for directive in locations {
            let head = match head(directive) {
                Ok(head) => head,
                Err(lack) => {
                    self.lacks(directive, &lack);
                    continue;
                }
            };
            if let Err(lack) = nests(&head, outer) {
                self.lacks(directive, &lack);
                continue;
            }
            if head.pattern.starts_with('@') && !named.insert(head.pattern.clone()) {
                // nginx uses the first location of this name.
                self.skip(directive);
                continue;
            }
            nodes.push(Node::Blank);
            nodes.extend(directive.comments.iter().map(|comment| Node::Comment(comment.text.clone())));
            let place = self.place(directive.span);
            let body = self.location(directive, &head, outer);
            nodes.push(
                Node::block(format!("location {}{}", head.modifier, word(&head.pattern)), directive.span, body)
                    .remark(place),
            );
        }
        nodes
    }

    /// Nothing in `directive` is ever reached.
    fn skip(&mut self, directive: &'p Directive) {
        self.nothing(directive);
        for inner in directive.children() {
            self.skip(inner);
        }
    }

    fn location(&mut self, directive: &'p Directive, head: &Head, outer: &Outer<'_, 'p>) -> Vec<Node> {
        self.carried(directive);
        let level = outer.level.inner(directive);
        let handler = Handler::own(&level).unwrap_or(Handler::Files);
        let home = match head.modifier {
            "" | "^~ " if !head.pattern.starts_with('@') => Home::Prefix,
            "= " => Home::Exact,
            _ => Home::NoPrefix,
        };
        let around = Around { handler, home };
        let proxy_host = match handler {
            Handler::Proxy(directive) => proxy_host(directive.arg(0)),
            _ => None,
        };
        let moves = outer.moves.or(outer.server.moves_to(&|target| takes(head, target)));
        let place = Place {
            server: outer.server,
            level: level.clone(),
            moves,
            values: values_in(directive, outer),
            proxy_host,
            ignores_uri: outer.ignores_uri && moves.path,
        };
        let mut nodes = Vec::new();
        for internal in level.own("internal") {
            self.carried(internal);
            nodes.push(Node::line("internal", internal.span));
        }
        nodes.extend(self.default_type(&level));
        let behind = Place { moves: moves.or(changes(level.directives)), ..place.clone() };
        nodes.extend(self.own_settings(&behind, &BTreeSet::new()).0);
        nodes.extend(self.limited(&place, around));
        let mut flow = Flow::new(place, true, outer.server.takes_groups);
        self.follow(level.directives, &mut flow);
        let (statements, flow) = flow.finish();
        nodes.extend(statements);
        let redirects_slash = home != Home::NoPrefix && head.pattern.ends_with('/');
        let proxies = !matches!(handler, Handler::Files);
        let content = if flow.is_over { Vec::new() } else { self.content(&flow, around) };
        if flow.is_over {
            self.never_reached(&flow.place, handler);
        }
        // nginx redirects a missing slash because of the handler, whatever stands before it.
        if redirects_slash && proxies != mentions_proxy(&content) {
            let switch = if proxies { "on" } else { "off" };
            nodes.insert(0, Node::line(format!("slash_redirect {switch}"), directive.span));
        }
        join(&mut nodes, content);
        let has_nested = !level.own("location").is_empty();
        if has_nested {
            for branch in flow.branches.iter().filter(|branch| branch.has_settings) {
                let message = "settings of an `if` beside nested locations: those would inherit them";
                self.refuse(branch.span, message, "move the `if`, or the nested locations, to a location of their own");
            }
        }
        let inner = Outer {
            level,
            around: Some((head.modifier, head.pattern.clone())),
            depth: outer.depth + 1,
            ..outer.clone()
        };
        nodes.extend(self.locations(&inner));
        nodes.extend(
            directive.block.iter().flat_map(|block| &block.comments).map(|comment| Node::Comment(comment.text.clone())),
        );
        nodes
    }

    /// The type of a `return` with a text.
    fn default_type(&mut self, level: &Level<'p>) -> Vec<Node> {
        let Some(directive) = level.one("default_type") else { return Vec::new() };
        let says_text =
            level.own("return").iter().any(|answer| answer.args.len() == 2 && !answer.arg(0).starts_with('3'));
        if !says_text || directive.arg(0) == "text/plain" {
            return Vec::new();
        }
        self.carried(directive);
        vec![Node::line(format!("type {}", super::rules::quoted(directive.arg(0))), directive.span)]
    }

    /// `limit_except`: other methods skip the rewrites, and have access and handler of their own.
    fn limited(&mut self, place: &Place<'_, 'p>, around: Around<'p>) -> Vec<Node> {
        let mut nodes = Vec::new();
        for directive in place.level.own("limit_except") {
            self.carried(directive);
            let mut methods = Vec::new();
            for word in &directive.args {
                if !METHODS.contains(&word.text.as_str()) {
                    self.wrong(word.span, format!("invalid method \"{}\"", word.text));
                }
                methods.push(word.text.as_str());
            }
            let inner = Place { level: place.level.inner(directive), ..place.clone() };
            let (mut body, _) = self.own_settings(&inner, &BTreeSet::new());
            body.extend(self.passing(&inner, around, false, &UriUse::Always));
            let head = format!("when not method {}", methods.join(" "));
            nodes.extend(directive.comments.iter().map(|comment| Node::Comment(comment.text.clone())));
            nodes.push(Node::block(head, directive.span, body));
        }
        nodes
    }

    /// What stands behind a `return` that answers every request.
    fn never_reached(&mut self, place: &Place<'_, 'p>, handler: Handler<'p>) {
        if let Handler::Proxy(directive) | Handler::Foreign(directive) = handler {
            self.nothing(directive);
        }
        for name in ["try_files", "allow", "deny", "satisfy", "auth_basic", "auth_request"] {
            for directive in place.level.own(name) {
                self.nothing(directive);
            }
        }
    }
}

/// What is known of variables where a location begins: those that another location sets may come from there.
fn values_in(directive: &Directive, outer: &Outer<'_, '_>) -> Values {
    let mut values = outer.values.clone();
    for (name, blocks) in &outer.server.sets {
        let own = usize::from(sets(directive, name));
        let of_server = usize::from(blocks.contains(&0));
        if blocks.len() > own + of_server {
            values.open(name, &format!("`${name}` is set in another location that may come before"));
        }
    }
    values
}

/// Variables that `set` makes in one server: each location has to know what each may be. People have a dozen.
const VARIABLES_MAX: usize = 256;

const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "MKCOL",
    "COPY",
    "MOVE",
    "OPTIONS",
    "PROPFIND",
    "PROPPATCH",
    "LOCK",
    "UNLOCK",
    "PATCH",
];

fn head(directive: &Directive) -> Result<Head, Lack> {
    let split = |text: &str| -> (&'static str, String) {
        for (sign, modifier) in [("~*", "~* "), ("^~", "^~ "), ("=", "= "), ("~", "~ ")] {
            if let Some(rest) = text.strip_prefix(sign) {
                return (modifier, rest.to_owned());
            }
        }
        ("", text.to_owned())
    };
    let (modifier, pattern) = match directive.args.as_slice() {
        [one] => split(&one.text),
        [sign, pattern] => match sign.text.as_str() {
            "=" => ("= ", pattern.text.clone()),
            "^~" => ("^~ ", pattern.text.clone()),
            "~" => ("~ ", pattern.text.clone()),
            "~*" => ("~* ", pattern.text.clone()),
            other => return Err(Lack::Wrong(format!("invalid location modifier \"{other}\""))),
        },
        _ => return Err(Lack::Wrong("invalid number of arguments in \"location\" directive".to_owned())),
    };
    if directive.block.is_none() {
        return Err(Lack::Wrong("directive \"location\" has no opening \"{\"".to_owned()));
    }
    if modifier.starts_with('~') {
        return Ok(Head { modifier, pattern: regex::source(&pattern) });
    }
    if pattern.chars().any(super::decode::is_byte) {
        return Err(Lack::beyond("rules are UTF-8, and this path is not: write it as a regex, with `\\xHH`"));
    }
    Ok(Head { modifier, pattern })
}

/// The modifier and the pattern of the location `directive`, if nginx takes them.
pub(super) fn head_of(directive: &Directive) -> Option<(&'static str, String)> {
    head(directive).ok().map(|head| (head.modifier, head.pattern))
}

/// nginx's rules of nesting.
fn nests(head: &Head, outer: &Outer<'_, '_>) -> Result<(), Lack> {
    let Head { modifier, pattern } = head;
    let is_named = modifier.is_empty() && pattern.starts_with('@');
    let Some((around, around_pattern)) = &outer.around else { return Ok(()) };
    if outer.depth > DEPTH_MAX {
        return Err(Lack::beyond("locations stand too deep"));
    }
    if *around == "= " {
        return Err(Lack::Wrong(format!(
            "location \"{pattern}\" cannot be inside the exact location \"{around_pattern}\""
        )));
    }
    if around.is_empty() && around_pattern.starts_with('@') {
        return Err(Lack::Wrong(format!(
            "location \"{pattern}\" cannot be inside the named location \"{around_pattern}\""
        )));
    }
    if is_named {
        return Err(Lack::Wrong(format!("named location \"{pattern}\" can be on the server level only")));
    }
    if !modifier.starts_with('~') && !pattern.starts_with(around_pattern.as_str()) {
        return Err(Lack::Wrong(format!("location \"{pattern}\" is outside location \"{around_pattern}\"")));
    }
    Ok(())
}

/// Locations within locations: people write two or three levels.
const DEPTH_MAX: usize = 30;

/// Whether a path of `target` can lead to the location.
fn takes(head: &Head, target: &Target) -> bool {
    let Target { front, is_whole, .. } = target;
    match head.modifier {
        "= " => {
            if *is_whole {
                *front == head.pattern
            } else {
                head.pattern.starts_with(front.as_str())
            }
        }
        "~ " | "~* " => !is_whole || regex::matches(&head.pattern, head.modifier == "~* ", front).unwrap_or(true),
        _ if head.pattern.starts_with('@') => true,
        _ => front.starts_with(head.pattern.as_str()) || (!is_whole && head.pattern.starts_with(front.as_str())),
    }
}

fn sets(directive: &Directive, name: &str) -> bool {
    directive.children().iter().any(|inner| match inner.name() {
        "set" => inner.arg(0).trim_start_matches('$').eq_ignore_ascii_case(name),
        "if" => sets(inner, name),
        _ => false,
    })
}

/// `$proxy_host`
fn proxy_host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?']).next()?;
    (!host.contains('$')).then(|| host.to_owned())
}

/// `nodes` and `more`; where the one ends and the other begins with the same guard, it is said once.
fn join(nodes: &mut Vec<Node>, more: Vec<Node>) {
    let mut more = more.into_iter();
    if let Some(first) = more.next() {
        match (nodes.last_mut(), first) {
            (Some(Node::Block { head, body, .. }), Node::Block { head: same, body: rest, .. })
                if *head == same && same.starts_with("when ") =>
            {
                body.extend(rest);
            }
            (_, first) => nodes.push(first),
        }
    }
    nodes.extend(more);
}

/// Whether a `proxy` of `nodes` stands under no guard.
fn mentions_proxy(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| matches!(node, Node::Line { text, .. } if text.starts_with("proxy ")))
}
