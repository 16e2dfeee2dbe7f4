//! Every statement of a policy with what its lints need to know of where it stands.

use crate::model::{Field, Location, Operator, Policy, Predicate, Service, Setting, Statement, StatementKind};

/// Where a statement stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'p> {
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
        self.any_guard(&|guard| only_for(guard, methods))
    }

    /// Whether an enclosing block is for some hosts only.
    pub(super) fn is_only_for_some_hosts(&self) -> bool {
        self.any_guard(&for_some_hosts)
    }

    fn any_guard(&self, holds: &dyn Fn(&Predicate) -> bool) -> bool {
        let mut guards = &self.guards;
        while let Guards::Some(guard, outer) = guards {
            if holds(guard) {
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

fn only_for(guard: &Predicate, methods: &[&str]) -> bool {
    match guard {
        Predicate::Field(Field::Method, Operator::In(values)) => {
            values.iter().all(|value| methods.iter().any(|method| method.as_bytes() == value))
        }
        Predicate::And(all) => all.iter().any(|one| only_for(one, methods)),
        Predicate::Or(all) => all.iter().all(|one| only_for(one, methods)),
        _ => false,
    }
}

fn for_some_hosts(guard: &Predicate) -> bool {
    match guard {
        Predicate::Field(Field::Host, _) => true,
        Predicate::And(all) => all.iter().any(for_some_hosts),
        Predicate::Or(all) => all.iter().all(for_some_hosts),
        _ => false,
    }
}

/// Calls `visit` with every statement but blocks themselves.
pub(super) fn statements(policy: &Policy, visit: &mut impl FnMut(&Statement, &Context<'_>)) {
    for service in &policy.services {
        block(&service.statements, Context { service, location: None, guards: Guards::None }, visit);
    }
    for location in &policy.locations {
        let Some(service) = policy.services.get(location.service.0 as usize) else { continue };
        block(&location.statements, Context { service, location: Some(location), guards: Guards::None }, visit);
    }
}

fn block(statements: &[Statement], context: Context<'_>, visit: &mut impl FnMut(&Statement, &Context<'_>)) {
    for statement in statements {
        match &statement.kind {
            StatementKind::UnlessBreak(body) => block(body, context, visit),
            StatementKind::When { guard, body, .. } => {
                let guards = Guards::Some(guard, &context.guards);
                let inner = Context { service: context.service, location: context.location, guards };
                block(body, inner, visit);
            }
            _ => visit(statement, &context),
        }
    }
}
