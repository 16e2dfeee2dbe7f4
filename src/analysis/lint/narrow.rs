//! Whether a guard lets only requests through that satisfy one of some questions, also where it asks a map.

use crate::model::semantics::{Simulation, satisfies};
use crate::model::{Field, MapAnswer, MapId, MapValue, Operator, Policy, Predicate};
use core::ptr;
use std::collections::HashMap;

/// Guards against one set of questions.
pub(super) struct Narrowing<'p> {
    policy: &'p Policy,
    /// Whether a question is one of the set.
    narrows: &'p dyn Fn(&Field, &Operator) -> bool,
    /// By map and place of the operator: whether it narrows. Maps that ask maps are looked at once, not once a way.
    known: HashMap<(MapId, *const Operator), bool>,
}

impl<'p> Narrowing<'p> {
    pub(super) fn new(policy: &'p Policy, narrows: &'p dyn Fn(&Field, &Operator) -> bool) -> Self {
        Self { policy, narrows, known: HashMap::new() }
    }

    /// Whether `guard` narrows. What is not seen at once, such as `not`, does not.
    pub(super) fn has(&mut self, guard: &Predicate) -> bool {
        match guard {
            Predicate::Field(field, operator) => (self.narrows)(field, operator),
            Predicate::And(all) => all.iter().any(|one| self.has(one)),
            Predicate::Or(all) => all.iter().all(|one| self.has(one)),
            Predicate::Map(map, operator) => self.map(*map, operator),
            Predicate::Not(_) | Predicate::Fact(..) | Predicate::Plan(_) => false,
        }
    }

    /// A map does where every case whose value may satisfy `operator` does.
    fn map(&mut self, id: MapId, operator: &Operator) -> bool {
        let key = (id, ptr::from_ref(operator));
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let policy = self.policy;
        let has = policy.maps.get(id.0 as usize).is_some_and(|map| {
            !may_satisfy(&map.default, operator)
                && map.cases.iter().all(|case| !may_satisfy(&case.value, operator) || self.has(&case.guard))
        });
        self.known.insert(key, has);
        has
    }
}

/// Whether `value` satisfies `operator` for some request.
pub(super) fn may_satisfy(value: &MapValue, operator: &Operator) -> bool {
    match value.answer(operator) {
        Some(MapAnswer::Always(holds)) => holds,
        Some(MapAnswer::Text(text)) => satisfies(&Simulation::default(), text, operator),
        Some(MapAnswer::Field(_)) | None => true,
    }
}
