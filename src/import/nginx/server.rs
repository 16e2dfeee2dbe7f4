//! `server`: a service, or two.

use super::flow::Flow;
use super::importer::Importer;
use super::level::Level;
use super::listen::{Listeners, Listening, Reading};
use super::location::Outer;
use super::place::{Moves, Place, Server};
use super::regex;
use super::rules::{Node, Rendered, name, word};
use super::survey::changes;
use super::tree::{Comment, Directive};
use super::values::Values;
use super::variable::set_name;
use crate::diagnostic::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What a service is made of.
#[derive(Clone, Copy, Debug)]
struct Source<'p> {
    directives: &'p [Directive],
    comments: &'p [Comment],
    span: Span,
}

/// What all servers of a configuration share.
#[derive(Debug)]
pub(super) struct Servers<'p> {
    http: Level<'p>,
    listeners: Listeners,
    all: Vec<&'p Directive>,
    /// Names of services.
    taken: BTreeSet<String>,
    /// Names of hosts by listener: what is taken is nginx's first.
    hosts: BTreeSet<(String, String)>,
}

impl<'p> Importer<'p> {
    /// The services of the servers in `http`.
    pub(super) fn servers(&mut self, http: Level<'p>) -> Vec<Node> {
        let all: Vec<&'p Directive> = http.own("server").into_iter().filter(|server| server.block.is_some()).collect();
        for directive in &all {
            let mut server = nowhere(&http.inner(directive));
            server.survey(directive.children(), 0, &mut 0);
            self.variables.extend(server.sets.into_keys());
            self.variables.extend(server.groups.iter().map(|group| group.to_ascii_lowercase()));
        }
        let listeners = self.listeners(&all);
        let mut servers = Servers { http, listeners, all: all.clone(), taken: BTreeSet::new(), hosts: BTreeSet::new() };
        let mut nodes = Vec::new();
        for (index, directive) in all.into_iter().enumerate() {
            nodes.extend(self.server(directive, index, &mut servers));
        }
        nodes
    }

    /// A file of what stands in a server, read as if it stood in one.
    pub(super) fn snippet_server(&mut self, directives: &'p [Directive]) -> Vec<Node> {
        let Some(first) = directives.first() else { return Vec::new() };
        let http = Level::outermost(&[]);
        let level = Level::within(&http, directives);
        let mut servers = Servers {
            http,
            listeners: Listeners::default(),
            all: Vec::new(),
            taken: BTreeSet::new(),
            hosts: BTreeSet::new(),
        };
        for listen in level.own("listen") {
            self.listen(listen);
        }
        for said in Reading::DIRECTIVES.iter().flat_map(|name| level.own(name)) {
            self.carried(said);
        }
        let listening = Listening { names: Vec::new(), is_default: true, reading: Reading::of(&level) };
        let mut server = nowhere(&level);
        server.survey(directives, 0, &mut 0);
        let source = Source { directives, comments: &[], span: first.span };
        let (own, body) = self.service(source, &server, 0, &listening, &mut servers);
        let remark = "this file is read as what stands in a `server`";
        vec![Node::Blank, Node::block(format!("service {own} default"), first.span, body).remark(remark)]
    }

    fn server(&mut self, directive: &'p Directive, index: usize, servers: &mut Servers<'p>) -> Vec<Node> {
        self.carried(directive);
        let level = servers.http.inner(directive);
        let (port, is_tls) = servers.listeners.port_and_tls(index);
        let own_names: Vec<&'p Directive> = level.own("server_name");
        let first = own_names.first().map_or("", |names| names.arg(0));
        let mut server = Server {
            level: level.clone(),
            first_name: first.strip_prefix('.').unwrap_or(first).to_owned(),
            port,
            is_tls,
            sets: BTreeMap::new(),
            made_of: BTreeMap::new(),
            groups: BTreeSet::new(),
            said: BTreeSet::new(),
            takes_groups: false,
            passes_on: false,
            targets: Vec::new(),
            named: BTreeSet::new(),
            is_any: false,
        };
        let mut blocks = 0;
        server.survey(directive.children(), 0, &mut blocks);
        survey_http(&mut server);
        let mut nodes = Vec::new();
        for said in Reading::DIRECTIVES.iter().flat_map(|name| level.effective(name)) {
            self.carried(said);
        }
        for listening in servers.listeners.services(index, &|index| servers.reading(index)) {
            nodes.push(Node::Blank);
            nodes.extend(directive.comments.iter().map(|comment| Node::Comment(comment.text.clone())));
            let place = self.place(directive.span);
            let comments = directive.block.as_ref().map_or(&[][..], |block| &block.comments);
            let source = Source { directives: directive.children(), comments, span: directive.span };
            let (own, body) = self.service(source, &server, index, &listening, servers);
            let default = if listening.is_default { " default" } else { "" };
            nodes.push(Node::block(format!("service {own}{default}"), directive.span, body).remark(place));
        }
        nodes
    }

    fn service(
        &mut self,
        source: Source<'p>,
        server: &Server<'p>,
        index: usize,
        listening: &Listening,
        servers: &mut Servers<'p>,
    ) -> (String, Vec<Node>) {
        let span = source.span;
        let level = server.level.clone();
        let mut nodes = Vec::new();
        if !listening.names.is_empty() {
            nodes.push(Node::line(format!("listen {}", listening.names.join(" ")), span));
        }
        let hosts = self.hosts(&level, listening, servers);
        if !hosts.is_empty() {
            nodes.push(Node::line(format!("server_name {}", hosts.join(" ")), span));
        }
        let own = servers.free_name(hosts.first().map_or("", String::as_str), index);
        let relative = level.one("absolute_redirect").is_some_and(|absolute| absolute.arg(0) == "off");
        nodes.push(Node::line(if relative { "redirects relative" } else { "redirects absolute" }, span));
        nodes.push(Node::line("slash_redirect 301", span));
        if let Some(absolute) = level.one("absolute_redirect") {
            self.carried(absolute);
        }
        if listening.reading.keeps_slashes {
            nodes.push(Node::line("merge_slashes off", span));
        }
        if listening.reading.keeps_underscores {
            nodes.push(Node::line("underscores on", span));
        }
        if level.effective("client_max_body_size").is_empty() {
            nodes.push(Node::line("body forward max=1m", span));
        }
        let statements = self.statements(source, server, &hosts);
        nodes.extend(statements);
        (own, nodes)
    }

    /// The statements of a service; followed anew until it is known of every variable whether a text names it.
    fn statements(&mut self, source: Source<'p>, server: &Server<'p>, hosts: &[String]) -> Vec<Node> {
        let mut server = server.clone();
        loop {
            self.said.clear();
            let nodes = self.statements_once(source, &server, hosts);
            let said = core::mem::take(&mut self.said);
            if said.is_subset(&server.said) {
                return nodes;
            }
            server.say(said);
        }
    }

    fn statements_once(&mut self, source: Source<'p>, server: &Server<'p>, hosts: &[String]) -> Vec<Node> {
        let span = source.span;
        let level = server.level.clone();
        let mut nodes = Vec::new();
        let place = Place {
            server,
            level: level.clone(),
            moves: server.moves_again(),
            values: Values::default(),
            ignores_uri: false,
            proxy_host: None,
        };
        let behind = Place { moves: place.moves.or(all_changes(source.directives)), ..place.clone() };
        nodes.extend(self.all_settings(&behind, span));
        let before_statements = nodes.len();
        let mut flow = Flow::new(place, false, server.takes_groups);
        self.follow(source.directives, &mut flow);
        let (statements, flow) = flow.finish();
        nodes.extend(statements);
        nodes.extend(self.locations(&Outer::of_server(&flow)));
        nodes.extend(self.files_of_server(&level, span));
        nodes.extend(source.comments.iter().map(|comment| Node::Comment(comment.text.clone())));
        for name in never_set(&nodes, server, hosts) {
            nodes.insert(before_statements, Node::line(format!("set ${name} \"\""), span));
        }
        nodes
    }

    /// What no location takes is a file, if the server says where files are.
    fn files_of_server(&mut self, level: &Level<'p>, span: Span) -> Vec<Node> {
        let is_root = |location: &&Directive| matches!(location.args.as_slice(), [path] if path.text == "/");
        let has_root = !level.own("root").is_empty() || !level.own("alias").is_empty();
        let answers = !level.own("return").is_empty();
        if !has_root || answers || level.own("location").iter().any(is_root) {
            return Vec::new();
        }
        let name = self.external("files", "a file server: nginx serves these itself", span);
        for root in level.own("root") {
            self.carried(root);
        }
        let mut body = vec![Node::line("slash_redirect off", span)];
        let server = nowhere(level);
        let place = Place {
            server: &server,
            level: level.clone(),
            moves: Moves::default(),
            values: Values::default(),
            ignores_uri: false,
            proxy_host: None,
        };
        body.extend(self.access(level, &place));
        body.push(Node::line(format!("proxy {name}"), span));
        vec![Node::Blank, Node::block("location /", span, body).remark("what nginx serves from its root")]
    }

    /// The names of a server that requests can come for.
    fn hosts(&mut self, level: &Level<'p>, listening: &Listening, servers: &mut Servers<'p>) -> Vec<String> {
        let mut hosts = Vec::new();
        for directive in level.own("server_name") {
            self.carried(directive);
            for own in &directive.args {
                for host in names(&own.text) {
                    let listeners =
                        if listening.names.is_empty() { vec![String::new()] } else { listening.names.clone() };
                    let mut is_new = true;
                    for listener in listeners {
                        is_new &= servers.hosts.insert((listener, host.to_ascii_lowercase()));
                    }
                    if is_new {
                        hosts.push(host);
                    } else if !hosts.iter().any(|known| known.eq_ignore_ascii_case(&host)) {
                        let message = format!("conflicting server name \"{host}\", ignored as nginx does");
                        self.trap(own.span, message, "leave one of them out");
                    }
                }
            }
        }
        shorten(hosts)
    }
}

impl Servers<'_> {
    /// How server number `index` reads a head.
    fn reading(&self, index: usize) -> Reading {
        self.all.get(index).map(|server| Reading::of(&self.http.inner(server))).unwrap_or_default()
    }

    fn free_name(&mut self, host: &str, index: usize) -> String {
        let wanted = if host.is_empty() || host.starts_with(['~', '"']) {
            format!("server_{}", index + 1)
        } else {
            name(&host.replace('*', "any"))
        };
        let numbered = (2..).map(|number| format!("{wanted}_{number}"));
        let free = core::iter::once(wanted.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let free = free.unwrap_or(wanted);
        self.taken.insert(free.clone());
        free
    }
}

/// Variables that `nodes` use and nothing of them or of the names of `hosts` sets, because nothing reaches what would: they are empty.
fn never_set(nodes: &[Node], server: &Server<'_>, hosts: &[String]) -> Vec<String> {
    let text = [hosts.join(" "), Rendered::of(nodes).text].join("\n");
    let names = server.sets.keys().map(|name| set_name(name)).chain(server.groups.iter().cloned());
    let ends = |behind: &str| !behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let is_used = |name: &String| {
        let plain =
            text.match_indices(&format!("${name}")).any(|(at, found)| text.get(at + found.len()..).is_some_and(ends));
        plain || text.contains(&format!("${{{name}}}"))
    };
    let is_set = |name: &String| {
        text.contains(&format!("set ${name} "))
            || text.contains(&format!("<{name}>"))
            || text.contains(&format!("'{name}'"))
    };
    let mut missing: Vec<String> = names.filter(|name| is_used(name) && !is_set(name)).collect();
    missing.sort();
    missing.dedup();
    missing
}

/// What rewrites anywhere in a server change.
fn all_changes(directives: &[Directive]) -> Moves {
    let of_locations = directives.iter().filter(|directive| directive.name() == "location");
    of_locations.fold(changes(directives), |moves, location| moves.or(all_changes(location.children())))
}

/// Texts of `http` stand in every server.
fn survey_http(server: &mut Server<'_>) {
    if let Some(http) = server.level.outer.clone() {
        let settings = ["add_header", "proxy_set_header", "error_page", "proxy_redirect"];
        let said: Vec<String> = http
            .directives
            .iter()
            .filter(|directive| settings.contains(&directive.name()))
            .flat_map(|directive| directive.args.iter().flat_map(super::condition::variables))
            .collect();
        server.takes_groups |= said.iter().any(|name| matches!(name.as_bytes(), [b'1'..=b'9']));
    }
}

/// The names that `text` stands for, as the rules write them; none that no request can have.
fn names(text: &str) -> Vec<String> {
    if text.starts_with('~') {
        return vec![word(&regex::source(text))];
    }
    let text = text.to_ascii_lowercase();
    let of_host = |host: &str| {
        let of_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        !host.is_empty() && host.len() <= 253 && host.bytes().all(of_host) && !host.split('.').any(str::is_empty)
    };
    if let Some(rest) = text.strip_prefix("*.") {
        return if of_host(rest) { vec![text.clone()] } else { Vec::new() };
    }
    if let Some(rest) = text.strip_prefix('.') {
        return if of_host(rest) { vec![rest.to_owned(), format!("*.{rest}")] } else { Vec::new() };
    }
    if let Some(rest) = text.strip_suffix(".*") {
        return if of_host(rest) { vec![text.clone()] } else { Vec::new() };
    }
    let is_v6 = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .is_some_and(|text| text.parse::<core::net::Ipv6Addr>().is_ok());
    if (of_host(&text) && text != "_") || is_v6 { vec![text] } else { Vec::new() }
}

/// `example.org *.example.org` as `.example.org`.
fn shorten(hosts: Vec<String>) -> Vec<String> {
    let mut short: Vec<String> = Vec::new();
    for host in hosts {
        match host.strip_prefix("*.") {
            Some(rest) if short.last().is_some_and(|last| last == rest) => {
                short.pop();
                short.push(format!(".{rest}"));
            }
            _ => short.push(host),
        }
    }
    short
}

fn nowhere<'p>(level: &Level<'p>) -> Server<'p> {
    Server {
        level: level.clone(),
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
        is_any: false,
    }
}
