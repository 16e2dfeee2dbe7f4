//! `forgotten-header`: `forget response headers` takes back a header that the service or an enclosing location sets, and
//! the location does not set it again. nginx's `add_header` does the same in silence; headers that protect a site are
//! lost so.
//!
//! Better: set it again, or `drop` what should not be sent and forget nothing.

use crate::diagnostic::{Diagnostic, Span};
use crate::model::{HeaderAction, Location, Policy, Setting, Side, Statement, StatementKind};

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    policy.locations.iter().filter_map(|location| forgets(policy, location)).collect()
}

fn forgets(policy: &Policy, location: &Location) -> Option<Diagnostic> {
    let forgetting = location.statements.iter().position(|statement| {
        matches!(statement.kind, StatementKind::Setting(Setting::ForgetHeaders(Side::Response)))
    })?;
    let (_, own) = location.statements.split_at_checked(forgetting)?;
    let is_set_again = |name: &str| own.iter().filter_map(set).any(|(again, _)| again.eq_ignore_ascii_case(name));
    let service = policy.services.get(location.service.0 as usize)?;
    let mut inherited: Vec<(&str, Span)> = service.statements.iter().filter_map(set).collect();
    let mut next = location.parent;
    while let Some(parent) = next.and_then(|id| policy.locations.get(id.0 as usize)) {
        inherited.extend(parent.statements.iter().filter_map(set));
        next = parent.parent;
    }
    let (name, place) = inherited.into_iter().find(|(name, _)| !is_set_again(name))?;
    let message = format!("`{name}`, which is set further out, is not sent from here");
    let warning = Diagnostic::warning("forgotten-header", own.first()?.span, message);
    Some(warning.related(place, "set here").help("set it again below, or `drop` what should not be sent instead"))
}

/// The response header that an unguarded statement sets or adds.
fn set(statement: &Statement) -> Option<(&str, Span)> {
    match &statement.kind {
        StatementKind::Setting(Setting::Header(edit))
            if edit.side == Side::Response && !matches!(edit.action, HeaderAction::Drop) =>
        {
            Some((&edit.name, statement.span))
        }
        _ => None,
    }
}
