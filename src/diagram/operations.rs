//! And, or, not; and whether one guard implies another.

use super::runs::{joined, side_by_side};
use super::{ClassRun, Diagram, FALSE, NodeId, TRUE, TooLarge};
use std::collections::HashSet;
use std::sync::Arc;

/// What was computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    And,
    Or,
    /// Of a guard with itself.
    Not,
}

impl Diagram {
    /// Both hold. Costs at most the product of the two sizes.
    ///
    /// # Errors
    /// If the diagram would grow beyond its limit.
    pub fn and(&mut self, a: NodeId, b: NodeId) -> Result<NodeId, TooLarge> {
        self.combined(Operation::And, a, b)
    }

    /// One of them holds. Costs at most the product of the two sizes.
    ///
    /// # Errors
    /// If the diagram would grow beyond its limit.
    pub fn or(&mut self, a: NodeId, b: NodeId) -> Result<NodeId, TooLarge> {
        self.combined(Operation::Or, a, b)
    }

    /// It does not hold.
    ///
    /// # Errors
    /// If the diagram would grow beyond its limit.
    pub fn not(&mut self, a: NodeId) -> Result<NodeId, TooLarge> {
        let Some(node) = self.get(a) else {
            return Ok(if a == FALSE { TRUE } else { FALSE });
        };
        let key = (Operation::Not, a, a);
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let (variable, runs) = (node.variable, Arc::clone(&node.runs));
        let mut opposite = Vec::with_capacity(runs.len());
        for run in runs.iter() {
            opposite.push(ClassRun { child: self.not(run.child)?, ..*run });
        }
        let opposite = self.node_of_runs(variable, opposite)?;
        self.note(key, opposite, runs.len())?;
        self.note((Operation::Not, opposite, opposite), a, 0)?;
        Ok(opposite)
    }

    /// Whether `b` holds wherever `a` does; None where more than `pairs_max` pairs of nodes would have to be compared.
    /// It makes no node.
    pub fn implies(&self, a: NodeId, b: NodeId, pairs_max: usize) -> Option<bool> {
        self.implies_anew(a, b, pairs_max, &mut HashSet::new())
    }

    /// `known` are pairs of which it was found to be so.
    fn implies_anew(
        &self,
        a: NodeId,
        b: NodeId,
        pairs_max: usize,
        known: &mut HashSet<(NodeId, NodeId)>,
    ) -> Option<bool> {
        if a == FALSE || b == TRUE || a == b || known.contains(&(a, b)) {
            return Some(true);
        }
        if a == TRUE && b == FALSE {
            return Some(false);
        }
        let variable = self.variable(a).min(self.variable(b));
        let (one, other) = (self.runs_at(variable, a), self.runs_at(variable, b));
        for (_, a, b) in side_by_side(&one, &other) {
            if !self.implies_anew(a, b, pairs_max, known)? {
                return Some(false);
            }
        }
        known.insert((a, b));
        (known.len() <= pairs_max).then_some(true)
    }

    fn combined(&mut self, operation: Operation, a: NodeId, b: NodeId) -> Result<NodeId, TooLarge> {
        // What decides alone, and what decides nothing.
        let (strong, weak) = if operation == Operation::And { (FALSE, TRUE) } else { (TRUE, FALSE) };
        if a == strong || b == strong {
            return Ok(strong);
        }
        if a == weak || a == b {
            return Ok(b);
        }
        if b == weak {
            return Ok(a);
        }
        let key = if a < b { (operation, a, b) } else { (operation, b, a) };
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let variable = self.variable(a).min(self.variable(b));
        let (one, other) = (self.runs_at(variable, a), self.runs_at(variable, b));
        let mut runs = Vec::with_capacity(one.len().max(other.len()));
        for (first, a, b) in side_by_side(&one, &other) {
            runs.push(ClassRun { first, child: self.combined(operation, a, b)? });
        }
        let steps = runs.len();
        let both = self.node_of_runs(variable, joined(runs))?;
        self.note(key, both, steps)?;
        Ok(both)
    }

    /// The children of `guard` by class of `variable`; one that does not ask for it is its own child.
    fn runs_at(&self, variable: u32, guard: NodeId) -> Arc<[ClassRun]> {
        match self.get(guard) {
            Some(node) if node.variable == variable => Arc::clone(&node.runs),
            _ => Arc::new([ClassRun { first: 0, child: guard }]),
        }
    }
}
