//! The statements of an `upstream` block.

use super::Resolver;
use super::quantity::{TIME_HELP, milliseconds};
use super::statement::ServiceScope;
use super::upstream::Draft;
use crate::contract::manifest::{Balance, Health, Protocol, Server, Upstream};
use crate::model::{Part, Variable};
use crate::syntax::ast::{UpstreamOption, Word};

/// Names of the timers.
const TIMERS: &[&str] = &["dns", "connect", "tls", "send", "response", "idle", "request"];

impl Resolver<'_> {
    pub(super) fn upstream_option(&mut self, option: &UpstreamOption, upstream: &mut Upstream, draft: &mut Draft) {
        let arguments = &option.arguments;
        let rest = arguments.get(1..).unwrap_or(&[]);
        match (option.keyword.text.as_str(), arguments.first()) {
            ("server", Some(address)) => {
                draft.has_server = true;
                let server = self.server_options(rest);
                if let Some((host, port)) = self.address(address) {
                    draft.servers.push((Server { host, ..server }, port, address.span));
                }
            }
            ("host", Some(host)) => draft.host = self.address(host).map(|_| host.clone()),
            ("tls", _) => {
                draft.tls = Some(self.tls(&option.block));
                draft.tls_span = Some(option.keyword.span);
            }
            ("balance", Some(way)) => match (way.text.as_str(), rest.first()) {
                ("hash", Some(key)) => {
                    upstream.balance = Balance::Hash(key.text.clone());
                    draft.key = Some(key.clone());
                }
                ("least_conn", _) => upstream.balance = Balance::LeastConn,
                _ => upstream.balance = Balance::RoundRobin,
            },
            ("max_fails", Some(count)) => self.put_number(count, &mut upstream.max_fails),
            ("fail_timeout", Some(time)) => self.put_time(&time.text, time, &mut upstream.fail_timeout_ms),
            ("slow_start", Some(time)) => self.put_time(&time.text, time, &mut upstream.slow_start_ms),
            ("retries", Some(count)) => {
                self.put_number(count, &mut upstream.retries);
                for (_, value, word) in self.settings(rest, &["budget"]) {
                    match value.strip_suffix('%').map(str::parse) {
                        Some(Ok(percent @ 0..=100)) => upstream.retry_budget_percent = percent,
                        _ => self.invalid(&word, "a share of the requests", "write `budget=20%`, from 0% to 100%"),
                    }
                }
            }
            ("protocol", Some(name)) => {
                upstream.protocol = if name.text == "http2" { Protocol::Http2 } else { Protocol::Http1 };
            }
            ("health", Some(path)) => upstream.health = self.health(path, rest),
            ("keepalive", Some(count)) => {
                match count.text.parse() {
                    Ok(count) => upstream.keepalive = count,
                    Err(_) => self.invalid(count, "a number of connections", "write `keepalive 64;`"),
                }
                for (_, value, word) in self.settings(rest, &["idle"]) {
                    self.put_time(&value, &word, &mut upstream.keepalive_idle_ms);
                }
            }
            ("timeout", _) => self.timers(arguments, upstream),
            _ => {}
        }
    }

    fn timers(&mut self, arguments: &[Word], upstream: &mut Upstream) {
        let timeouts = &mut upstream.timeouts;
        for (name, value, word) in self.settings(arguments, TIMERS) {
            let timer = match name.as_str() {
                "dns" => &mut timeouts.dns_ms,
                "connect" => &mut timeouts.connect_ms,
                "tls" => &mut timeouts.tls_ms,
                "send" => &mut timeouts.send_ms,
                "response" => &mut timeouts.response_ms,
                "request" => timeouts.request_ms.get_or_insert_default(),
                _ => &mut timeouts.idle_ms,
            };
            self.put_time(&value, &word, timer);
        }
    }

    fn server_options(&mut self, words: &[Word]) -> Server {
        let mut server = Server { weight: 1, ..Server::default() };
        for word in words {
            if word.text == "backup" {
                server.backup = true;
                continue;
            }
            for (name, value, word) in
                self.settings(core::slice::from_ref(word), &["weight", "max_fails", "fail_timeout"])
            {
                match name.as_str() {
                    "max_fails" => {
                        let number = Word { text: value, ..word };
                        self.put_number(&number, server.max_fails.get_or_insert_default());
                    }
                    "fail_timeout" => self.put_time(&value, &word, server.fail_timeout_ms.get_or_insert_default()),
                    _ => match value.parse() {
                        Ok(number @ 1..=65_535) => server.weight = number,
                        _ => self.invalid(&word, "a weight", "write `weight=2`, from 1 to 65535"),
                    },
                }
            }
        }
        server
    }

    fn health(&mut self, path: &Word, words: &[Word]) -> Option<Health> {
        let is_target = |byte: u8| byte > b' ' && byte < 0x7F && byte != b'#';
        if !path.text.starts_with('/') || !path.text.bytes().all(is_target) {
            self.invalid(path, "a path that can be asked for", "write `health /healthz;`");
            return None;
        }
        let mut health = Health::new(path.text.clone());
        for (name, value, word) in self.settings(words, &["interval", "timeout", "rise", "fall", "status"]) {
            let number = Word { text: value.clone(), ..word.clone() };
            match name.as_str() {
                "interval" => self.put_time(&value, &word, &mut health.interval_ms),
                "timeout" => self.put_time(&value, &word, &mut health.timeout_ms),
                "rise" => self.put_count(&number, &mut health.rise),
                "fall" => self.put_count(&number, &mut health.fall),
                _ => match statuses(&value) {
                    Some((first, last)) => (health.status_first, health.status_last) = (first, last),
                    None => self.invalid(&word, "a status", "write `status=200` or `status=200-399`"),
                },
            }
        }
        Some(health)
    }

    /// The templates of `balance hash`, now that the maps are known.
    pub(super) fn balance_keys(&mut self) {
        for (index, word) in core::mem::take(&mut self.hashed) {
            let scope = ServiceScope { maps: self.map_names(), ..ServiceScope::outside(word.span) };
            let Some(template) = self.template(&word, &scope) else { continue };
            let has_groups = template.parts.iter().any(|part| matches!(part, Part::Variable(Variable::Capture(_))));
            if has_groups {
                let help = "name what it is made of: `balance hash $remote_addr;`, `$uri`, `$arg_user`, a map";
                self.error("hash-key-group", word.span, "groups of a regex mean nothing in an upstream", help);
            } else if let Some(key) = self.policy.balance_keys.get_mut(index) {
                *key = Some(template);
            }
        }
    }

    fn put_time(&mut self, value: &str, word: &Word, place: &mut u64) {
        match milliseconds(value).filter(|time| *time > 0) {
            Some(time) => *place = time,
            None => self.invalid(word, "a time above 0", TIME_HELP),
        }
    }

    fn put_number(&mut self, word: &Word, place: &mut u32) {
        match word.text.parse() {
            Ok(number) => *place = number,
            Err(_) => self.invalid(word, "a number", "write a number such as `3`"),
        }
    }

    fn put_count(&mut self, word: &Word, place: &mut u32) {
        match word.text.parse() {
            Ok(number @ 1..) => *place = number,
            _ => self.invalid(word, "a number above 0", "write a number such as `3`"),
        }
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
}

/// `200` or `200-399`.
fn statuses(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let status = |text: &str| text.parse().ok().filter(|status| (100..=599).contains(status));
    let (first, last) = (status(first)?, status(last)?);
    (first <= last).then_some((first, last))
}
