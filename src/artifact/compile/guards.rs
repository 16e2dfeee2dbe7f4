//! Predicates to nodes of the diagram.

use super::tables::Builder;
use crate::diagram::{FALSE, NodeId, TRUE, TooLarge};
use crate::model::{MapId, Operator, PlanId, PlanSourceId, Predicate};

impl Builder<'_> {
    /// The node of `predicate` for callers of `plans`.
    pub(super) fn guard(&mut self, predicate: &Predicate, plans: Option<PlanSourceId>) -> Result<NodeId, TooLarge> {
        match predicate {
            Predicate::And(all) => {
                let mut guard = TRUE;
                for one in all {
                    let one = self.guard(one, plans)?;
                    guard = self.diagram.and(guard, one)?;
                }
                Ok(guard)
            }
            Predicate::Or(all) => {
                let mut guard = FALSE;
                for one in all {
                    let one = self.guard(one, plans)?;
                    guard = self.diagram.or(guard, one)?;
                }
                Ok(guard)
            }
            Predicate::Not(one) => {
                let one = self.guard(one, plans)?;
                self.diagram.not(one)
            }
            Predicate::Field(field, operator) => {
                let Some(answer) = self.fields.answer(field, operator) else { return Ok(self.lost()) };
                self.diagram.node_of_classes(answer.variable, answer.count, &answer.classes)
            }
            Predicate::Map(map, operator) => Ok(self.map_guard(*map, operator)),
            Predicate::Fact(fact, values) => self.fact_guard(*fact, values),
            Predicate::Plan(wanted) => self.plan_guard(wanted, plans),
        }
    }

    /// The node that was made when the rows of `map` were.
    fn map_guard(&mut self, map: MapId, operator: &Operator) -> NodeId {
        let question = self.fields.map_question(map, operator);
        let answers = self.map_answers.get(map.0 as usize);
        match question.and_then(|question| answers?.get(question).copied()) {
            Some(node) => node,
            None => self.lost(),
        }
    }

    fn plan_guard(&mut self, wanted: &[PlanId], plans: Option<PlanSourceId>) -> Result<NodeId, TooLarge> {
        let source = plans.map_or(usize::MAX, |plans| plans.0 as usize);
        let (Some(source), Some(variable)) =
            (self.policy.plan_sources.get(source), self.plan_variables.get(source).copied())
        else {
            return Ok(self.lost());
        };
        let known = (0u16..).take(source.plans.len()).map(|plan| leaf(wanted.contains(&PlanId(plan))));
        self.diagram.node(variable, known.chain([FALSE, FALSE, FALSE]))
    }
}

fn leaf(holds: bool) -> NodeId {
    if holds { TRUE } else { FALSE }
}
