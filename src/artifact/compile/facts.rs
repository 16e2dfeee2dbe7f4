//! Facts to variables. They stand behind all fields, so that a guard is decided without them where it can be.

use super::tables::{Builder, index};
use crate::artifact::format::{NONE, Variable, field};
use crate::diagram::{FALSE, NodeId, TRUE, TooLarge};
use crate::model::FactId;

impl Builder<'_> {
    pub(super) fn facts(&mut self) {
        for (number, fact) in (0u32..).zip(&self.policy.facts) {
            let classes = index(fact.values.len());
            let variable = self.fields.add_variable(classes);
            self.variables.push(&Variable {
                field: field::FACT,
                name: NONE,
                automaton: number,
                classes,
                ..Variable::default()
            });
            self.fact_variables.push(variable);
        }
    }

    /// The first variable that is no field of the request.
    pub(super) fn first_opaque(&self) -> u32 {
        self.fact_variables.iter().chain(&self.plan_variables).copied().next().unwrap_or(u32::MAX)
    }

    /// The node that holds where the fact has one of `values`.
    pub(super) fn fact_guard(&mut self, fact: FactId, values: &[u16]) -> Result<NodeId, TooLarge> {
        let number = fact.0 as usize;
        let (Some(fact), Some(variable)) = (self.policy.facts.get(number), self.fact_variables.get(number).copied())
        else {
            return Ok(self.lost());
        };
        let leaf = |value: u16| if values.contains(&value) { TRUE } else { FALSE };
        self.diagram.node(variable, (0u16..).take(fact.values.len()).map(leaf))
    }
}
