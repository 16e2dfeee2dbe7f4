//! Conditions on what follows a position, as formulas.

use super::constraint::Constraint;
use super::program::{Instruction, Program};
use crate::diagram::{Diagram, FALSE, NodeId, TRUE, TooLarge};

/// Formulas over what may follow: each variable is true of some texts that go on to the end of the field. Equal
/// formulas are one, so that states made of them can be compared.
#[derive(Debug)]
pub(super) struct Conditions {
    diagram: Diagram,
}

/// A variable of a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Following {
    /// What follows keeps this constraint: `End`, `FinalNewline` or `Word`.
    Kept(Constraint),
    /// The look-ahead that this instruction belongs to matches what follows, going on here.
    Matches(u32),
}

const CONSTRAINTS: [Constraint; 3] = [Constraint::End, Constraint::FinalNewline, Constraint::Word];

impl Following {
    fn number(self) -> u32 {
        match self {
            Self::Kept(Constraint::FinalNewline) => 1,
            Self::Kept(Constraint::Word) => 2,
            Self::Kept(_) => 0,
            Self::Matches(place) => place + 3,
        }
    }

    fn of(number: u32) -> Self {
        match CONSTRAINTS.get(number as usize) {
            Some(constraint) => Self::Kept(*constraint),
            None => Self::Matches(number - 3),
        }
    }
}

impl Conditions {
    pub(super) fn new(nodes_max: usize) -> Self {
        Self { diagram: Diagram::new(nodes_max, u64::MAX) }
    }

    pub(super) fn that(&mut self, following: Following) -> Result<NodeId, TooLarge> {
        self.diagram.node(following.number(), [FALSE, TRUE])
    }

    /// What follows keeps `constraint`.
    pub(super) fn kept(&mut self, constraint: Constraint) -> Result<NodeId, TooLarge> {
        match constraint {
            Constraint::None => Ok(TRUE),
            Constraint::NotWord => {
                let word = self.kept(Constraint::Word)?;
                self.not(word)
            }
            _ => self.that(Following::Kept(constraint)),
        }
    }

    pub(super) fn and(&mut self, a: NodeId, b: NodeId) -> Result<NodeId, TooLarge> {
        self.diagram.and(a, b)
    }

    pub(super) fn or(&mut self, a: NodeId, b: NodeId) -> Result<NodeId, TooLarge> {
        if a == FALSE || b == TRUE {
            return Ok(b);
        }
        if b == FALSE || a == TRUE {
            return Ok(a);
        }
        self.diagram.or(a, b)
    }

    pub(super) fn not(&mut self, a: NodeId) -> Result<NodeId, TooLarge> {
        self.diagram.not(a)
    }

    /// Whether `a` tells nothing that `b` does not.
    pub(super) fn implies(&mut self, a: NodeId, b: NodeId) -> Result<bool, TooLarge> {
        let not_b = self.not(b)?;
        Ok(self.and(a, not_b)? == FALSE)
    }

    /// The variable that `condition` asks first, and what it is where that is false and where it is true.
    pub(super) fn cases(&self, condition: NodeId) -> Option<(Following, NodeId, NodeId)> {
        let node = self.diagram.nodes().get((condition.0 as usize).checked_sub(2)?)?;
        Some((Following::of(node.variable), node.child(0), node.child(1)))
    }

    /// Whether `condition` holds if nothing follows.
    pub(super) fn holds_at_end(&self, condition: NodeId) -> bool {
        let mut condition = condition;
        while let Some((following, otherwise, then)) = self.cases(condition) {
            condition = if following == Following::Kept(Constraint::End) { then } else { otherwise };
        }
        condition == TRUE
    }
}

/// The instruction that `program` goes on at, if the one at `place` reads `byte`.
pub(super) fn after(program: &Program, place: u32, byte: u8) -> Option<u32> {
    let Instruction::Bytes(ranges) = program.at(place) else { return None };
    ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&byte)).map(|(_, _, next)| *next)
}
