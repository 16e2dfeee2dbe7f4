//! `unused-map`: no template and no guard uses a map. Often a name was misspelt, or a rule taken out and its map left.
//!
//! Better: take it out.

use crate::diagnostic::Diagnostic;
use crate::model::{MapId, Part, Policy, Statement, Template, Variable};
use std::collections::BTreeSet;

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut used: BTreeSet<MapId> = policy.maps_asked.iter().copied().collect();
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
        in_block(statement.block().unwrap_or(&[]), used);
    }
}

fn in_template(template: &Template, used: &mut BTreeSet<MapId>) {
    used.extend(template.parts.iter().filter_map(|part| match part {
        Part::Variable(Variable::Map(map)) => Some(*map),
        _ => None,
    }));
}
