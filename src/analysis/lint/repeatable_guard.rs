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
            && let Some(field) = Passage::of(policy, guard).into_iter().find(|field| !unique.contains(field))
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

/// What is looked for in a guard: the fields by which a client may make it fail.
struct Passage<'p> {
    policy: &'p Policy,
    /// Maps that ask maps are looked at once, not once a way.
    maps: BTreeSet<MapId>,
    fields: Vec<&'p Field>,
}

impl<'p> Passage<'p> {
    fn of(policy: &'p Policy, guard: &'p Predicate) -> Vec<&'p Field> {
        let mut passage = Self { policy, maps: BTreeSet::new(), fields: Vec::new() };
        passage.look(guard, true);
        passage.fields
    }

    /// Looks at `guard`, where it `counts` as it stands, not its opposite.
    fn look(&mut self, guard: &'p Predicate, counts: bool) {
        match guard {
            Predicate::And(all) | Predicate::Or(all) => all.iter().for_each(|one| self.look(one, counts)),
            Predicate::Not(inner) => self.look(inner, !counts),
            Predicate::Field(field, operator) if counts && is_passable(field, operator) => self.fields.push(field),
            Predicate::Map(map, operator) => self.map(*map, operator, counts),
            Predicate::Field(..) | Predicate::Fact(..) | Predicate::Plan(_) => {}
        }
    }

    /// A map fails by the guards of the cases that make it hold, where its default does not.
    fn map(&mut self, id: MapId, operator: &'p Operator, counts: bool) {
        let Some(map) = self.policy.maps.get(id.0 as usize).filter(|_| self.maps.insert(id)) else { return };
        if may_satisfy(&map.default, operator) == counts {
            return;
        }
        for case in map.cases.iter().filter(|case| may_satisfy(&case.value, operator) == counts) {
            self.look(&case.guard, true);
        }
    }
}

/// Headers that no request has twice, whatever the rules.
const NEVER_REPEATED: [&str; 3] = ["host", "content-length", "transfer-encoding"];

/// Whether another line, argument or cookie, or another spelling, makes the operator fail.
fn is_passable(field: &Field, operator: &Operator) -> bool {
    match (field, operator) {
        (Field::Header(name), _) if NEVER_REPEATED.contains(&name.as_str()) => false,
        (Field::Query(_) | Field::Cookie(_), _) | (Field::Header(_), Operator::In(_) | Operator::Prefix(_)) => true,
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
