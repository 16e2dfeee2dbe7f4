//! `server_name`, and what services of one listener may not share.

use super::Resolver;
use super::upstream::is_host;
use crate::diagnostic::Diagnostic;
use crate::model::{ServerName, ServerNameKind, Service};
use crate::syntax::ast::Word;
use std::collections::BTreeMap;

impl Resolver<'_> {
    /// The names that `word` stands for: `.example.org` is two.
    pub(super) fn server_name(&mut self, word: &Word) -> Vec<ServerName> {
        if word.text.starts_with('~') {
            let pattern = self.pattern(word, 1, true);
            return vec![ServerName { span: word.span, kind: ServerNameKind::Regex(pattern) }];
        }
        let text = word.text.to_ascii_lowercase();
        let text = text.strip_suffix('.').unwrap_or(&text);
        let kinds = if let Some(rest) = text.strip_prefix("*.").filter(|rest| is_host(rest)) {
            vec![ServerNameKind::Leading(format!(".{rest}"))]
        } else if let Some(rest) = text.strip_prefix('.').filter(|rest| is_host(rest)) {
            vec![ServerNameKind::Exact(rest.to_owned()), ServerNameKind::Leading(format!(".{rest}"))]
        } else if let Some(rest) = text.strip_suffix(".*").filter(|rest| is_host(rest)) {
            vec![ServerNameKind::Trailing(format!("{rest}."))]
        } else if is_host(text) || text.parse::<core::net::Ipv6Addr>().is_ok() || is_bracketed(text) {
            vec![ServerNameKind::Exact(text.to_owned())]
        } else {
            let help = if text.contains(':') {
                "ports do not count: leave it out"
            } else if text.contains('*') {
                "a `*` stands for the first or the last labels: `*.example.org`, `www.example.*`"
            } else if !text.is_ascii() {
                "write the name as it is sent, in ASCII: `xn--...`"
            } else {
                "write `example.org`, `*.example.org`, `www.example.*`, `.example.org` or `~REGEX`"
            };
            self.error("invalid-server-name", word.span, format!("`{}` is no name of a host", word.text), help);
            Vec::new()
        };
        kinds.into_iter().map(|kind| ServerName { span: word.span, kind }).collect()
    }

    /// Says which names, and which `default`, two services of one listener share.
    pub(super) fn check_server_names(&mut self) {
        let mut found = Vec::new();
        let mut seen: BTreeMap<(u8, &str), Vec<(&Service, &ServerName)>> = BTreeMap::new();
        for service in &self.policy.services {
            for name in &service.names {
                let earlier = seen.entry(key(&name.kind)).or_default();
                if let Some((_, first)) = earlier.iter().find(|(other, _)| share_listener(service, other)) {
                    let message = format!("`{}` is already taken", self.sources.text(name.span));
                    let diagnostic = Diagnostic::error("duplicate-server-name", name.span, message);
                    let diagnostic = diagnostic.related(first.span, "first here");
                    found.push(diagnostic.help("leave one of them out, or give the services different listeners"));
                }
                earlier.push((service, name));
            }
        }
        let defaults: Vec<&Service> = self.policy.services.iter().filter(|service| service.default).collect();
        for (index, service) in defaults.iter().enumerate() {
            if let Some(first) = defaults.iter().take(index).find(|first| share_listener(first, service)) {
                let message = "two services are the default of one listener";
                let diagnostic = Diagnostic::error("duplicate-default", service.span, message);
                found.push(diagnostic.related(first.span, "first here").help("mark one of them only"));
            }
        }
        self.diagnostics.extend(found);
    }
}

fn is_bracketed(text: &str) -> bool {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inside.is_some_and(|inside| inside.parse::<core::net::Ipv6Addr>().is_ok())
}

/// What makes two names the same.
fn key(kind: &ServerNameKind) -> (u8, &str) {
    match kind {
        ServerNameKind::Exact(name) => (0, name),
        ServerNameKind::Leading(name) => (1, name),
        ServerNameKind::Trailing(name) => (2, name),
        ServerNameKind::Regex(pattern) => (3, &pattern.source),
    }
}

fn share_listener(one: &Service, other: &Service) -> bool {
    one.listeners.is_empty()
        || other.listeners.is_empty()
        || one.listeners.iter().any(|listener| other.listeners.contains(listener))
}
