//! `guard-below-rewrite`: a guard asks for the path below a rewrite that may have changed it. Guards see the request as
//! it came, so the path asked for and the path sent on are two.
//!
//! Better: the guard above the rewrite; or `last`, and a location for the new path.

use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Field, Policy, Predicate, RewriteFlag, Statement, StatementKind};

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in &policy.services {
        block(policy, &service.statements, &mut None, &mut found);
    }
    for location in &policy.locations {
        block(policy, &location.statements, &mut None, &mut found);
    }
    found
}

fn block(policy: &Policy, statements: &[Statement], rewrite: &mut Option<Span>, found: &mut Vec<Diagnostic>) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Rewrite(own) if matches!(own.flag, RewriteFlag::Continue | RewriteFlag::Break) => {
                *rewrite = Some(statement.span);
            }
            StatementKind::When { guard, .. } if asks_path(policy, guard) => {
                if let Some(rewrite) = rewrite {
                    let message = "this asks for the path as it came, not as the rewrite above left it";
                    let help = "put it above the rewrite, or write `last` and a location for the new path";
                    let warning = Diagnostic::warning("guard-below-rewrite", statement.span, message);
                    found.push(warning.related(*rewrite, "may have changed the path").help(help));
                }
            }
            _ => {}
        }
        block(policy, statement.block().unwrap_or(&[]), rewrite, found);
    }
}

fn asks_path(policy: &Policy, guard: &Predicate) -> bool {
    policy.fields_asked(guard).contains(&Field::Path)
}
