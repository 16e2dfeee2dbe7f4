//! Upstreams, plans and what else the top level names, before anything refers to them.

use super::Resolver;
use crate::contract::manifest::{Credential, CredentialKind, PlanSource, Upstream};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{PlanSourceId, UpstreamId};
use crate::syntax::ast::{Item, ItemKind, PlansOption, PlansOptionKind, Word};
use std::collections::BTreeMap;

impl Resolver<'_> {
    /// Declares everything that statements refer to by name.
    pub(super) fn declare(&mut self, items: &[Item]) {
        let mut named: BTreeMap<(&str, &str), Span> = BTreeMap::new();
        for item in items {
            let (kind, name) = match &item.kind {
                ItemKind::Upstream { name, .. } => ("upstream", name),
                ItemKind::Plans { name, .. } => ("plans", name),
                ItemKind::Service { name, .. } => ("service", name),
                ItemKind::Page { name, .. } => ("page", name),
                ItemKind::Map { name, .. } => ("map", name),
                ItemKind::Fact { name, .. } => ("fact", name),
                _ => {
                    self.declare_other(item);
                    continue;
                }
            };
            if let Some(first) = named.insert((kind, &name.text), name.span) {
                let message = format!("`{kind} {}` is said twice", name.text);
                self.say(Diagnostic::error("duplicate-name", name.span, message).related(first, "first here"));
                named.insert((kind, &name.text), first);
            }
            match &item.kind {
                ItemKind::Upstream { name, options: Some(options) } => self.upstream(item.head, name, options),
                ItemKind::Upstream { name, options: None } => {
                    let upstream = Upstream { external: true, ..Self::bare_upstream(name) };
                    self.push_upstream(item.head, upstream);
                }
                ItemKind::Plans { name, options } => self.plans(item.head, name, options),
                ItemKind::Fact { name, values } => self.fact(name, values),
                ItemKind::Page { .. } => self.later(item.head, "`page`"),
                _ => {}
            }
        }
    }

    fn declare_other(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Prove { .. } => self.later(item.head, "`prove`"),
            ItemKind::Allow(names) => self.allow(Span::new(item.span.file, 0, u32::MAX), names),
            _ => {}
        }
    }

    fn plans(&mut self, head: Span, name: &Word, options: &[PlansOption]) {
        let (missing, unknown, failed) = (401, 403, 503);
        let mut source = PlanSource { name: name.text.clone(), missing, unknown, failed, ..PlanSource::default() };
        let mut said: BTreeMap<&str, Span> = BTreeMap::new();
        for option in options {
            let once = match &option.kind {
                PlansOptionKind::Credential { sources, keep, .. } => {
                    source.credentials.extend(self.credentials(sources, keep.is_some()));
                    continue;
                }
                PlansOptionKind::Plan(names) => {
                    for plan in names {
                        if self.may_be_plan(plan, &source.plans) {
                            source.plans.push(plan.text.clone());
                        }
                    }
                    continue;
                }
                PlansOptionKind::Missing(code) => ("missing", code, &mut source.missing),
                PlansOptionKind::Unknown(code) => ("unknown", code, &mut source.unknown),
                PlansOptionKind::Failed { code, rest } => {
                    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
                        self.later(first.span.to(last.span), &format!("`{}`", clause(&first.text)));
                    }
                    ("failed", code, &mut source.failed)
                }
            };
            let (keyword, code, slot) = once;
            if let Some(first) = said.insert(keyword, option.span) {
                let message = format!("`{keyword}` is said twice");
                self.say(Diagnostic::error("duplicate-statement", option.span, message).related(first, "first here"));
            }
            match code.text.parse() {
                Ok(status @ 400..=599) => *slot = status,
                _ => self.error(
                    "invalid-status",
                    code.span,
                    format!("`{}` is no status of a refusal", code.text),
                    "write one of 400 to 599",
                ),
            }
        }
        if source.plans.is_empty() {
            self.error("no-plans", name.span, "this declares no plan", "name the plans: `plan staging production;`");
        }
        if source.credentials.is_empty() {
            let help = "say where the key stands: `credential key from header X-Api-Key;`";
            self.error("no-credential", name.span, "no caller of this can send a credential", help);
        }
        self.policy.plan_source_spans.push(head);
        self.policy.plan_sources.push(source);
    }

    fn may_be_plan(&mut self, plan: &Word, known: &[String]) -> bool {
        if plan.text == "any" || plan.text.starts_with('?') || plan.text.is_empty() {
            let message = format!("`{}` cannot be the name of a plan", plan.text);
            self.error("reserved-name", plan.span, message, "`any` and names with `?` stand for callers of every kind");
            return false;
        }
        if known.contains(&plan.text) {
            let message = format!("plan `{}` is declared twice", plan.text);
            self.error("duplicate-name", plan.span, message, "leave one of them out");
            return false;
        }
        true
    }

    fn credentials(&mut self, sources: &[(Word, Word)], keep: bool) -> Vec<Credential> {
        let mut credentials = Vec::new();
        for (kind, name) in sources {
            let kind = if kind.text == "query" { CredentialKind::Query } else { CredentialKind::Header };
            if kind == CredentialKind::Header && !self.is_field_name(name) {
                continue;
            }
            if name.text.is_empty() {
                self.invalid(name, "the name of an argument", "write `query user_key`");
                continue;
            }
            credentials.push(Credential::new(kind, name.text.to_ascii_lowercase(), keep));
        }
        credentials
    }

    /// The upstream called `name`; says so if there is none.
    pub(super) fn upstream_id(&mut self, name: &Word) -> Option<UpstreamId> {
        let found = self.policy.upstreams.iter().position(|upstream| upstream.name == name.text);
        if found.is_none() {
            let known: Vec<String> = self.policy.upstreams.iter().map(|upstream| upstream.name.clone()).collect();
            self.unknown("unknown-upstream", "upstream", name, known.iter().map(String::as_str));
        }
        found.and_then(|index| u32::try_from(index).ok()).map(UpstreamId)
    }

    /// The plan source called `name`; says so if there is none.
    pub(super) fn plan_source_id(&mut self, name: &Word) -> Option<PlanSourceId> {
        let found = self.policy.plan_sources.iter().position(|source| source.name == name.text);
        if found.is_none() {
            let known: Vec<String> = self.policy.plan_sources.iter().map(|source| source.name.clone()).collect();
            self.unknown("unknown-plans", "`plans` block", name, known.iter().map(String::as_str));
        }
        found.and_then(|index| u32::try_from(index).ok()).map(PlanSourceId)
    }
}

/// How a clause of `failed` is called by its first word.
fn clause(word: &str) -> &str {
    word.split_once('=').map_or(word, |(name, _)| name)
}
