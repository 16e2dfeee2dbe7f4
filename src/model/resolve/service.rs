//! `service NAME [default] { ... }`

use super::Resolver;
use super::statement::{Scope, ServiceScope};
use super::template::is_reserved;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{ServerName, ServerNameKind, Service, ServiceId, SlashRedirect};
use crate::syntax::ast::{Item, Statement, StatementKind, Word};
use std::collections::{BTreeMap, BTreeSet};

impl Resolver<'_> {
    /// Reads a service with everything in it.
    pub(super) fn service(&mut self, item: &Item, name: &Word, default: bool, body: &[Statement]) {
        let id = ServiceId(u32::try_from(self.policy.services.len()).unwrap_or(u32::MAX));
        let mut service = Service {
            name: name.text.clone(),
            span: item.head,
            default,
            listeners: Vec::new(),
            names: Vec::new(),
            merge_slashes: true,
            strict_paths: false,
            path_parameters: false,
            absolute_redirects: false,
            underscores: false,
            kept_names: BTreeSet::new(),
            slash_redirect: SlashRedirect::ByMethod,
            plans: None,
            statements: Vec::new(),
            locations: Vec::new(),
            named: Vec::new(),
        };
        self.service_options(&mut service, body);
        let named = self.named_locations(id, body);
        let scope = ServiceScope {
            id,
            span: item.span,
            plans: service.plans,
            captures: self.captures(&service.names, body),
            maps: self.map_names(),
            named: Self::first_of_each_name(body, &named),
            own_hosts: self.own_hosts(&service),
            unguarded_proxy_only: service.slash_redirect == SlashRedirect::Always(301),
        };
        let service_plans = service.plans;
        // Its place is taken before its locations refer to it.
        self.policy.services.push(service);
        let mut walk = Scope::of_service(&scope);
        let statements = self.statements(body, &mut walk);
        let locations = self.locations(body, &scope, None, walk.rewrite);
        self.fill_named_locations(body, &named, &scope, walk.rewrite);
        let kept_names = self.kept_names(service_plans);
        if let Some(service) = self.policy.services.get_mut(id.0 as usize) {
            service.kept_names = kept_names;
            service.statements = statements;
            service.locations = locations;
            service.named = named;
        }
    }

    fn service_options(&mut self, service: &mut Service, body: &[Statement]) {
        let mut said: BTreeMap<&'static str, Span> = BTreeMap::new();
        for statement in body {
            let keyword = match &statement.kind {
                StatementKind::ServerName(words) => {
                    for word in words {
                        service.names.extend(self.server_name(word));
                    }
                    continue;
                }
                StatementKind::Listen(words) => {
                    service.listeners.extend(words.iter().map(|word| word.text.clone()));
                    continue;
                }
                StatementKind::UsePlans(word) => {
                    service.plans = self.plan_source_id(word);
                    "plans"
                }
                StatementKind::MergeSlashes(word) => {
                    service.merge_slashes = self.on_off(word);
                    "merge_slashes"
                }
                StatementKind::Paths { policy, params } => {
                    service.strict_paths = self.one_of(policy, "strict", "nginx");
                    service.path_parameters = params.is_some();
                    if let Some(params) = params.as_ref().filter(|_| !service.strict_paths) {
                        self.invalid(params, "said of paths as nginx reads them", "leave it out, or write `strict`");
                    }
                    "paths"
                }
                StatementKind::Redirects(word) => {
                    service.absolute_redirects = self.one_of(word, "absolute", "relative");
                    "redirects"
                }
                StatementKind::Underscores(word) => {
                    service.underscores = self.on_off(word);
                    "underscores"
                }
                StatementKind::SlashRedirect(word) => {
                    service.slash_redirect = match word.text.as_str() {
                        "301" => SlashRedirect::Always(301),
                        "308" => SlashRedirect::Always(308),
                        "off" => SlashRedirect::Off,
                        _ => {
                            self.invalid(word, "a slash redirect of a service", "write `301`, `308` or `off`");
                            SlashRedirect::ByMethod
                        }
                    };
                    "slash_redirect"
                }
                _ => continue,
            };
            if let Some(first) = said.insert(keyword, statement.head) {
                let message = format!("`{keyword}` is said twice");
                let diagnostic = Diagnostic::error("duplicate-statement", statement.head, message);
                self.say(diagnostic.related(first, "first here").help("leave one of them out"));
            }
        }
    }

    fn one_of(&mut self, word: &Word, yes: &str, no: &str) -> bool {
        if word.text != yes && word.text != no {
            self.invalid(word, &format!("`{yes}` or `{no}`"), "write one of them");
        }
        word.text == yes
    }

    /// Names of groups of all regexes of a service whose groups templates can use.
    fn captures(&mut self, names: &[ServerName], body: &[Statement]) -> BTreeSet<String> {
        let mut captures = BTreeSet::new();
        for name in names {
            if let ServerNameKind::Regex(pattern) = &name.kind {
                captures.extend(pattern.groups.iter().flatten().cloned());
            }
        }
        self.captures_of(body, &mut captures);
        captures
    }

    fn captures_of(&mut self, body: &[Statement], captures: &mut BTreeSet<String>) {
        for statement in body {
            match &statement.kind {
                StatementKind::When { body, .. } | StatementKind::UnlessBreak(body) => self.captures_of(body, captures),
                StatementKind::Match { regex, caseless, body, .. } => {
                    self.captures_of_regex(&regex.text, *caseless, captures);
                    self.captures_of(body, captures);
                }
                StatementKind::Set { name, .. } => {
                    let name = name.text.trim_start_matches('$');
                    if name != "args" && !is_reserved(name) {
                        captures.insert(name.to_owned());
                    }
                }
                StatementKind::Rewrite { regex, .. } => self.captures_of_regex(&regex.text, false, captures),
                StatementKind::Location(location) => {
                    if let Some("~" | "~*") = location.modifier.as_ref().map(|word| word.text.as_str()) {
                        let caseless = location.modifier.as_ref().is_some_and(|word| word.text == "~*");
                        self.captures_of_regex(&location.pattern.text, caseless, captures);
                    }
                    self.captures_of(&location.body, captures);
                }
                _ => {}
            }
        }
    }

    /// A regex with a mistake has none; the mistake is said where its statement is read.
    fn captures_of_regex(&mut self, source: &str, caseless: bool, captures: &mut BTreeSet<String>) {
        if let Ok(regex) = self.regex(source, caseless) {
            captures.extend(regex.groups.into_iter().flatten());
        }
    }
}
