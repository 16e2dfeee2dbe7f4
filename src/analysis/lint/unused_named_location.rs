//! `unused-named-location`: no `goto` and no `error_page` leads to a named location, and nothing else could.
//!
//! Better: take it out.

use crate::diagnostic::Diagnostic;
use crate::model::{Answer, Destination, ErrorPage, LocationId, Policy, Setting, Statement, StatementKind};
use std::collections::BTreeSet;

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut used = BTreeSet::new();
    policy.services.iter().for_each(|service| in_block(&service.statements, &mut used));
    policy.locations.iter().for_each(|location| in_block(&location.statements, &mut used));
    let mut found = Vec::new();
    for service in &policy.services {
        let mut names = BTreeSet::new();
        for id in &service.named {
            let Some(location) = policy.locations.get(id.0 as usize) else { continue };
            // Of the second of one name another lint speaks.
            if names.insert(&location.display) && !used.contains(id) {
                let message = format!("nothing leads to `{}`", location.display);
                found.push(Diagnostic::warning("unused-named-location", location.span, message).help("take it out"));
            }
        }
    }
    found
}

fn in_block(statements: &[Statement], used: &mut BTreeSet<LocationId>) {
    for statement in statements {
        if let StatementKind::Answer(Answer::Goto(Destination::Named(id)))
        | StatementKind::Setting(Setting::ErrorPage(ErrorPage { to: Destination::Named(id), .. })) = &statement.kind
        {
            used.insert(*id);
        }
        in_block(statement.block().unwrap_or(&[]), used);
    }
}
