//! `upstream NAME { ... }`

use super::Resolver;
use crate::contract::manifest::{Server, Tls, Upstream};
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::{UpstreamOption, Word};
use core::net::{IpAddr, Ipv6Addr};
use std::collections::BTreeMap;

/// What is read of an upstream before its defaults are known.
#[derive(Default)]
pub(super) struct Draft {
    /// Each server as far as its port is said, with its place.
    pub(super) servers: Vec<(Server, Option<u16>, Span)>,
    /// Whether there is a `server`, with a mistake or without.
    pub(super) has_server: bool,
    pub(super) host: Option<Word>,
    pub(super) tls: Option<Tls>,
    pub(super) tls_span: Option<Span>,
    /// The template of `balance hash`.
    pub(super) key: Option<Word>,
}

impl Resolver<'_> {
    /// An upstream with every default, and no server.
    pub(super) fn bare_upstream(name: &Word) -> Upstream {
        Upstream { name: name.text.clone(), ..Upstream::default() }
    }

    /// Adds `upstream`, declared at `head`.
    pub(super) fn push_upstream(&mut self, head: Span, upstream: Upstream) {
        self.policy.upstream_spans.push(head);
        self.policy.upstreams.push(upstream);
        self.policy.balance_keys.push(None);
    }

    /// Reads the block of an upstream.
    pub(super) fn upstream(&mut self, head: Span, name: &Word, options: &[UpstreamOption]) {
        let mut upstream = Self::bare_upstream(name);
        let mut draft = Draft::default();
        let mut said: BTreeMap<&str, Span> = BTreeMap::new();
        for option in options {
            let keyword = option.keyword.text.as_str();
            if keyword != "server" {
                if let Some(first) = said.get(keyword).copied() {
                    self.twice(&option.keyword, first);
                    continue;
                }
                said.insert(keyword, option.keyword.span);
            }
            self.upstream_option(option, &mut upstream, &mut draft);
        }
        self.finish_upstream((head, name), upstream, draft);
    }

    fn finish_upstream(&mut self, (head, name): (Span, &Word), mut upstream: Upstream, draft: Draft) {
        let default_port = if draft.tls.is_some() { 443 } else { 80 };
        for (server, port, _) in &draft.servers {
            upstream.servers.push(Server { port: port.unwrap_or(default_port), ..server.clone() });
        }
        self.refuse_backups_alone(&upstream, &draft);
        if !draft.has_server {
            let help =
                format!("name one: `server HOST:PORT;`, or leave it to proxy.toml: `upstream {} external;`", name.text);
            self.error("no-servers", name.span, format!("upstream `{}` has no server", name.text), help);
        }
        if draft.host.is_none() {
            self.refuse_different_names(&draft);
        }
        let nameless = draft.tls.as_ref().is_some_and(|tls| tls.verify && tls.name.is_none());
        if let (true, None, Some(span)) = (nameless, &draft.host, draft.tls_span) {
            let is_address = |(server, ..): &&(Server, Option<u16>, Span)| server.host.parse::<IpAddr>().is_ok();
            if let Some((Server { host, .. }, _, server)) = draft.servers.iter().find(is_address) {
                let message = format!("no name to verify: `{host}` is an address");
                let help = "say the name on its certificate: `host NAME;`, or `tls { name NAME; }`";
                let diagnostic = Diagnostic::error("tls-without-name", span, message).related(*server, "this server");
                self.say(diagnostic.note("no SNI is sent for an address").help(help));
            }
        }
        upstream.host = draft.host.map(|host| host.text);
        upstream.tls = draft.tls;
        let index = self.policy.upstreams.len();
        self.hashed.extend(draft.key.map(|key| (index, key)));
        self.push_upstream(head, upstream);
    }

    fn refuse_backups_alone(&mut self, upstream: &Upstream, draft: &Draft) {
        let Some((.., span)) = draft.servers.first() else { return };
        if upstream.servers.iter().all(|server| server.backup) {
            let message = "every server is a `backup`";
            self.error("backup-alone", *span, message, "a backup stands in for others: take the word from one of them");
        }
    }

    fn refuse_different_names(&mut self, draft: &Draft) {
        let Some((Server { host: first, .. }, _, first_span)) = draft.servers.first() else { return };
        let is_other = |(server, ..): &&(Server, Option<u16>, Span)| !server.host.eq_ignore_ascii_case(first);
        if let Some((Server { host: other, .. }, _, span)) = draft.servers.iter().find(is_other) {
            let message = format!("servers of different names, `{first}` and `{other}`, and no `host`");
            let diagnostic =
                Diagnostic::error("upstream-without-host", *span, message).related(*first_span, "the first");
            let named = draft.servers.iter().find(|(server, ..)| server.host.parse::<IpAddr>().is_err());
            let host = named.map_or("NAME", |(server, ..)| server.host.as_str());
            let help = format!("say which Host they expect: `host {host};`");
            self.say(
                diagnostic.note("Host, SNI and the name to verify would depend on which one is picked").help(help),
            );
        }
    }

    pub(super) fn tls(&mut self, options: &[UpstreamOption]) -> Tls {
        let mut tls = Tls::default();
        for option in options {
            let argument = option.arguments.first();
            match (option.keyword.text.as_str(), argument) {
                ("versions", Some(_)) => {
                    let mut versions: Vec<String> = Vec::new();
                    for word in &option.arguments {
                        if matches!(word.text.as_str(), "1.2" | "1.3") {
                            versions.push(word.text.clone());
                        } else {
                            self.invalid(word, "a version of TLS", "`1.2` and `1.3` are spoken");
                        }
                    }
                    versions.sort();
                    versions.dedup();
                    if !versions.is_empty() {
                        tls.versions = versions;
                    }
                }
                ("verify", Some(word)) => tls.verify = self.on_off(word),
                ("sni", Some(word)) => tls.sni = self.on_off(word),
                ("name", Some(word)) => {
                    if is_host(&word.text) && word.text.parse::<IpAddr>().is_err() {
                        tls.name = Some(word.text.clone());
                    } else {
                        self.invalid(word, "a name on a certificate", "write `name api.example.com;`");
                    }
                }
                _ => {}
            }
        }
        tls
    }

    /// `on` or `off`.
    pub(super) fn on_off(&mut self, word: &Word) -> bool {
        match word.text.as_str() {
            "on" => true,
            "off" => false,
            _ => {
                self.invalid(word, "`on` or `off`", "write one of them");
                true
            }
        }
    }

    /// Host and port of `HOST[:PORT]`; IPv6 in brackets, which are cut.
    pub(super) fn address(&mut self, word: &Word) -> Option<(String, Option<u16>)> {
        let found = split_address(&word.text);
        if found.is_none() {
            self.invalid(word, "an address", "write `HOST`, `HOST:PORT` or `[IPV6]:PORT`");
        }
        found
    }

    /// Says that `word` is not `what` it has to be.
    pub(super) fn invalid(&mut self, word: &Word, what: &str, help: &str) {
        self.error("invalid-value", word.span, format!("`{}` is not {what}", word.text), help);
    }
}

/// Host and port of `HOST[:PORT]`.
pub(super) fn split_address(text: &str) -> Option<(String, Option<u16>)> {
    let port = |text: &str| text.parse().ok().filter(|port: &u16| *port > 0 && !text.starts_with('+'));
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, behind) = rest.split_once(']')?;
        inside.parse::<Ipv6Addr>().ok()?;
        return match behind.strip_prefix(':') {
            Some(digits) => Some((inside.to_owned(), Some(port(digits)?))),
            None => behind.is_empty().then(|| (inside.to_owned(), None)),
        };
    }
    match text.split_once(':') {
        Some((host, digits)) => is_host(host).then_some((host.to_owned(), Some(port(digits)?))),
        None => is_host(text).then(|| (text.to_owned(), None)),
    }
}

/// Whether `text` is the name of a host, or an IPv4 address.
pub(super) fn is_host(text: &str) -> bool {
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= 253 && text.bytes().all(of_host) && !text.split('.').any(str::is_empty)
}
