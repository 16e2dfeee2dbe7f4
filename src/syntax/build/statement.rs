//! What services, locations and guards hold.

use super::parts::Parts;
use super::predicate::predicate;
use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::{Location, Predicate, PredicateKind, ProxyForm, Return, Statement, StatementKind};
use crate::syntax::grammar::Rule;
use crate::syntax::parser::{Body, Parsed};

/// A statement of a service, a location or a guard.
pub(in crate::syntax) fn statement(parsed: Parsed<'_>) -> Result<Statement, Diagnostic> {
    let Parsed { node, head, span, body } = parsed;
    let parts = Parts::new(node, head);
    // A block that could not be read was told of already: the statement is there all the same.
    let body = match body {
        Body::Statements(statements) => statements,
        _ => Vec::new(),
    };
    let kind = match parts.rule() {
        Rule::location => StatementKind::Location(Location {
            modifier: parts.maybe(Rule::modifier),
            pattern: parts.word(Rule::pattern)?,
            name: parts.maybe(Rule::name),
            body,
        }),
        Rule::when | Rule::method_block | Rule::plan_block | Rule::scheme_block => {
            StatementKind::When { guard: guard(&parts)?, body }
        }
        Rule::match_block => StatementKind::Match {
            field: parts.second()?,
            name: parts.maybe(Rule::field_name),
            regex: parts.word(Rule::regex)?,
            caseless: parts.has(Rule::caseless),
            body,
        },
        Rule::unless_block => StatementKind::UnlessBreak(body),
        Rule::break_ => StatementKind::Break,
        Rule::goto => StatementKind::Goto(parts.word(Rule::template)?),
        Rule::internal => StatementKind::Internal,
        Rule::set if parts.has(Rule::dollar_name) => {
            StatementKind::Set { name: parts.word(Rule::dollar_name)?, value: parts.word(Rule::template)? }
        }
        Rule::return_ | Rule::proxy | Rule::rewrite | Rule::upgrade => answer(&parts)?,
        Rule::forget if parts.has(Rule::k_error_pages) => StatementKind::ForgetErrorPages,
        Rule::forget => StatementKind::Forget(parts.word(Rule::side)?),
        Rule::limit | Rule::options | Rule::refusal_page => {
            StatementKind::Later { keyword: parts.first()?, words: parts.rest() }
        }
        _ => setting(&parts)?,
    };
    Ok(Statement { span, head, kind })
}

/// The predicate of a `when`, or what a short form stands for.
fn guard(parts: &Parts<'_>) -> Result<Predicate, Diagnostic> {
    let kind = match parts.rule() {
        Rule::when => return predicate(&parts.part(Rule::predicate)?),
        Rule::method_block => PredicateKind::Method(parts.words(Rule::method)),
        Rule::plan_block => PredicateKind::Plan(parts.words(Rule::name)),
        _ => PredicateKind::Scheme(parts.word(Rule::name)?),
    };
    let words = parts.children().filter(|child| child.rule() != Rule::open).map(|child| child.span());
    let span = words.reduce(Span::to).unwrap_or(parts.span());
    Ok(Predicate { span, kind })
}

fn answer(parts: &Parts<'_>) -> Result<StatementKind, Diagnostic> {
    Ok(match parts.rule() {
        Rule::return_ => StatementKind::Return(return_(parts, Rule::text)?),
        Rule::proxy => StatementKind::Proxy { upstream: parts.word(Rule::name)?, form: form(parts) },
        Rule::rewrite => StatementKind::Rewrite {
            regex: parts.word(Rule::regex)?,
            template: parts.word(Rule::template)?,
            flag: parts.maybe(Rule::rewrite_flag),
        },
        _ => upgrade(parts)?,
    })
}

fn form(parts: &Parts<'_>) -> ProxyForm {
    match (parts.maybe(Rule::path), parts.maybe(Rule::base)) {
        (Some(prefix), _) => ProxyForm::Strip(prefix),
        (None, Some(base)) => ProxyForm::Base(base),
        (None, None) if parts.has(Rule::k_canonical) => ProxyForm::Canonical,
        (None, None) => ProxyForm::Raw,
    }
}

fn return_(parts: &Parts<'_>, of: Rule) -> Result<Return, Diagnostic> {
    Ok(Return { code: parts.word(Rule::code)?, text: parts.maybe(of), page: parts.maybe(Rule::name) })
}

fn upgrade(parts: &Parts<'_>) -> Result<StatementKind, Diagnostic> {
    for rule in [Rule::for_methods, Rule::otherwise, Rule::to_host] {
        let mut clauses = parts.all(rule);
        if let (Some(first), Some(second)) = (clauses.next(), clauses.next()) {
            let keyword = second.first()?;
            let message = format!("`{}` is said twice", keyword.text);
            let mistake = Diagnostic::error("repeated-clause", keyword.span, message);
            return Err(mistake.related(first.first()?.span, "first said here"));
        }
    }
    let clause = |rule| parts.all(rule).next();
    Ok(StatementKind::Upgrade {
        code: parts.word(Rule::code)?,
        methods: clause(Rule::for_methods).map(|methods| methods.words(Rule::clause_method)).unwrap_or_default(),
        otherwise: clause(Rule::otherwise).map(|otherwise| return_(&otherwise, Rule::clause_text)).transpose()?,
        to: clause(Rule::to_host).and_then(|host| host.maybe(Rule::address)),
    })
}

fn setting(parts: &Parts<'_>) -> Result<StatementKind, Diagnostic> {
    Ok(match parts.rule() {
        Rule::set | Rule::add | Rule::drop => StatementKind::Header {
            action: parts.first()?,
            side: parts.word(Rule::side)?,
            names: parts.words(Rule::field_name),
            value: parts.maybe(Rule::value),
            on_success: parts.has(Rule::k_success),
        },
        Rule::proxy_redirect => StatementKind::ProxyRedirect(parts.maybe(Rule::value).zip(parts.maybe(Rule::template))),
        Rule::error_page => StatementKind::ErrorPage {
            codes: parts.words(Rule::code),
            status: parts.maybe(Rule::new_status),
            target: parts.word(Rule::template)?,
        },
        Rule::unique => {
            StatementKind::Unique { field: parts.word(Rule::named_field)?, name: parts.word(Rule::field_name)? }
        }
        Rule::methods => StatementKind::Methods(parts.words(Rule::method)),
        Rule::body => StatementKind::Body {
            action: parts.word(Rule::body_action)?,
            max: parts.all(Rule::max).next().map(|max| max.setting().1),
        },
        Rule::hsts => StatementKind::Hsts { age: parts.word(Rule::time)?, rest: parts.words(Rule::hsts_flag) },
        Rule::meter => StatementKind::Meter { name: parts.word(Rule::name)?, always: parts.has(Rule::k_always) },
        Rule::type_ => StatementKind::Type(parts.word(Rule::value)?),
        Rule::server_name => StatementKind::ServerName(parts.words(Rule::name)),
        Rule::listen => StatementKind::Listen(parts.words(Rule::name)),
        Rule::use_plans => StatementKind::UsePlans(parts.word(Rule::name)?),
        Rule::merge_slashes => StatementKind::MergeSlashes(parts.word(Rule::on_off)?),
        Rule::paths => {
            StatementKind::Paths { policy: parts.word(Rule::path_policy)?, params: parts.maybe(Rule::k_params) }
        }
        Rule::slash_redirect => StatementKind::SlashRedirect(parts.word(Rule::slash_policy)?),
        Rule::underscores => StatementKind::Underscores(parts.word(Rule::on_off)?),
        Rule::redirects => StatementKind::Redirects(parts.word(Rule::redirect_form)?),
        Rule::allow => StatementKind::Allow(parts.words(Rule::warning)),
        _ => return Err(parts.incomplete()),
    })
}
