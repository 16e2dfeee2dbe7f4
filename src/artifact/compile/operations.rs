//! Statements to a straight list: each under its guard, blocks written out.

use super::tables::{Builder, index};
use crate::artifact::format::{NONE, Operation, body_action, operation, proxy_form, rewrite_flag};
use crate::diagnostic::Span;
use crate::diagram::{FALSE, NodeId, TRUE, TooLarge};
use crate::model::{
    Answer, BodyAction, Destination, HeaderAction, HeaderEdit, LocationId, PageStatus, Part, PlanSourceId, Predicate,
    ProxyForm, Rewrite, RewriteFlag, ServiceId, Setting, Side, Statement, StatementKind, Template, Variable,
};

/// Statements of all locations, those that nested ones inherit among them: each is 24 bytes, all together 96 MiB. A policy
/// of 10,000 locations has some 50,000.
const OPERATIONS_MAX: usize = 4_000_000;

/// An operation and the statement it comes from.
pub(super) struct Placed {
    /// Under the guard of all requests that run it.
    pub(super) operation: Operation,
    /// What is asked where it stands.
    asked: NodeId,
    pub(super) span: Span,
    /// Whether a `break` can keep it from running.
    pub(super) may_be_skipped: bool,
}

fn push(list: &mut Vec<Placed>, guard: Guard, operation: Operation, span: Span) {
    let operation = Operation { guard: guard.whole.0, ..operation };
    list.push(Placed { operation, asked: guard.asked, span, may_be_skipped: false });
}

/// When a statement runs.
#[derive(Clone, Copy)]
struct Guard {
    /// For these requests.
    whole: NodeId,
    /// What remains to be asked where the blocks that are skipped as a whole have been asked for.
    asked: NodeId,
}

impl Guard {
    const ALWAYS: Self = Self { whole: TRUE, asked: TRUE };
}

/// Which statements of a list count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All.
    Own,
    /// Settings: what a nested location takes over.
    Inherited,
    /// Settings that ask for no caller and no fact: what counts where the statements themselves do not run.
    Plain,
}

impl Builder<'_> {
    /// The operations of a service's own statements.
    pub(super) fn service_operations(&mut self, service: ServiceId) -> (u32, u32) {
        let Some(service) = self.policy.services.get(service.0 as usize) else { return (0, 0) };
        let mut list = Vec::new();
        self.block(&service.statements, Guard::ALWAYS, Scope::Own, service.plans, &mut list);
        self.warn_unreachable(&list);
        self.list(&list)
    }

    /// The operations of a location: the settings of those that enclose it, outermost first, then its own statements.
    pub(super) fn location_operations(&mut self, location: LocationId, plans: Option<PlanSourceId>) -> (u32, u32) {
        let policy = self.policy;
        let at = |id: LocationId| policy.locations.get(id.0 as usize);
        let mut enclosing = Vec::new();
        let mut next = at(location).and_then(|location| location.parent);
        while let Some(parent) = next.and_then(at) {
            enclosing.push(parent);
            next = parent.parent;
        }
        let mut list = Vec::new();
        for parent in enclosing.into_iter().rev() {
            self.block(&parent.statements, Guard::ALWAYS, Scope::Inherited, plans, &mut list);
        }
        if let Some(own) = at(location) {
            self.block(&own.statements, Guard::ALWAYS, Scope::Own, plans, &mut list);
            if let Some(answered) = self.warn_unreachable(&list) {
                self.note_unanswered(location, plans, answered);
            }
        }
        self.list(&list)
    }

    /// The operations that are the settings of a location whose statements do not run: because it is `internal`, or
    /// because a path lacks its slash.
    pub(super) fn location_settings(&mut self, location: LocationId, plans: Option<PlanSourceId>) -> (u32, u32) {
        let policy = self.policy;
        let at = |id: LocationId| policy.locations.get(id.0 as usize);
        let Some(own) = at(location).filter(|own| own.is_internal || own.takes_slash()) else { return (0, 0) };
        let mut chain: Vec<_> = core::iter::successors(Some(own), |location| location.parent.and_then(at)).collect();
        chain.reverse();
        let mut list = Vec::new();
        for location in chain {
            self.block(&location.statements, Guard::ALWAYS, Scope::Plain, plans, &mut list);
        }
        self.list(&list)
    }

    /// First and number of the rows of `list`; equal lists are one, which is in a cache more often.
    fn list(&mut self, list: &[Placed]) -> (u32, u32) {
        let rows: Vec<Operation> =
            list.iter().map(|placed| Operation { guard: placed.asked.0, ..placed.operation }).collect();
        let count = index(rows.len());
        if self.operations.next() as usize + rows.len() > OPERATIONS_MAX {
            self.error_once(
                "policy-too-large",
                list.first().map_or(Span::default(), |placed| placed.span),
                format!(
                    "the locations together have more than {OPERATIONS_MAX} statements, with those that they inherit"
                ),
                "a nested location has a copy of what encloses it: say it in the service, or nest less",
            );
            return (0, 0);
        }
        let first = *self.operations_known.entry(rows).or_insert_with_key(|rows| {
            let first = self.operations.next();
            for row in rows {
                self.operations.push(row);
            }
            first
        });
        (first, count)
    }

    fn block(
        &mut self,
        statements: &[Statement],
        guard: Guard,
        scope: Scope,
        plans: Option<PlanSourceId>,
        list: &mut Vec<Placed>,
    ) {
        for statement in statements {
            let counts = match scope {
                Scope::Own => true,
                Scope::Inherited => statement.holds_settings(),
                Scope::Plain => !statement.asks_opaque() && statement.is_plain_setting(),
            };
            if !counts {
                continue;
            }
            match &statement.kind {
                StatementKind::When { guard: predicate, takes_groups, body } => {
                    if *takes_groups && scope == Scope::Own {
                        self.take_groups(predicate, guard, statement.span, list);
                    }
                    match self.enter(predicate, guard, plans) {
                        Ok((inner, asks_caller)) => {
                            if asks_caller {
                                let kind = operation::CALLER;
                                push(list, inner, Operation { kind, ..Operation::default() }, statement.span);
                            }
                            if asks_caller || body.len() < 2 {
                                self.block(body, inner, scope, plans, list);
                            } else {
                                self.block_as_a_whole(body, inner, scope, plans, list);
                            }
                        }
                        Err(TooLarge { .. }) => self.guard_too_large(statement.span),
                    }
                }
                // No `break` has run where only settings are taken over.
                StatementKind::UnlessBreak(body) if scope != Scope::Own => {
                    self.block(body, guard, scope, plans, list);
                }
                StatementKind::UnlessBreak(body) => {
                    let place = list.len();
                    let kind = operation::UNLESS_BREAK;
                    push(list, Guard::ALWAYS, Operation { kind, ..Operation::default() }, statement.span);
                    self.block(body, guard, scope, plans, list);
                    let inside = list.len() - place - 1;
                    for placed in list.iter_mut().skip(place + 1) {
                        placed.may_be_skipped = true;
                    }
                    if let Some(placed) = list.get_mut(place) {
                        placed.operation.a = index(inside);
                    }
                }
                _ => self.statement(statement, guard, list),
            }
        }
    }

    /// The operations of a block that is skipped where `guard` does not hold, so that its statements need not ask.
    fn block_as_a_whole(
        &mut self,
        body: &[Statement],
        guard: Guard,
        scope: Scope,
        plans: Option<PlanSourceId>,
        list: &mut Vec<Placed>,
    ) {
        let Ok(not) = self.diagram.not(guard.asked) else { return self.block(body, guard, scope, plans, list) };
        let place = list.len();
        let span = body.first().map_or(Span::default(), |statement| statement.span);
        push(
            list,
            Guard { whole: FALSE, asked: not },
            Operation { kind: operation::SKIP, ..Operation::default() },
            span,
        );
        self.block(body, Guard { asked: TRUE, ..guard }, scope, plans, list);
        let inside = list.len() - place - 1;
        if let Some(placed) = list.get_mut(place) {
            placed.operation.a = index(inside);
        }
    }

    /// `match`: takes the groups, whether or not the regex matches.
    fn take_groups(&mut self, predicate: &Predicate, guard: Guard, span: Span, list: &mut Vec<Placed>) {
        let Some((field, pattern)) = predicate.one_regex() else { return };
        let program = self.program(pattern);
        let (field, name) = self.field(field);
        let kind = operation::MATCH;
        push(list, guard, Operation { kind, a: program, b: field, c: name, ..Operation::default() }, span);
    }

    /// The guard of a block, and whether it depends on a fact or the caller.
    fn enter(
        &mut self,
        predicate: &Predicate,
        guard: Guard,
        plans: Option<PlanSourceId>,
    ) -> Result<(Guard, bool), TooLarge> {
        let own = self.guard(predicate, plans)?;
        let asks_caller = self.diagram.asks_from(own, self.first_opaque());
        let whole = self.diagram.and(guard.whole, own)?;
        Ok((Guard { whole, asked: self.diagram.and(guard.asked, own)? }, asks_caller))
    }

    pub(super) fn guard_too_large(&mut self, span: Span) {
        let help = "split the block into several with simpler predicates";
        self.error("guard-too-large", span, "the guards of the policy need a larger diagram than the limit", help);
    }

    fn statement(&mut self, statement: &Statement, guard: Guard, list: &mut Vec<Placed>) {
        if statement.templates().iter().any(|template| reads_plan(template)) {
            let kind = operation::CALLER;
            push(list, guard, Operation { kind, a: 1, ..Operation::default() }, statement.span);
        }
        let (kind, [a, b, c, d]) = match &statement.kind {
            StatementKind::Answer(answer) => self.answer(answer),
            StatementKind::Rewrite(rewrite) => self.rewrite(rewrite),
            StatementKind::Setting(setting) => self.setting(setting),
            StatementKind::Unique(field) => {
                let (field, name) = self.field(field);
                (operation::UNIQUE, [field, name, 0, 0])
            }
            StatementKind::Break => (operation::BREAK, [0; 4]),
            StatementKind::Set { name, value } => (operation::SET, [self.capture(name), self.template(value), 0, 0]),
            StatementKind::SetArgs(value) => (operation::SET_ARGS, [self.template(value), 0, 0, 0]),
            StatementKind::When { .. } | StatementKind::UnlessBreak(_) => return,
        };
        push(list, guard, Operation { guard: 0, kind, a, b, c, d }, statement.span);
    }

    fn answer(&mut self, answer: &Answer) -> (u32, [u32; 4]) {
        match answer {
            Answer::Respond { status, text } => {
                let text = text.as_ref().map_or(NONE, |text| self.template(text));
                (operation::RESPOND, [u32::from(*status), text, 0, 0])
            }
            Answer::Redirect { status, url } => (operation::REDIRECT, [u32::from(*status), self.template(url), 0, 0]),
            Answer::Close => (operation::CLOSE, [0; 4]),
            Answer::Goto(to) => {
                let (location, template) = self.destination(to);
                (operation::GOTO, [location, template, 0, 0])
            }
            Answer::Proxy { upstream, form } => {
                let (form, text, octets) = match form {
                    ProxyForm::Raw => (proxy_form::RAW, NONE, 0),
                    ProxyForm::Canonical => (proxy_form::CANONICAL, NONE, 0),
                    ProxyForm::Strip(prefix) => (proxy_form::STRIP, self.string(prefix), 0),
                    ProxyForm::Target(target) => (proxy_form::TARGET, self.template(target), 0),
                    ProxyForm::Base { base, prefix_octets } => {
                        (proxy_form::BASE, self.string(base), index(*prefix_octets))
                    }
                };
                (operation::PROXY, [upstream.0, form, text, octets])
            }
        }
    }

    /// The named location, and the template where there is none.
    fn destination(&mut self, to: &Destination) -> (u32, u32) {
        match to {
            Destination::Named(id) => (id.0, NONE),
            Destination::Uri(template) => (NONE, self.template(template)),
        }
    }

    fn rewrite(&mut self, rewrite: &Rewrite) -> (u32, [u32; 4]) {
        let program = self.program(&rewrite.pattern);
        let template = self.template(&rewrite.replacement);
        let flag = match rewrite.flag {
            RewriteFlag::Continue => rewrite_flag::CONTINUE,
            RewriteFlag::Last => rewrite_flag::LAST,
            RewriteFlag::Break => rewrite_flag::BREAK,
            RewriteFlag::Redirect(status) => u32::from(status),
        };
        (operation::REWRITE, [program, template, flag, u32::from(rewrite.keeps_args)])
    }

    #[expect(clippy::cast_possible_truncation, reason = "a bound of 64 bits is kept in two halves")]
    fn setting(&mut self, setting: &Setting) -> (u32, [u32; 4]) {
        match setting {
            Setting::Methods(methods) => (operation::METHODS, [self.string(methods.join(", ").as_bytes()), 0, 0, 0]),
            Setting::Body(body) => {
                let action = match body.action {
                    BodyAction::Forward => body_action::FORWARD,
                    BodyAction::Strip => body_action::STRIP,
                    BodyAction::Reject => body_action::REJECT,
                };
                let octets = body.octets_max.unwrap_or(0);
                let has_bound = u32::from(body.octets_max.is_some());
                (operation::BODY, [action, octets as u32, (octets >> 32) as u32, has_bound])
            }
            Setting::Header(edit) => self.header_edit(edit),
            Setting::ProxyRedirect { from, to } => {
                (operation::PROXY_REDIRECT, [self.string(from), self.template(to), 0, 0])
            }
            Setting::ErrorPage(page) => {
                let (location, template) = self.destination(&page.to);
                let status = match page.status {
                    PageStatus::Code => NONE,
                    PageStatus::Own => 0,
                    PageStatus::Said(status) => u32::from(status),
                };
                (operation::ERROR_PAGE, [u32::from(page.code), status, location, template])
            }
            Setting::ForgetErrorPages => (operation::FORGET_ERROR_PAGES, [0; 4]),
            Setting::ProxyRedirectOff => (operation::PROXY_REDIRECT_OFF, [0; 4]),
            Setting::ForgetHeaders(side) => (operation::FORGET_HEADERS, [u32::from(*side == Side::Response), 0, 0, 0]),
            Setting::Hsts(value) => {
                let (value, name) = (self.string(value.as_bytes()), self.string(b"Strict-Transport-Security"));
                (operation::HSTS, [value, name, 0, 0])
            }
            Setting::Meter { meter, always } => (operation::METER, [meter.0, u32::from(*always), 0, 0]),
            Setting::Type(value) => (operation::TYPE, [self.template(value), 0, 0, 0]),
        }
    }

    fn header_edit(&mut self, edit: &HeaderEdit) -> (u32, [u32; 4]) {
        let side = u32::from(edit.side == Side::Response);
        let (action, template) = match &edit.action {
            HeaderAction::Set(value) => (0, self.template(value)),
            HeaderAction::Add(value) => (1, self.template(value)),
            HeaderAction::Drop => (2, NONE),
        };
        let action = action + if edit.on_success { 4 } else { 0 };
        (operation::HEADER, [side, action, self.string(edit.name.as_bytes()), template])
    }
}

fn reads_plan(template: &Template) -> bool {
    template.parts.contains(&Part::Variable(Variable::Plan))
}
