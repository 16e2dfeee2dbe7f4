//! `upstream` blocks, and the addresses that requests are passed on to without one.

use super::importer::{Importer, Lack};
use super::level::Level;
use super::rules::{Node, name};
use super::settings::seconds;
use super::tree::Directive;
use crate::diagnostic::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Where requests are passed on to.
#[derive(Debug, Default)]
pub(super) struct Upstreams<'p> {
    declared: BTreeMap<String, &'p Directive>,
    /// In the order in which they were asked for.
    used: Vec<Vec<Node>>,
    /// By host, port and TLS, as the rules say them: the name.
    names: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    /// By the name that was wanted: the number that was tried last.
    numbers: BTreeMap<String, usize>,
}

impl<'p> Upstreams<'p> {
    /// Takes note of an `upstream` block.
    pub(super) fn declare(&mut self, directive: &'p Directive) {
        self.declared.entry(directive.arg(0).to_ascii_lowercase()).or_insert(directive);
    }

    /// Those that were asked for, in the order in which they were.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.used.iter().flatten()
    }

    /// Those that nothing asked for.
    pub(super) fn unused(&self) -> impl Iterator<Item = &'p Directive> {
        let used: BTreeSet<&str> = self.names.keys().filter_map(|key| key.split(' ').next()).collect();
        self.declared.iter().filter(move |(name, _)| !used.contains(name.as_str())).map(|(_, directive)| *directive)
    }

    /// A name like `wanted` that no other has; it is taken by that.
    fn free_name(&mut self, wanted: &str) -> String {
        let number = self.numbers.entry(wanted.to_owned()).or_default();
        loop {
            *number += 1;
            let name = if *number == 1 { wanted.to_owned() } else { format!("{wanted}_{number}") };
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    /// Takes note of the upstream `name`, which `nodes` say and `key` finds.
    fn note(&mut self, key: String, name: &str, nodes: Vec<Node>) {
        self.names.insert(key, name.to_owned());
        self.used.push(nodes);
    }
}

impl<'p> Importer<'p> {
    /// The upstream for `scheme://address`, as `level` says that it is spoken with; its name in the rules.
    pub(super) fn upstream(
        &mut self,
        (scheme, address): (&str, &str),
        level: &Level<'p>,
        span: Span,
    ) -> Result<String, Lack> {
        let tls = if scheme == "https" { Some(self.tls(level)) } else { None };
        let lower = address.to_ascii_lowercase();
        let key = format!("{lower} {}", tls.as_ref().map_or(String::new(), |nodes| format!("{nodes:?}")));
        if let Some(name) = self.upstreams.names.get(&key) {
            return Ok(name.clone());
        }
        let declared = self.upstreams.declared.get(&lower).copied();
        let wanted = match declared {
            Some(block) => name(block.arg(0)),
            None => name(&address.replace(['.', ':'], "_")),
        };
        let own = self.upstreams.free_name(&if tls.is_some() && declared.is_some() {
            format!("{wanted}_tls")
        } else {
            wanted
        });
        let node = if let Some(block) = declared {
            self.declared_upstream(block, &own, address, tls)?
        } else {
            if !is_address(address) {
                return Err(Lack::beyond(format!("`{address}` is no host that rules can name")));
            }
            let mut body = vec![Node::line(format!("server {address}"), span)];
            body.extend(tls.map(|tls| Node::block("tls", span, tls)));
            Node::block(format!("upstream {own}"), span, body)
        };
        let comments = declared.map(|block| block.comments.clone()).unwrap_or_default();
        let mut nodes: Vec<Node> = comments.into_iter().map(|comment| Node::Comment(comment.text)).collect();
        nodes.push(node);
        self.upstreams.note(key, &own, nodes);
        Ok(own)
    }

    /// An upstream that only the host knows where to find.
    pub(super) fn external(&mut self, wanted: &str, what: &str, span: Span) -> String {
        let key = format!("external:{wanted} {what}");
        if let Some(name) = self.upstreams.names.get(&key) {
            return name.clone();
        }
        let name = self.upstreams.free_name(wanted);
        let nodes = vec![Node::line(format!("upstream {name} external"), span).remark(what)];
        self.upstreams.note(key, &name, nodes);
        name
    }

    fn declared_upstream(
        &mut self,
        block: &'p Directive,
        own: &str,
        host: &str,
        tls: Option<Vec<Node>>,
    ) -> Result<Node, Lack> {
        self.carried(block);
        let mut body = Vec::new();
        let mut is_external = None;
        for directive in block.children().iter().filter(|directive| directive.name() == "server") {
            body.extend(directive.comments.iter().map(|comment| Node::Comment(comment.text.clone())));
            match self.server_line(directive, tls.is_some()) {
                Ok(Some(line)) => body.push(Node::line(line, directive.span)),
                Ok(None) => {}
                Err(why) => {
                    self.carried(directive);
                    is_external = Some(why);
                }
            }
        }
        only_backups_serve(&mut body);
        let place = self.place(block.span);
        if let Some(why) = is_external {
            return Ok(Node::line(format!("upstream {own} external"), block.span).remark(format!("{place}: {why}")));
        }
        if !body.iter().any(Node::is_statement) {
            // nginx Plus keeps servers elsewhere.
            let elsewhere = ["server", "zone", "state"];
            if block.children().iter().any(|directive| elsewhere.contains(&directive.name())) {
                let why = "proxy.toml says where";
                return Ok(Node::line(format!("upstream {own} external"), block.span).remark(format!("{place}: {why}")));
            }
            return Err(Lack::Wrong(format!("no servers are inside upstream \"{}\"", block.arg(0))));
        }
        for directive in block.children().iter().filter(|directive| directive.name() == "keepalive") {
            if directive.arg(0).parse::<u32>().is_ok() {
                self.carried(directive);
                body.push(Node::line(format!("keepalive {}", directive.arg(0)), directive.span));
            } else {
                self.wrong(
                    directive.span,
                    format!("invalid value \"{}\" in \"keepalive\" directive", directive.arg(0)),
                );
            }
        }
        body.extend(slow_start(block));
        body.extend(self.balance(block));
        // nginx sends the name of the block.
        body.push(Node::line(format!("host {host}"), block.span));
        body.extend(tls.map(|tls| Node::block("tls", block.span, tls)));
        Ok(Node::block(format!("upstream {own}"), block.span, body).remark(place))
    }

    /// How the servers of `block` are chosen, where they do not simply take turns.
    fn balance(&mut self, block: &'p Directive) -> Option<Node> {
        let is_method = |directive: &&Directive| matches!(directive.name(), "least_conn" | "hash" | "ip_hash");
        let directive = block.children().iter().find(is_method)?;
        let plain = match directive.name() {
            "least_conn" => Some("balance least_conn"),
            "ip_hash" => Some("balance hash $remote_addr"),
            _ => None,
        };
        if let Some(plain) = plain {
            self.carried(directive);
            return Some(Node::line(plain, directive.span));
        }
        let Some(key) = hash_key(directive.arg(0)) else {
            self.gap(directive, &format!("rules cannot hash `{}`", directive.arg(0)));
            return None;
        };
        self.carried(directive);
        Some(Node::line(format!("balance hash {key}"), directive.span))
    }

    /// `server ADDRESS [weight=N]`; none for one that takes no requests; why not, if rules cannot say it.
    fn server_line(&mut self, directive: &'p Directive, is_tls: bool) -> Result<Option<String>, String> {
        let address = directive.arg(0);
        if address.starts_with("unix:") {
            return Err("sockets of the file system are the host's affair".to_owned());
        }
        if !is_address(address) {
            return Err(format!("`{address}` is no host that rules can name"));
        }
        let mut line = format!("server {address}");
        if is_tls && !has_port(address) {
            line.push_str(":80");
        }
        let mut unsaid = Vec::new();
        for word in directive.args.iter().skip(1) {
            match word.text.split_once('=') {
                Some(("weight", weight)) if weight.parse().is_ok_and(|weight: u32| (1..=65_535).contains(&weight)) => {
                    if weight != "1" {
                        line.push_str(" weight=");
                        line.push_str(weight);
                    }
                }
                None if word.text == "down" => {
                    self.carried(directive);
                    return Ok(None);
                }
                None if word.text == "backup" => line.push_str(" backup"),
                Some(("max_fails", count)) if count.parse::<u32>().is_ok() => {
                    line = format!("{line} max_fails={count}");
                }
                Some(("fail_timeout", time)) if seconds(time).is_some_and(|seconds| seconds > 0) => {
                    let seconds = seconds(time).unwrap_or_default();
                    line = format!("{line} fail_timeout={seconds}s");
                }
                // Names are always resolved while the proxy runs.
                None if word.text == "resolve" => {}
                Some(("slow_start", time)) if seconds(time).is_some() => {}
                _ => unsaid.push(word.text.clone()),
            }
        }
        if unsaid.is_empty() {
            self.carried(directive);
        } else {
            self.gap(directive, &format!("rules do not say `{}` of a server", unsaid.join(" ")));
        }
        Ok(Some(line))
    }

    /// How TLS is spoken with an upstream.
    fn tls(&mut self, level: &Level<'p>) -> Vec<Node> {
        let mut nodes = Vec::new();
        let said = |importer: &mut Self, name: &str| {
            let directive = level.one(name)?;
            importer.carried(directive);
            Some(directive)
        };
        let verify = said(self, "proxy_ssl_verify").is_some_and(|directive| directive.arg(0) == "on");
        // The name is sent whatever this says: the other default is the insecure one.
        said(self, "proxy_ssl_server_name");
        if let Some(directive) = level.one("proxy_ssl_name") {
            let name = directive.arg(0);
            if is_host_name(name) {
                self.carried(directive);
                nodes.push(Node::line(format!("name {name}"), directive.span));
            } else if name == "$proxy_host" {
                self.carried(directive);
            } else {
                self.gap(directive, &format!("`{name}` is no name that is known beforehand"));
            }
        }
        if let Some(protocols) = said(self, "proxy_ssl_protocols") {
            let has_known =
                ["TLSv1.2", "TLSv1.3"].iter().any(|known| protocols.args.iter().any(|word| word.text == **known));
            if !has_known {
                self.gap(protocols, "neither TLS 1.2 nor TLS 1.3 is spoken");
            }
            let versions: Vec<&str> = ["1.2", "1.3"]
                .into_iter()
                .filter(|version| protocols.args.iter().any(|word| word.text == format!("TLSv{version}")))
                .collect();
            if !versions.is_empty() && versions.len() < 2 {
                nodes.push(Node::line(format!("versions {}", versions.join(" ")), protocols.span));
            }
        }
        let span = level.directives.first().map(|directive| directive.span).unwrap_or_default();
        if !verify {
            nodes.push(Node::line("verify off", span));
        }
        nodes
    }
}

/// Where every other server is `down`, those in reserve are the servers.
fn only_backups_serve(body: &mut [Node]) {
    let is_backup = |node: &Node| match node {
        Node::Line { text, .. } => text.split(' ').any(|word| word == "backup"),
        _ => true,
    };
    if body.iter().all(is_backup) {
        for node in body {
            if let Node::Line { text, .. } = node {
                *text = text.replacen(" backup", "", 1);
            }
        }
    }
}

/// How long a server that has come back takes to get its share: the longest that one of them says.
fn slow_start(block: &Directive) -> Option<Node> {
    let servers = block.children().iter().filter(|directive| directive.name() == "server");
    let times = servers.flat_map(|server| &server.args).filter_map(|word| word.text.strip_prefix("slow_start="));
    let longest = times.filter_map(seconds).filter(|time| *time > 0).max()?;
    Some(Node::line(format!("slow_start {longest}s"), block.span))
}

/// The template of `hash KEY`, where it is made of what rules know in an upstream.
fn hash_key(key: &str) -> Option<String> {
    const KNOWN: &[&str] =
        &["uri", "request_uri", "args", "is_args", "host", "scheme", "request_method", "remote_addr"];
    let key = key.replace("$binary_remote_addr", "$remote_addr").replace("$query_string", "$args");
    let is_known = |name: &str| {
        KNOWN.contains(&name) || ["arg_", "http_", "cookie_"].iter().any(|prefix| name.starts_with(prefix))
    };
    let of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let names = key.split('$').skip(1).map(|behind| {
        let behind = behind.strip_prefix('{').unwrap_or(behind);
        behind.split(|letter| !of_name(letter)).next().unwrap_or_default()
    });
    let is_plain = key.bytes().all(|byte| byte > b' ' && byte < 0x7F && !b"\"'\\;#".contains(&byte));
    let mut braces = key.replace("${", "");
    braces.retain(|letter| letter == '{');
    (is_plain && braces.is_empty() && names.into_iter().all(is_known)).then(|| format!("\"{key}\""))
}

/// Whether rules can say `text` as `HOST[:PORT]`.
fn is_address(text: &str) -> bool {
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_host = |host: &str| {
        !host.is_empty() && host.len() <= 253 && host.bytes().all(of_host) && !host.split('.').any(str::is_empty)
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+');
    if let Some(rest) = text.strip_prefix('[') {
        let Some((inside, behind)) = rest.split_once(']') else { return false };
        let port = behind.strip_prefix(':');
        return inside.parse::<core::net::Ipv6Addr>().is_ok() && (behind.is_empty() || port.is_some_and(is_port));
    }
    match text.split_once(':') {
        Some((host, port)) => is_host(host) && is_port(port),
        None => is_host(text),
    }
}

/// Whether `name` is a name that a certificate can have.
fn is_host_name(name: &str) -> bool {
    !has_port(name) && is_address(name)
}

fn has_port(address: &str) -> bool {
    address.rsplit_once(']').map_or(address, |(_, behind)| behind).contains(':')
}
