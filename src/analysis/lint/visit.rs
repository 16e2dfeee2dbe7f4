//! Every statement of a policy with what its lints need to know of where it stands.

use super::narrow::Narrowing;
use crate::model::{Field, Location, Operator, Policy, Predicate, Service, Setting, Statement, StatementKind};

/// Where a statement stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'p> {
    policy: &'p Policy,
    pub(super) service: &'p Service,
    /// None: in the service itself.
    pub(super) location: Option<&'p Location>,
    guards: Guards<'p>,
}

/// The predicates of the enclosing blocks, innermost first.
#[derive(Clone, Copy, Debug)]
enum Guards<'p> {
    None,
    Some(&'p Predicate, &'p Self),
}

impl Context<'_> {
    /// Whether an enclosing block is for some of these methods only.
    pub(super) fn is_only_for(&self, methods: &[&str]) -> bool {
        self.any_guard(&|field, operator| is_of(field, operator, methods))
    }

    /// Whether an enclosing block is for some hosts only.
    pub(super) fn is_only_for_some_hosts(&self) -> bool {
        self.any_guard(&|field, _| *field == Field::Host)
    }

    fn any_guard(&self, narrows: &dyn Fn(&Field, &Operator) -> bool) -> bool {
        let mut narrowing = Narrowing::new(self.policy, narrows);
        let mut guards = &self.guards;
        while let Guards::Some(guard, outer) = guards {
            if narrowing.has(guard) {
                return true;
            }
            guards = outer;
        }
        false
    }

    /// Whether the location, one around it or the service says `methods`, and only some of these.
    pub(super) fn allows_only(&self, policy: &Policy, methods: &[&str]) -> bool {
        let mut location = self.location;
        while let Some(here) = location {
            if let Some(said) = said_methods(&here.statements) {
                return said.iter().all(|method| methods.contains(&method.as_str()));
            }
            location = here.parent.and_then(|parent| policy.locations.get(parent.0 as usize));
        }
        let of_service = said_methods(&self.service.statements);
        self.location.is_some()
            && of_service.is_some_and(|said| said.iter().all(|method| methods.contains(&method.as_str())))
    }
}

/// The last unguarded `methods`.
fn said_methods(statements: &[Statement]) -> Option<&[String]> {
    statements.iter().rev().find_map(|statement| match &statement.kind {
        StatementKind::Setting(Setting::Methods(methods)) => Some(methods.as_slice()),
        _ => None,
    })
}

fn is_of(field: &Field, operator: &Operator, methods: &[&str]) -> bool {
    let is_one = |value: &Vec<u8>| methods.iter().any(|method| method.as_bytes() == value);
    *field == Field::Method && matches!(operator, Operator::In(values) if values.iter().all(is_one))
}

/// Calls `visit` with every statement but blocks themselves.
pub(super) fn statements(policy: &Policy, visit: &mut impl FnMut(&Statement, &Context<'_>)) {
    for service in &policy.services {
        block(&service.statements, Context { policy, service, location: None, guards: Guards::None }, visit);
    }
    for location in &policy.locations {
        let Some(service) = policy.services.get(location.service.0 as usize) else { continue };
        block(&location.statements, Context { policy, service, location: Some(location), guards: Guards::None }, visit);
    }
}

fn block(statements: &[Statement], context: Context<'_>, visit: &mut impl FnMut(&Statement, &Context<'_>)) {
    for statement in statements {
        match &statement.kind {
            StatementKind::UnlessBreak(body) => block(body, context, visit),
            StatementKind::When { guard, body, .. } => {
                let guards = Guards::Some(guard, &context.guards);
                let inner = Context { guards, ..context };
                block(body, inner, visit);
            }
            _ => visit(statement, &context),
        }
    }
}
