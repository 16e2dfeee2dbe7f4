//! What guards ask that the request does not say: facts, and who calls.

use super::walk::{Halt, Walk};
use crate::model::{FactId, PlanId, Predicate};
use std::collections::BTreeSet;

/// A value for each fact that is asked for, and a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Opaque {
    pub(super) facts: Vec<(FactId, u16)>,
    pub(super) plan: Option<PlanId>,
}

impl Opaque {
    pub(super) fn has(&self, fact: FactId, values: &[u16]) -> bool {
        self.facts.iter().any(|(own, value)| *own == fact && values.contains(value))
    }

    /// The same with another value of `fact`.
    fn with(&self, fact: FactId, value: u16) -> Self {
        let changed = |(own, old): &(FactId, u16)| (*own, if *own == fact { value } else { *old });
        Self { facts: self.facts.iter().map(changed).collect(), plan: self.plan }
    }
}

impl Walk<'_> {
    /// Whether `guard` holds. Facts that are not known and on which that depends are needed, in their order; then the
    /// caller, who needs a plan. A plan that was asked for before is known.
    pub(super) fn holds(&self, guard: &Predicate) -> Result<bool, Halt> {
        let ways = self.ways(guard);
        let unknown = asked(guard).into_iter().filter(|fact| self.known(*fact).is_none());
        for fact in unknown {
            let depends = |way: &Opaque| {
                self.values(fact)
                    .into_iter()
                    .any(|value| self.by_plan(guard, way) != self.by_plan(guard, &way.with(fact, value)))
            };
            if ways.iter().any(depends) {
                return Err(Halt::NeedsFact(fact));
            }
        }
        let way = ways.into_iter().next().unwrap_or_default();
        let by_plan = self.by_plan(guard, &way);
        let without_plan = by_plan.first().copied().unwrap_or_default();
        if by_plan.iter().all(|truth| *truth == without_plan) {
            return Ok(without_plan);
        }
        Ok(self.truth(guard, &Opaque { plan: Some(self.plan()?), ..way }))
    }

    /// Whether `guard` holds without a plan, and with each; with the one that was asked for before.
    fn by_plan(&self, guard: &Predicate, way: &Opaque) -> Vec<bool> {
        if let Some(plan) = self.asked_plan.get() {
            return vec![self.truth(guard, &Opaque { plan: Some(plan), ..way.clone() })];
        }
        let plans = self.plan_source().map_or(0, |source| source.plans.len());
        let plans = (0..plans).filter_map(|plan| u16::try_from(plan).ok()).map(|plan| Some(PlanId(plan)));
        core::iter::once(None).chain(plans).map(|plan| self.truth(guard, &Opaque { plan, ..way.clone() })).collect()
    }

    /// All that the facts of `guard` can be.
    fn ways(&self, guard: &Predicate) -> Vec<Opaque> {
        asked(guard).into_iter().fold(vec![Opaque::default()], |ways, fact| {
            let values = self.known(fact).map_or_else(|| self.values(fact), |known| vec![known]);
            let with = |way: &Opaque, value: u16| {
                let mut way = way.clone();
                way.facts.push((fact, value));
                way
            };
            ways.iter().flat_map(|way| values.iter().map(|value| with(way, *value))).collect()
        })
    }

    fn known(&self, fact: FactId) -> Option<u16> {
        self.request.facts.get(fact.0 as usize).copied().flatten()
    }

    fn values(&self, fact: FactId) -> Vec<u16> {
        let count = self.policy.facts.get(fact.0 as usize).map_or(0, |fact| fact.values.len());
        (0..count).filter_map(|value| u16::try_from(value).ok()).collect()
    }
}

/// The facts that `guard` asks for.
fn asked(guard: &Predicate) -> BTreeSet<FactId> {
    match guard {
        Predicate::And(all) | Predicate::Or(all) => all.iter().flat_map(asked).collect(),
        Predicate::Not(inner) => asked(inner),
        Predicate::Fact(fact, _) => BTreeSet::from([*fact]),
        Predicate::Field(..) | Predicate::Map(..) | Predicate::Plan(_) => BTreeSet::new(),
    }
}
