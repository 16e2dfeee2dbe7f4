//! `upstream NAME { ... }`

use super::Resolver;
use super::quantity::{TIME_HELP, milliseconds};
use crate::artifact::manifest::{Server, Timeouts, Tls, Upstream};
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::{UpstreamOption, Word};
use core::net::{IpAddr, Ipv6Addr};
use std::collections::BTreeMap;

/// What is read of an upstream before its defaults are known.
#[derive(Default)]
struct Draft {
    /// Host, port and weight of each server, with its place.
    servers: Vec<(String, Option<u16>, u32, Span)>,
    /// Whether there is a `server`, with a mistake or without.
    has_server: bool,
    host: Option<Word>,
    tls: Option<Tls>,
    tls_span: Option<Span>,
}

impl Resolver<'_> {
    /// An upstream with every default, and no server.
    pub(super) fn bare_upstream(name: &Word) -> Upstream {
        Upstream {
            name: name.text.clone(),
            keepalive: 32,
            keepalive_idle_ms: 55_000,
            timeouts: Timeouts::default(),
            ..Upstream::default()
        }
    }

    /// Adds `upstream`, declared at `head`.
    pub(super) fn push_upstream(&mut self, head: Span, upstream: Upstream) {
        self.policy.upstream_spans.push(head);
        self.policy.upstreams.push(upstream);
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

    fn upstream_option(&mut self, option: &UpstreamOption, upstream: &mut Upstream, draft: &mut Draft) {
        let arguments = &option.arguments;
        match (option.keyword.text.as_str(), arguments.first()) {
            ("server", Some(address)) => {
                draft.has_server = true;
                let weight = self.server_options(arguments.get(1..).unwrap_or(&[]));
                if let Some((host, port)) = self.address(address) {
                    draft.servers.push((host, port, weight, address.span));
                }
            }
            ("host", Some(host)) => draft.host = self.address(host).map(|_| host.clone()),
            ("tls", _) => {
                draft.tls = Some(self.tls(&option.block));
                draft.tls_span = Some(option.keyword.span);
            }
            ("balance", Some(way)) if way.text != "round_robin" => {
                self.later(option.span, &format!("`balance {}`", way.text));
            }
            ("max_fails" | "fail_timeout", _) => self.later(option.span, &format!("`{}`", option.keyword.text)),
            ("keepalive", Some(count)) => {
                match count.text.parse() {
                    Ok(count) => upstream.keepalive = count,
                    Err(_) => self.invalid(count, "a number of connections", "write `keepalive 64;`"),
                }
                for (name, value, word) in self.settings(arguments.get(1..).unwrap_or(&[]), &["idle"]) {
                    if let (true, Some(time)) = (name == "idle", self.time(&value, &word)) {
                        upstream.keepalive_idle_ms = time;
                    }
                }
            }
            ("timeout", _) => {
                for (name, value, word) in self.settings(arguments, &["connect", "tls", "response", "idle"]) {
                    let Some(time) = self.time(&value, &word) else { continue };
                    match name.as_str() {
                        "connect" => upstream.timeouts.connect_ms = time,
                        "tls" => upstream.timeouts.tls_ms = time,
                        "response" => upstream.timeouts.response_ms = time,
                        _ => upstream.timeouts.idle_ms = time,
                    }
                }
            }
            _ => {}
        }
    }

    fn finish_upstream(&mut self, (head, name): (Span, &Word), mut upstream: Upstream, draft: Draft) {
        let default_port = if draft.tls.is_some() { 443 } else { 80 };
        for (host, port, weight, _) in &draft.servers {
            let port = port.unwrap_or(default_port);
            upstream.servers.push(Server { host: host.clone(), port, weight: *weight });
        }
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
            let is_address = |(host, ..): &&(String, Option<u16>, u32, Span)| host.parse::<IpAddr>().is_ok();
            if let Some((host, .., server)) = draft.servers.iter().find(is_address) {
                let message = format!("no name to verify: `{host}` is an address");
                let help = "say the name on its certificate: `host NAME;`, or `tls { name NAME; }`";
                let diagnostic = Diagnostic::error("tls-without-name", span, message).related(*server, "this server");
                self.say(diagnostic.note("no SNI is sent for an address").help(help));
            }
        }
        upstream.host = draft.host.map(|host| host.text);
        upstream.tls = draft.tls;
        self.push_upstream(head, upstream);
    }

    fn refuse_different_names(&mut self, draft: &Draft) {
        let Some((first, .., first_span)) = draft.servers.first() else { return };
        if let Some((other, .., span)) = draft.servers.iter().find(|(host, ..)| !host.eq_ignore_ascii_case(first)) {
            let message = format!("servers of different names, `{first}` and `{other}`, and no `host`");
            let diagnostic =
                Diagnostic::error("upstream-without-host", *span, message).related(*first_span, "the first");
            let named = draft.servers.iter().find(|(host, ..)| host.parse::<IpAddr>().is_err());
            let host = named.map_or("NAME", |(host, ..)| host.as_str());
            let help = format!("say which Host they expect: `host {host};`");
            self.say(
                diagnostic.note("Host, SNI and the name to verify would depend on which one is picked").help(help),
            );
        }
    }

    fn server_options(&mut self, words: &[Word]) -> u32 {
        let mut weight = 1;
        for word in words {
            if word.text == "backup" {
                self.later(word.span, "`backup`");
                continue;
            }
            for (_, value, word) in self.settings(core::slice::from_ref(word), &["weight"]) {
                match value.parse() {
                    Ok(number @ 1..=65_535) => weight = number,
                    _ => self.invalid(&word, "a weight", "write `weight=2`, from 1 to 65535"),
                }
            }
        }
        weight
    }

    fn tls(&mut self, options: &[UpstreamOption]) -> Tls {
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
    fn address(&mut self, word: &Word) -> Option<(String, Option<u16>)> {
        let found = split_address(&word.text);
        if found.is_none() {
            self.invalid(word, "an address", "write `HOST`, `HOST:PORT` or `[IPV6]:PORT`");
        }
        found
    }

    fn time(&mut self, value: &str, word: &Word) -> Option<u64> {
        let time = milliseconds(value).filter(|time| *time > 0);
        if time.is_none() {
            self.invalid(word, "a time above 0", TIME_HELP);
        }
        time
    }

    /// Name, value and word of each `NAME=VALUE`; says which names are none of `known`.
    fn settings(&mut self, words: &[Word], known: &[&str]) -> Vec<(String, String, Word)> {
        let mut settings = Vec::new();
        for word in words {
            match word.text.split_once('=') {
                Some((name, value)) if known.contains(&name) => {
                    settings.push((name.to_owned(), value.to_owned(), word.clone()));
                }
                _ => {
                    let name = Word { text: word.text.split('=').next().unwrap_or("").to_owned(), ..word.clone() };
                    self.unknown("unknown-option", "option here", &name, known.iter().copied());
                }
            }
        }
        settings
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
