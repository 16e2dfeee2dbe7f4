//! `repeatable-guard`: a guard refuses requests by the value of a header, an argument or a cookie that a client may send
//! twice, or spell otherwise. Guards read all lines of a header as one value and the first argument or cookie, undecoded;
//! the upstream may take another one, and the request that was to be refused is let through.
//!
//! Better: `unique header NAME;`, `unique query NAME;` or `unique cookie NAME;` in the service or the location; or refuse
//! all but the values that are allowed (`when not header X-Role = "user" { return 403; }`).

use super::narrow::may_satisfy;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Answer, Field, MapId, Operator, Policy, Predicate, Statement, StatementKind};
use std::collections::BTreeSet;

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in &policy.services {
        block(policy, &service.statements, Vec::new(), &mut found);
    }
    for location in &policy.locations {
        let service = policy.services.get(location.service.0 as usize);
        let mut unique: Vec<&Field> = service.map_or_else(Vec::new, |service| uniques(&service.statements).collect());
        let mut next = location.parent;
        while let Some(parent) = next.and_then(|id| policy.locations.get(id.0 as usize)) {
            unique.extend(uniques(&parent.statements));
            next = parent.parent;
        }
        block(policy, &location.statements, unique, &mut found);
    }
    found
}

/// The fields that `statements` themselves hold to be unique.
fn uniques(statements: &[Statement]) -> impl Iterator<Item = &Field> {
    statements.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Unique(field) => Some(field),
        _ => None,
    })
}

/// Looks at the guards of `statements`, where the fields `unique` are checked further out.
fn block<'p>(policy: &'p Policy, statements: &'p [Statement], mut unique: Vec<&'p Field>, found: &mut Vec<Diagnostic>) {
    unique.extend(uniques(statements));
    for statement in statements {
        if let StatementKind::When { guard, body, .. } = &statement.kind
            && refuses(body)
            && let Some(field) =
                passable(policy, guard, true, &mut BTreeSet::new()).into_iter().find(|field| !unique.contains(field))
        {
            found.extend(warning(field, statement.span));
        }
        block(policy, statement.block().unwrap_or(&[]), unique.clone(), found);
    }
}

/// Whether a block refuses what it takes, whatever the request.
fn refuses(body: &[Statement]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StatementKind::Answer(Answer::Respond { status, .. }) => (400..500).contains(status),
        StatementKind::Answer(Answer::Close) => true,
        _ => false,
    })
}

/// The fields by which a client may make `guard` fail, where it `counts` as it stands, not its opposite. Maps that were
/// `seen` are not looked at again: those that ask each other would be, once for each way.
fn passable<'p>(policy: &'p Policy, guard: &'p Predicate, counts: bool, seen: &mut BTreeSet<MapId>) -> Vec<&'p Field> {
    match guard {
        Predicate::And(all) | Predicate::Or(all) => {
            all.iter().flat_map(|one| passable(policy, one, counts, seen)).collect()
        }
        Predicate::Not(inner) => passable(policy, inner, !counts, seen),
        Predicate::Field(field, operator) if counts && is_passable(field, operator) => vec![field],
        Predicate::Map(id, operator) if seen.insert(*id) => {
            let Some(map) = policy.maps.get(id.0 as usize) else { return Vec::new() };
            let values = map.cases.iter().map(|case| &case.value).chain([&map.default]);
            let read = values.filter_map(|value| value.field.as_ref());
            let mut found: Vec<&Field> = read.filter(|field| counts && is_passable(field, operator)).collect();
            for case in map.cases.iter().filter(|case| may_satisfy(&case.value, operator)) {
                found.extend(passable(policy, &case.guard, counts, seen));
            }
            found
        }
        Predicate::Field(..) | Predicate::Map(..) | Predicate::Fact(..) | Predicate::Plan(_) => Vec::new(),
    }
}

/// Headers that no request has twice, whatever the rules.
const NEVER_REPEATED: [&str; 3] = ["host", "content-length", "transfer-encoding"];

/// Whether another line, argument or cookie, or another spelling, makes the operator fail.
fn is_passable(field: &Field, operator: &Operator) -> bool {
    match (field, operator) {
        (Field::Query(_) | Field::Cookie(_), _) => true,
        (Field::Header(name), _) if NEVER_REPEATED.contains(&name.as_str()) => false,
        (Field::Header(_), Operator::In(_) | Operator::Prefix(_)) => true,
        // What is looked for anywhere is found beside other lines too.
        (Field::Header(_), Operator::Regex(pattern)) => {
            ["^", "$", "\\A", "\\z", "\\Z", "(?"].iter().any(|anchor| pattern.source.contains(anchor))
        }
        _ => false,
    }
}

fn warning(field: &Field, span: Span) -> Option<Diagnostic> {
    let (kind, name, ways) = match field {
        Field::Header(name) => ("header", name, "in two lines"),
        Field::Query(name) => ("query", name, "twice, or spelt otherwise"),
        Field::Cookie(name) => ("cookie", name, "twice, or spelt otherwise"),
        _ => return None,
    };
    let message = format!("a client passes this guard by sending `{name}` {ways}");
    let help = format!("write `unique {kind} {name};` before it, or refuse all but the values that are allowed");
    Some(Diagnostic::warning("repeatable-guard", span, message).help(help))
}
