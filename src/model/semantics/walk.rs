//! Steps 3 and 4: service statements, location, its statements.

use super::arrival::Arrival;
use super::omission::Seen;
use super::request::Request;
use super::service::Name;
use super::spelling::{Spelt, is_spelling, is_unique_argument, is_unique_cookie, pieces};
use super::template::Escaping;
use super::{Lookup, Regexes};
use crate::contract::manifest::{CredentialKind, PlanSource};
use crate::contract::{Caller, Refusal};
use crate::model::{
    Answer, FactId, Field, Location, LocationId, LocationPaths, Part, Pattern, PlanId, Policy, Predicate, RewriteFlag,
    Setting, Statement, StatementKind, Template, Variable,
};
use core::cell::{Cell, RefCell};
use core::ops::Range;
use std::collections::BTreeMap;

/// Why a walk ends without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The request is refused, with this status.
    Refused(Refusal, u16),
    /// The caller has to be looked up.
    NeedsPlan,
    /// A fact has to be known.
    NeedsFact(FactId),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal, refusal.status())
    }
}

/// How a walk ends.
#[derive(Debug)]
pub(super) enum End<'p> {
    /// This statement answers.
    Answer(&'p Answer),
    /// A rewrite redirects there.
    Redirect(u16, Vec<u8>),
    /// The path was rewritten: a new lookup.
    Lookup,
    /// Nothing answered.
    Nothing,
}

/// What a request gets, whatever of it is still to be made.
#[derive(Debug)]
pub(super) enum Reached<'p> {
    /// An answer; `is_own` if a location gives it.
    Answer { answer: &'p Answer, is_own: bool },
    /// A redirecting rewrite; likewise.
    Redirect { status: u16, location: Vec<u8>, is_own: bool },
    /// The path lacks the final slash of a location that proxies.
    AddSlash,
}

/// A request on its way.
pub(super) struct Walk<'p> {
    pub(super) policy: &'p Policy,
    pub(super) request: &'p Request,
    /// Names of the lines that are not sent on.
    pub(super) omitted: &'p [Vec<u8>],
    pub(super) regexes: &'p dyn Regexes,
    pub(super) arrival: Arrival<'p>,
    /// The location chosen last, and the path it was chosen on.
    pub(super) location: Option<LocationId>,
    pub(super) match_path: Vec<u8>,
    /// The path and the query as they are now.
    pub(super) path: Vec<u8>,
    pub(super) args: Vec<u8>,
    /// Whether path or query are no longer those of the target as it came (nginx: not `valid_unparsed_uri`).
    pub(super) is_rewritten: bool,
    /// Whether the request was sent on within the gateway: by a rewrite, `goto` or `error_page` (nginx: `internal`).
    pub(super) is_internal: bool,
    /// As sent, or GET where an error page has made it so.
    pub(super) method: Vec<u8>,
    /// Octets of the body; none once it was too large.
    pub(super) body: u64,
    /// The caller's plan, once it was asked for.
    pub(super) asked_plan: Cell<Option<PlanId>>,
    /// The texts of the first maps, for the request as it came.
    pub(super) map_texts: RefCell<Vec<Vec<u8>>>,
    /// How often it was sent on.
    pub(super) hops: usize,
    /// Whether an error page was found; there is one a request.
    pub(super) has_error_page: bool,
    /// The status that replaces that of the answer.
    pub(super) status: Option<u16>,
    /// What the first `proxy` comes to instead.
    pub(super) fault: Option<u16>,
    /// `$1`.. of the regex that matched last.
    pub(super) groups: Vec<Vec<u8>>,
    pub(super) named: BTreeMap<&'p str, Vec<u8>>,
    /// In the order in which they were reached.
    pub(super) settings: Vec<&'p Setting>,
    /// Those of the service alone.
    pub(super) of_service: Vec<&'p Setting>,
    pub(super) lookups: Vec<Lookup>,
}

/// What rewrites have done in one walk.
#[derive(Default)]
struct Rewrites {
    /// One without a flag matched, and no `break` since.
    is_pending: bool,
    /// A `break` matched.
    are_over: bool,
    /// One matched.
    have_matched: bool,
}

impl<'p> Walk<'p> {
    pub(super) fn new(policy: &'p Policy, seen: &'p Seen, regexes: &'p dyn Regexes, arrival: Arrival<'p>) -> Self {
        let request = &seen.request;
        let mut walk = Self {
            policy,
            request,
            omitted: &seen.omitted,
            regexes,
            location: None,
            match_path: arrival.target.path.clone(),
            path: arrival.target.path.clone(),
            args: arrival.target.args.clone(),
            is_rewritten: false,
            is_internal: false,
            method: request.method.clone(),
            body: request.body,
            asked_plan: Cell::new(None),
            map_texts: RefCell::default(),
            hops: 0,
            has_error_page: false,
            status: None,
            fault: request.fault,
            groups: Vec::new(),
            named: BTreeMap::new(),
            settings: Vec::new(),
            of_service: Vec::new(),
            lookups: Vec::new(),
            arrival,
        };
        if let Some(Name { pattern, groups }) = walk.arrival.name.take() {
            let host = walk.arrival.host.clone();
            walk.set_captures(pattern, &host, &groups);
        }
        walk
    }

    pub(super) fn location_statements(&mut self, id: LocationId) -> Result<End<'p>, Halt> {
        let chain = chain(self.policy, id);
        for location in &chain {
            if let LocationPaths::Regex(pattern) = &location.paths
                && let Some(groups) = self.regexes.captures(pattern, &self.path)
            {
                let path = self.path.clone();
                self.set_captures(pattern, &path, &groups);
            }
        }
        let Some((own, enclosing)) = chain.split_last() else { return Ok(End::Nothing) };
        for location in enclosing {
            self.inherit(&location.statements)?;
        }
        self.walk(&own.statements)
    }

    /// Runs the settings of an enclosing location.
    fn inherit(&mut self, statements: &'p [Statement]) -> Result<(), Halt> {
        for statement in statements.iter().filter(|statement| statement.holds_settings()) {
            match &statement.kind {
                StatementKind::When { guard, body, .. } => {
                    if self.holds(guard)? {
                        self.inherit(body)?;
                    }
                }
                StatementKind::UnlessBreak(body) => self.inherit(body)?,
                _ => self.set(statement)?,
            }
        }
        Ok(())
    }

    pub(super) fn walk(&mut self, statements: &'p [Statement]) -> Result<End<'p>, Halt> {
        let mut rewrites = Rewrites::default();
        match self.block(statements, &mut rewrites)? {
            Some(end) => Ok(end),
            None if rewrites.is_pending => Ok(End::Lookup),
            None => Ok(End::Nothing),
        }
    }

    fn block(&mut self, statements: &'p [Statement], rewrites: &mut Rewrites) -> Result<Option<End<'p>>, Halt> {
        for statement in statements {
            let end = match &statement.kind {
                StatementKind::When { guard, takes_groups, body } => {
                    if *takes_groups {
                        self.take_groups(guard);
                    }
                    if self.holds(guard)? { self.block(body, rewrites)? } else { None }
                }
                StatementKind::UnlessBreak(_) if rewrites.are_over => None,
                StatementKind::UnlessBreak(body) => self.block(body, rewrites)?,
                _ => self.statement(statement, rewrites)?,
            };
            if end.is_some() {
                return Ok(end);
            }
        }
        Ok(None)
    }

    fn statement(&mut self, statement: &'p Statement, rewrites: &mut Rewrites) -> Result<Option<End<'p>>, Halt> {
        if statement.templates().iter().any(|template| reads_plan(template)) {
            self.plan()?;
        }
        match &statement.kind {
            StatementKind::Answer(Answer::Proxy { .. } | Answer::Goto(_)) if rewrites.is_pending => {
                Ok(Some(End::Lookup))
            }
            StatementKind::Answer(answer) => Ok(Some(End::Answer(answer))),
            StatementKind::Rewrite(_) if rewrites.are_over => Ok(None),
            StatementKind::Rewrite(rewrite) => {
                if !self.rewrite_matches(rewrite) {
                    return Ok(None);
                }
                if let RewriteFlag::Redirect(status) = rewrite.flag {
                    return Ok(Some(End::Redirect(status, self.redirect_target(rewrite))));
                }
                self.rewrite_path(rewrite)?;
                if rewrite.flag == RewriteFlag::Last {
                    return Ok(Some(End::Lookup));
                }
                let are_over = rewrite.flag == RewriteFlag::Break;
                *rewrites = Rewrites { is_pending: !are_over, are_over, have_matched: true };
                Ok(None)
            }
            StatementKind::Break => {
                *rewrites = Rewrites { is_pending: false, are_over: true, ..*rewrites };
                Ok(None)
            }
            StatementKind::Set { name, value } => {
                let value = self.kept(value, rewrites);
                self.named.insert(name, value);
                Ok(None)
            }
            StatementKind::SetArgs(value) => {
                self.args = self.kept(value, rewrites);
                self.is_rewritten = true;
                Ok(None)
            }
            _ => {
                self.set(statement)?;
                Ok(None)
            }
        }
    }

    pub(super) fn set(&mut self, statement: &'p Statement) -> Result<(), Halt> {
        if statement.templates().iter().any(|template| reads_plan(template)) {
            self.plan()?;
        }
        match &statement.kind {
            StatementKind::Setting(Setting::ForgetHeaders(side)) => {
                self.settings.retain(|setting| !matches!(setting, Setting::Header(edit) if edit.side == *side));
            }
            StatementKind::Setting(Setting::ForgetErrorPages) => {
                self.settings.retain(|setting| !matches!(setting, Setting::ErrorPage(_)));
            }
            StatementKind::Setting(Setting::ProxyRedirectOff) => {
                self.settings.retain(|setting| !matches!(setting, Setting::ProxyRedirect { .. }));
            }
            StatementKind::Setting(setting) => self.settings.push(setting),
            StatementKind::Unique(field) => self.check_unique(field)?,
            _ => {}
        }
        Ok(())
    }

    fn check_unique(&self, field: &Field) -> Result<(), Halt> {
        let (is_unique, refusal) = match field {
            Field::Query(name) => {
                (is_unique_argument(&self.arrival.target.args, name.as_bytes()), Refusal::QueryRepeated)
            }
            Field::Cookie(name) => {
                let lines: Vec<&[u8]> = self.request.lines(b"cookie").collect();
                (is_unique_cookie(&lines, name.as_bytes()), Refusal::CookieRepeated)
            }
            Field::Header(name) => (self.request.lines(name.as_bytes()).nth(1).is_none(), Refusal::HeaderRepeated),
            _ => return Ok(()),
        };
        if is_unique { Ok(()) } else { Err(refusal.into()) }
    }

    /// Notes what the groups of `pattern` captured of `subject`.
    pub(super) fn set_captures(&mut self, pattern: &'p Pattern, subject: &[u8], groups: &[Option<Range<usize>>]) {
        let text =
            |range: &Option<Range<usize>>| range.clone().and_then(|range| subject.get(range)).unwrap_or(&[]).to_vec();
        self.groups = groups.iter().skip(1).map(text).collect();
        for (name, value) in pattern.groups.iter().zip(&self.groups) {
            if let Some(name) = name {
                self.named.insert(name, value.clone());
            }
        }
    }

    /// The text that `set` keeps. nginx's script engine escapes groups in it until a rewrite of the walk has matched.
    fn kept(&self, value: &Template, rewrites: &Rewrites) -> Vec<u8> {
        let escaping = if rewrites.have_matched { Escaping::InArgs } else { Escaping::Always };
        self.fill_parts(value, escaping).0
    }

    /// What the one regex of `guard` captures of its field; nothing where it does not match.
    fn take_groups(&mut self, guard: &'p Predicate) {
        self.groups.clear();
        let Some((field, pattern)) = guard.one_regex() else { return };
        let value = self.field(field).unwrap_or_default();
        if let Some(groups) = self.regexes.captures(pattern, &value) {
            self.set_captures(pattern, &value, &groups);
        }
    }

    /// The caller's plan, where the decision depends on it.
    pub(super) fn plan(&self) -> Result<PlanId, Halt> {
        let Some(source) = self.plan_source() else { return Err(Halt::NeedsPlan) };
        self.check_credentials(source)?;
        match self.arrival.caller {
            None => Err(Halt::NeedsPlan),
            Some(Caller::Plan(plan)) => {
                self.asked_plan.set(Some(PlanId(plan)));
                Ok(PlanId(plan))
            }
            Some(Caller::Missing) => Err(Halt::Refused(Refusal::PlanMissing, source.missing)),
            Some(Caller::Unknown) => Err(Halt::Refused(Refusal::PlanUnknown, source.unknown)),
            Some(Caller::Failed) => Err(Halt::Refused(Refusal::PlanFailed, source.failed)),
        }
    }

    /// Two different credentials are refused; an empty one is none.
    fn check_credentials(&self, source: &'p PlanSource) -> Result<(), Halt> {
        let args = &self.arrival.target.args;
        let spelt = |name: &str| -> Vec<Spelt<'_>> {
            pieces(args, b"&;").into_iter().filter(|own| is_spelling(own.name, name.as_bytes())).collect()
        };
        let queries = || source.credentials.iter().filter(|credential| credential.kind == CredentialKind::Query);
        // Where the value ends would be for the upstream to say.
        if queries().flat_map(|credential| spelt(&credential.name)).any(|own| own.between.1 == Some(b';')) {
            return Err(Refusal::CredentialsConflict.into());
        }
        let values = source.credentials.iter().flat_map(|credential| match credential.kind {
            CredentialKind::Header => self.request.lines_of(&credential.name),
            CredentialKind::Query => spelt(&credential.name).into_iter().filter_map(|own| own.value).collect(),
        });
        let mut values = values.filter(|value| !value.is_empty());
        let first = values.next();
        if values.any(|value| Some(value) != first) {
            return Err(Refusal::CredentialsConflict.into());
        }
        Ok(())
    }

    pub(super) fn plan_source(&self) -> Option<&'p PlanSource> {
        self.arrival.service.plans.and_then(|id| self.policy.plan_sources.get(id.0 as usize))
    }
}

/// `id` and the locations it is nested in, outermost first.
pub(super) fn chain(policy: &Policy, id: LocationId) -> Vec<&Location> {
    let at = |id: LocationId| policy.locations.get(id.0 as usize);
    let mut chain: Vec<_> = core::iter::successors(at(id), |location| location.parent.and_then(at)).collect();
    chain.reverse();
    chain
}

fn reads_plan(template: &Template) -> bool {
    template.parts.iter().any(|part| matches!(part, Part::Variable(Variable::Plan)))
}
