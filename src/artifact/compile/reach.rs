//! What the diagram knows of a list: statements that can never run, locations that can end without an answer.

use super::operations::Placed;
use super::tables::Builder;
use crate::artifact::format::operation;
use crate::diagnostic::Diagnostic;
use crate::diagram::{FALSE, NodeId, TRUE};
use crate::model::{LocationId, PlanSourceId};

/// Pairs of nodes that are compared to find out whether one statement can run: a guard of ten fields takes some ten.
const PAIRS_MAX: usize = 100_000;

impl Builder<'_> {
    /// Warns of the first statement of `list` that answers above it keep from ever running, and says for which
    /// requests the list answers; None where that takes too large a diagram.
    pub(super) fn warn_unreachable(&mut self, list: &[Placed]) -> Option<NodeId> {
        // Half of the diagram, so that no warning keeps a guard from being built.
        self.diagram.set_limit(self.limits.diagram_max / 2, self.limits.diagram_steps_max / 2);
        let answered = self.warn_within_limit(list);
        self.diagram.set_limit(self.limits.diagram_max, self.limits.diagram_steps_max);
        answered
    }

    fn warn_within_limit(&mut self, list: &[Placed]) -> Option<NodeId> {
        let mut answered = FALSE;
        let mut has_warned = false;
        for Placed { operation, span, may_be_skipped, .. } in list {
            let guard = NodeId(operation.guard);
            let never_runs = !has_warned && guard != FALSE && self.diagram.implies(guard, answered, PAIRS_MAX)?;
            if never_runs {
                let message = "this never runs: every request that could reach it has been answered above";
                let help = "settings stand before the answer they belong to; take this out, or move it up";
                self.warnings.push(Diagnostic::warning("unreachable-statement", *span, message).help(help));
                has_warned = true;
            }
            let answers =
                [operation::RESPOND, operation::REDIRECT, operation::CLOSE, operation::PROXY, operation::GOTO];
            if answers.contains(&operation.kind) && !may_be_skipped {
                answered = self.diagram.or(answered, guard).ok()?;
            }
        }
        Some(answered)
    }

    /// Notes `location`, which answers the requests of `answered`, where it may leave others without an answer.
    pub(super) fn note_unanswered(&mut self, location: LocationId, plans: Option<PlanSourceId>, answered: NodeId) {
        let answered = self.with_refused_callers(answered, plans).unwrap_or(answered);
        if answered != TRUE {
            self.note_open(location, plans, answered);
        }
    }

    /// `answered`, and the callers whom the first question for a plan refuses.
    fn with_refused_callers(&mut self, answered: NodeId, plans: Option<PlanSourceId>) -> Option<NodeId> {
        let source = plans.map_or(usize::MAX, |plans| plans.0 as usize);
        let Some(variable) = self.plan_variables.get(source).copied() else { return Some(answered) };
        if !self.diagram.asks_from(answered, variable) {
            return Some(answered);
        }
        let known = self.policy.plan_sources.get(source)?.plans.len();
        let children = core::iter::repeat_n(FALSE, known).chain([TRUE, TRUE, TRUE]);
        let refused = self.diagram.node(variable, children).ok()?;
        self.diagram.or(answered, refused).ok()
    }
}
