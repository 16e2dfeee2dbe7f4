//! Kong's atc-router: expressions with priorities, tried one after the other.

use super::regex_set::spelled;
use super::{Engine, NOTHING};
use crate::families::policy::{Kind, Policy};
use crate::measure::Timed;
use atc_router::ast::{Type, Value};
use atc_router::context::Context;
use atc_router::router::Router;
use atc_router::schema::Schema;
use uuid::Uuid;

struct Atc {
    router: Router<'static>,
    context: Context<'static>,
}

/// Priorities say what nginx's order says as long as no prefix stops regexes that a longer one lets through: they do
/// not overlap here. Nested levels they cannot say.
pub(super) fn make(policy: &Policy) -> Option<Box<dyn Timed>> {
    // The router borrows its schema, and lives as long as the measurement: a few octets are left behind.
    let schema: &'static mut Schema = Box::leak(Box::default());
    schema.add_field(FIELD, Type::String);
    let schema: &'static Schema = schema;
    let mut router = Router::new(schema);
    let count = policy.locations.len();
    for (index, location) in policy.locations.iter().enumerate() {
        if location.parent.is_some() {
            return None;
        }
        let (operator, text, priority) = match location.kind {
            Kind::Exact => ("==", location.pattern.clone(), 3 * PRIORITIES),
            Kind::StopPrefix => ("^=", location.pattern.clone(), 2 * PRIORITIES + location.pattern.len()),
            Kind::Regex | Kind::CaselessRegex => ("~", spelled(location), PRIORITIES + count - index),
            Kind::Prefix => ("^=", location.pattern.clone(), location.pattern.len()),
        };
        let id = Uuid::from_u128(index as u128);
        router.add_matcher(priority, id, &format!("{FIELD} {operator} r#\"{text}\"#")).expect("an expression");
    }
    Some(Box::new(Atc { router, context: Context::new(schema) }))
}

const FIELD: &str = "http.path";

/// More than there are locations.
const PRIORITIES: usize = 1 << 24;

impl Engine for Atc {
    fn find(&mut self, path: &str) -> u32 {
        self.context.reset();
        self.context.add_value(FIELD, Value::String(path.to_owned()));
        if !self.router.execute(&mut self.context) {
            return NOTHING;
        }
        self.context.result.as_ref().map_or(NOTHING, |found| u32::try_from(found.uuid.as_u128()).unwrap_or(NOTHING))
    }
}
