//! `unserved-plan`: a plan is sold, and no rule of the services that sell it names it.
//!
//! Better: give it a `plan NAME { ... }`, or say `plan any`.

use crate::diagnostic::Diagnostic;
use crate::model::{PlanId, PlanSourceId, Policy, Predicate, Service, Statement, StatementKind};
use std::collections::BTreeSet;

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for ((number, source), span) in (0..).zip(&policy.plan_sources).zip(&policy.plan_source_spans) {
        let users: Vec<&Service> = policy.services.iter().filter(|s| s.plans == Some(PlanSourceId(number))).collect();
        let mut named = BTreeSet::new();
        for service in &users {
            in_statements(&service.statements, &mut named);
        }
        let of_users =
            |service: u32| policy.services.get(service as usize).is_some_and(|s| s.plans == Some(PlanSourceId(number)));
        for location in policy.locations.iter().filter(|location| of_users(location.service.0)) {
            in_statements(&location.statements, &mut named);
        }
        for (plan, name) in (0u16..).map(PlanId).zip(&source.plans) {
            if !named.contains(&plan) {
                let message = format!("no rule names plan `{name}` of `{}`", source.name);
                let help =
                    format!("write `plan {name} {{ ... }}` where its callers are served, or take it out of the list");
                found.push(Diagnostic::warning("unserved-plan", *span, message).help(help));
            }
        }
    }
    found
}

fn in_statements(statements: &[Statement], named: &mut BTreeSet<PlanId>) {
    for statement in statements {
        if let StatementKind::When { guard, .. } = &statement.kind {
            in_predicate(guard, named);
        }
        in_statements(statement.block().unwrap_or(&[]), named);
    }
}

fn in_predicate(predicate: &Predicate, named: &mut BTreeSet<PlanId>) {
    predicate.questions(&mut |question| {
        if let Predicate::Plan(plans) = question {
            named.extend(plans);
        }
    });
}
