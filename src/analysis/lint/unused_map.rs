//! `unused-map`: no template and no guard uses a map. Often a name was misspelt, or a rule taken out and its map left.
//!
//! Better: take it out.

use crate::diagnostic::Diagnostic;
use crate::model::{MapId, Part, Policy, Predicate, Statement, StatementKind, Template, Variable};
use std::collections::BTreeSet;

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut used = BTreeSet::new();
    policy.maps.iter().flat_map(|map| &map.cases).for_each(|case| in_guard(&case.guard, &mut used));
    policy.services.iter().for_each(|service| in_block(&service.statements, &mut used));
    policy.locations.iter().for_each(|location| in_block(&location.statements, &mut used));
    policy.balance_keys.iter().flatten().for_each(|key| in_template(key, &mut used));
    let unused = (0u32..).zip(&policy.maps).filter(|(index, _)| !used.contains(&MapId(*index)));
    let warn = |map: &crate::model::Map| {
        let message = format!("nothing uses `${}`", map.name);
        Diagnostic::warning("unused-map", map.span, message).help("take it out")
    };
    unused.map(|(_, map)| warn(map)).collect()
}

fn in_block(statements: &[Statement], used: &mut BTreeSet<MapId>) {
    for statement in statements {
        statement.templates().into_iter().for_each(|template| in_template(template, used));
        if let StatementKind::When { guard, .. } = &statement.kind {
            in_guard(guard, used);
        }
        in_block(statement.block().unwrap_or(&[]), used);
    }
}

fn in_guard(guard: &Predicate, used: &mut BTreeSet<MapId>) {
    guard.questions(&mut |question| {
        if let Predicate::Map(map, _) = question {
            used.insert(*map);
        }
    });
}

fn in_template(template: &Template, used: &mut BTreeSet<MapId>) {
    used.extend(template.parts.iter().filter_map(|part| match part {
        Part::Variable(Variable::Map(map)) => Some(*map),
        _ => None,
    }));
}
