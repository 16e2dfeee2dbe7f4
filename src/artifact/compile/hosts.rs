//! Server names to automata, one set a listener, in the order of nginx's precedence.

use super::searches::Written;
use super::tables::{Builder, index};
use crate::artifact::format::{Host, HostRank, NONE, ValueHash};
use crate::automaton::language;
use crate::diagnostic::Span;
use crate::model::{Policy, ServerName, ServerNameKind, Service};
use crate::regex::Meaning;
use core::cmp::Reverse;
use std::collections::BTreeMap;

impl Builder<'_> {
    pub(super) fn hosts(&mut self) {
        let policy = self.policy;
        self.host(NONE, |_| true);
        self.host(NONE, |service| service.listeners.is_empty());
        let mut listeners: Vec<&String> = policy.services.iter().flat_map(|service| &service.listeners).collect();
        listeners.sort();
        listeners.dedup();
        for listener in listeners {
            let name = self.string(listener.as_bytes());
            self.host(name, |service| service.listeners.is_empty() || service.listeners.contains(listener));
        }
    }

    fn host(&mut self, listener: u32, takes: impl Fn(&Service) -> bool) {
        let names = names_by_precedence(self.policy, &takes);
        let ranks = self.host_ranks.next();
        let mut languages: Vec<(Meaning, Span)> = Vec::new();
        let mut plain: BTreeMap<&[u8], u32> = BTreeMap::new();
        for (service, name) in names {
            let Some(language) = language::of_server_name(&name.kind) else { continue };
            if let ServerNameKind::Exact(name) = &name.kind {
                plain.entry(name.as_bytes()).or_insert(index(languages.len()));
            }
            languages.push((language, name.span));
            let program = match &name.kind {
                ServerNameKind::Regex(pattern) if !pattern.groups.is_empty() => self.program(pattern),
                _ => NONE,
            };
            self.host_ranks.push(&HostRank { service, program });
        }
        let ranks_count = self.host_ranks.next() - ranks;
        let languages: Vec<(&Meaning, Span)> = languages.iter().map(|(language, span)| (language, *span)).collect();
        let Some(Written { search, .. }) = self.search(&languages, None, &[]) else { return };
        plain.retain(|name, _| is_plain(name));
        let plain: Vec<(&[u8], u32)> = plain.into_iter().collect();
        let (names, names_count) = self.slots_of(&plain, ValueHash::of_name);
        let is_default = |service: &&Service| service.default && takes(service);
        let default = self.policy.services.iter().position(|service| is_default(&service)).map_or(NONE, index);
        self.hosts.push(&Host { listener, search, ranks, ranks_count, default, names, names_count });
    }
}

/// Whether a Host field that says `name` is valid and means just that.
fn is_plain(name: &[u8]) -> bool {
    let is_label =
        |label: &[u8]| !label.is_empty() && label.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    name.split(|byte| *byte == b'.').all(is_label)
}

/// Exact names, then `*.` names and `.*` names, longest first, then regexes in file order.
fn names_by_precedence<'p>(policy: &'p Policy, takes: &impl Fn(&Service) -> bool) -> Vec<(u32, &'p ServerName)> {
    let services = (0u32..).zip(&policy.services).filter(|(_, service)| takes(service));
    let mut names: Vec<(u32, &ServerName)> =
        services.flat_map(|(id, service)| service.names.iter().map(move |name| (id, name))).collect();
    names.sort_by_key(|(_, name)| match &name.kind {
        ServerNameKind::Exact(_) => (0, Reverse(0)),
        ServerNameKind::Leading(suffix) => (1, Reverse(suffix.len())),
        ServerNameKind::Trailing(prefix) => (2, Reverse(prefix.len())),
        ServerNameKind::Regex(_) => (3, Reverse(0)),
    });
    names
}
