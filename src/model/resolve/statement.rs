//! Statements of services, locations and guarded blocks.

use super::Resolver;
use super::own_hosts::OwnHosts;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Answer, LocationId, MapId, PlanSourceId, ServiceId, Setting, Statement, StatementKind};
use crate::syntax::ast;
use std::collections::{BTreeMap, BTreeSet};

/// What a statement has to know of its service.
pub(super) struct ServiceScope {
    pub(super) id: ServiceId,
    pub(super) span: Span,
    pub(super) plans: Option<PlanSourceId>,
    /// Names of groups that templates can use.
    pub(super) captures: BTreeSet<String>,
    /// What templates can use, by name.
    pub(super) maps: BTreeMap<String, MapId>,
    /// Its named locations, by name.
    pub(super) named: BTreeMap<String, LocationId>,
    /// Which hosts its rules spell out.
    pub(super) own_hosts: OwnHosts,
    /// nginx's slash redirect: a `proxy` under a guard does not cause it.
    pub(super) unguarded_proxy_only: bool,
}

impl ServiceScope {
    /// Of what stands at the top level, at `span`.
    pub(super) fn outside(span: Span) -> Self {
        Self {
            id: ServiceId(u32::MAX),
            span,
            plans: None,
            captures: BTreeSet::new(),
            maps: BTreeMap::new(),
            named: BTreeMap::new(),
            own_hosts: OwnHosts::None,
            unguarded_proxy_only: false,
        }
    }
}

/// What a statement has to know of its location.
#[derive(Clone, Copy)]
pub(super) struct LocationScope {
    pub(super) span: Span,
    /// Length of its prefix or path; None for a regex and a named one.
    pub(super) prefix_octets: Option<usize>,
}

/// Where a statement stands.
pub(super) struct Scope<'s> {
    pub(super) service: &'s ServiceScope,
    pub(super) location: Option<LocationScope>,
    /// The last rewrite above it after which a `proxy` of the same walk sees another path.
    pub(super) rewrite: Option<Span>,
    /// The same for one of a walk before this one.
    rewrite_before: Option<Span>,
    /// The innermost block around it.
    block: Span,
    guarded: bool,
}

impl<'s> Scope<'s> {
    /// Directly in a service.
    pub(super) fn of_service(service: &'s ServiceScope) -> Self {
        Self { service, location: None, rewrite: None, rewrite_before: None, block: service.span, guarded: false }
    }

    /// Directly in a location.
    pub(super) fn of_location(service: &'s ServiceScope, location: LocationScope, rewrite: Option<Span>) -> Self {
        Self {
            service,
            location: Some(location),
            rewrite,
            rewrite_before: rewrite,
            block: location.span,
            guarded: false,
        }
    }
}

impl Resolver<'_> {
    /// The statements of one block, in order; locations and what only a service says are left out.
    pub(super) fn statements(&mut self, body: &[ast::Statement], scope: &mut Scope<'_>) -> Vec<Statement> {
        let mut statements = Vec::new();
        for statement in body {
            for kind in self.statement(statement, scope) {
                statements.push(Statement { span: statement.head, kind });
            }
        }
        statements
    }

    fn statement(&mut self, statement: &ast::Statement, scope: &mut Scope<'_>) -> Vec<StatementKind> {
        let one = |kind: Option<StatementKind>| kind.into_iter().collect();
        match &statement.kind {
            ast::StatementKind::When { guard, body } => one(self.when(statement, guard, body, scope)),
            ast::StatementKind::Match { field, name, regex, caseless, body } => {
                let guard = self.match_guard((field, name.as_ref()), (regex, *caseless));
                let body = self.guarded(statement, body, scope);
                one(guard.map(|guard| StatementKind::When { guard, takes_groups: true, body }))
            }
            ast::StatementKind::UnlessBreak(body) => {
                // No `break` of this walk has matched within.
                let rewrite = core::mem::replace(&mut scope.rewrite, scope.rewrite_before);
                let body = self.guarded(statement, body, scope);
                scope.rewrite = scope.rewrite.filter(|_| scope.rewrite != scope.rewrite_before).or(rewrite);
                vec![StatementKind::UnlessBreak(body)]
            }
            ast::StatementKind::Break => vec![StatementKind::Break],
            ast::StatementKind::Set { name, value } => one(self.set_variable(name, value, scope.service)),
            ast::StatementKind::Return(answer) => {
                one(self.answer(statement.head, answer, scope).map(StatementKind::Answer))
            }
            ast::StatementKind::Proxy { upstream, form } => {
                one(self.proxy(upstream, form, scope).map(StatementKind::Answer))
            }
            ast::StatementKind::Goto(target) => {
                one(self.goto(target, scope.service).map(|to| StatementKind::Answer(Answer::Goto(to))))
            }
            ast::StatementKind::Internal => {
                if scope.guarded || scope.location.is_none() {
                    let message = "`internal` is said of a whole location";
                    self.error("misplaced-statement", statement.head, message, "move it to the top of a location");
                }
                Vec::new()
            }
            ast::StatementKind::Rewrite { regex, template, flag } => {
                one(self.rewrite(statement.head, (regex, template, flag.as_ref()), scope))
            }
            ast::StatementKind::Upgrade { code, methods, otherwise, to } => {
                one(self.upgrade(statement, code, methods, (otherwise.as_ref(), to.as_ref()), scope))
            }
            ast::StatementKind::Unique { field, name } => one(self.named_field(field, name).map(StatementKind::Unique)),
            ast::StatementKind::Allow(names) => {
                self.allow(scope.block, names);
                Vec::new()
            }
            ast::StatementKind::Later { keyword, .. } => {
                self.later(statement.head, &format!("`{}`", keyword.text));
                Vec::new()
            }
            ast::StatementKind::Location(_) if !scope.guarded => Vec::new(),
            ast::StatementKind::Location(_) => {
                let message = "a location cannot stand under a guard";
                let help = "put the guard into the location: which one is chosen depends on the path alone";
                self.error("misplaced-statement", statement.head, message, help);
                Vec::new()
            }
            kind if of_service(kind) => {
                let in_location = scope.location.is_some() && slash_redirect_switch(kind).is_none();
                if scope.guarded || in_location {
                    let message = "this is said once for a service";
                    let diagnostic = Diagnostic::error("misplaced-statement", statement.head, message);
                    self.say(diagnostic.help("move it to the top of the service"));
                }
                Vec::new()
            }
            _ => self.settings_of(statement, scope).into_iter().map(StatementKind::Setting).collect(),
        }
    }

    fn when(
        &mut self,
        statement: &ast::Statement,
        guard: &ast::Predicate,
        body: &[ast::Statement],
        scope: &mut Scope<'_>,
    ) -> Option<StatementKind> {
        let span = guard.span;
        let guard = self.predicate(guard, scope.service);
        if let Some(guard) = &guard {
            self.check_facts(guard, span);
        }
        let body = self.guarded(statement, body, scope);
        Some(StatementKind::When { guard: guard?, takes_groups: false, body })
    }

    /// The statements of the block of `statement`.
    fn guarded(
        &mut self,
        statement: &ast::Statement,
        body: &[ast::Statement],
        scope: &mut Scope<'_>,
    ) -> Vec<Statement> {
        let (block, guarded) = (scope.block, scope.guarded);
        (scope.block, scope.guarded) = (statement.span, true);
        let body = self.statements(body, scope);
        (scope.block, scope.guarded) = (block, guarded);
        body
    }

    /// The settings that `statement` stands for: one for each name of `drop`.
    fn settings_of(&mut self, statement: &ast::Statement, scope: &Scope<'_>) -> Vec<Setting> {
        match &statement.kind {
            ast::StatementKind::Header { action, side, names, value, on_success } => {
                self.header((action, side, *on_success), names, value.as_ref(), scope.service)
            }
            ast::StatementKind::ErrorPage { codes, status, target } => {
                self.error_pages(codes, status.as_ref(), target, scope.service)
            }
            _ => self.setting(statement, scope).into_iter().collect(),
        }
    }
}

/// Whether `kind` is one of those that only a service says, read beforehand.
fn of_service(kind: &ast::StatementKind) -> bool {
    matches!(
        kind,
        ast::StatementKind::ServerName(_)
            | ast::StatementKind::Listen(_)
            | ast::StatementKind::UsePlans(_)
            | ast::StatementKind::MergeSlashes(_)
            | ast::StatementKind::Paths { .. }
            | ast::StatementKind::SlashRedirect(_)
            | ast::StatementKind::Redirects(_)
            | ast::StatementKind::Underscores(_)
    )
}

/// `slash_redirect on|off`, which a location says for itself.
pub(super) fn slash_redirect_switch(kind: &ast::StatementKind) -> Option<bool> {
    match kind {
        ast::StatementKind::SlashRedirect(word) if word.text == "on" => Some(true),
        ast::StatementKind::SlashRedirect(word) if word.text == "off" => Some(false),
        _ => None,
    }
}
