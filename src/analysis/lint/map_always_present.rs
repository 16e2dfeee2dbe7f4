//! `map-always-present`: a guard asks whether the text of a map is present. It always is: what a map reads that is not
//! there is an empty text.
//!
//! Better: `not $NAME = ""`, or ask the request itself.

use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Operator, Policy, Predicate, Statement, StatementKind};

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for map in &policy.maps {
        map.cases.iter().for_each(|case| in_guard(policy, &case.guard, map.span, &mut found));
    }
    policy.services.iter().for_each(|service| in_block(policy, &service.statements, &mut found));
    policy.locations.iter().for_each(|location| in_block(policy, &location.statements, &mut found));
    found
}

fn in_block(policy: &Policy, statements: &[Statement], found: &mut Vec<Diagnostic>) {
    for statement in statements {
        if let StatementKind::When { guard, .. } = &statement.kind {
            in_guard(policy, guard, statement.span, found);
        }
        in_block(policy, statement.block().unwrap_or(&[]), found);
    }
}

fn in_guard(policy: &Policy, guard: &Predicate, span: Span, found: &mut Vec<Diagnostic>) {
    guard.questions(&mut |question| {
        let Predicate::Map(id, Operator::Present) = question else { return };
        let name = policy.maps.get(id.0 as usize).map_or("", |map| map.name.as_str());
        let message = format!("`${name}` is always present: where it reads nothing it is an empty text");
        let help = format!("write `not ${name} = \"\"`");
        found.push(Diagnostic::warning("map-always-present", span, message).help(help));
    });
}
