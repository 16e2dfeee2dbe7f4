//! A pattern with look-around as a program without.
//!
//! Read from the left, a look-behind is a run beside the pattern's own: where it matches is known when the position is
//! reached. A look-ahead is a debt: whoever went past it goes on under a condition, a formula over what its automaton
//! has still to find. Each byte turns a formula into the one that must hold behind it, and the end settles them all.
//! So a state is, for the pattern and every look-behind, its places and the condition of each.

use super::byte_classes::{ByteClasses, is_word};
use super::conditions::{Conditions, Following, after};
use super::constraint::Constraint;
use super::limits::Limits;
use super::minimise::{Table, smallest};
use super::program::{Instruction, Program, TooLarge};
use super::threads::{Behind, demands};
use crate::diagram::{self, FALSE, NodeId, TRUE};
use std::collections::{BTreeMap, HashMap};

/// The same language without look-around, as a program that is deterministic and small. Takes its steps from `steps`.
///
/// # Errors
/// If the automaton is larger than that of one language may be.
pub(super) fn without_look_around(program: &Program, limits: &Limits, steps: &mut u64) -> Result<Program, TooLarge> {
    let main = program.looks.first().map_or(0, |look| look.from) as usize;
    if program.instructions.len() - main.min(program.instructions.len()) > limits.look_instructions_max {
        return Err(TooLarge);
    }
    let classes = ByteClasses::new(&[program]);
    let mut machine = Machine { program, conditions: Conditions::new(limits.diagram_max), steps };
    let mut states = States::default();
    states.number(machine.advance(&State::default(), None)?);
    let mut table = Table { classes: classes.clone(), transitions: Vec::new(), accepts: Vec::new() };
    let mut done = 0;
    while let Some(state) = states.list.get(done).cloned() {
        table.accepts.push(machine.conditions.holds_at_end(state.matched));
        for byte in &classes.representatives {
            let next = machine.advance(&state, Some(*byte))?;
            table.transitions.push(states.number(next));
        }
        done += 1;
        if states.list.len() > limits.states_of_one_max {
            return Err(TooLarge);
        }
    }
    smallest(&table, steps)
}

impl From<diagram::TooLarge> for TooLarge {
    fn from(_: diagram::TooLarge) -> Self {
        Self
    }
}

/// What is known at a position.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    /// Of each look-behind, then of the pattern: places that read a byte, ascending, each with its condition.
    runs: Vec<Vec<(u32, NodeId)>>,
    /// Under which condition the pattern has matched.
    matched: NodeId,
}

impl Default for State {
    fn default() -> Self {
        Self { runs: Vec::new(), matched: FALSE }
    }
}

#[derive(Default)]
struct States {
    ids: HashMap<State, u32>,
    list: Vec<State>,
}

impl States {
    fn number(&mut self, state: State) -> u32 {
        let fresh = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        *self.ids.entry(state).or_insert_with_key(|state| {
            self.list.push(state.clone());
            fresh
        })
    }
}

struct Machine<'a> {
    program: &'a Program,
    conditions: Conditions,
    steps: &'a mut u64,
}

/// A position that has just been reached.
struct Here {
    /// The byte before it.
    byte: Option<u8>,
    /// By look-around, as far as they are known: the condition under which it holds here.
    looks: Vec<NodeId>,
    /// By place of a look-ahead: the condition under which it matches from here.
    places: HashMap<u32, NodeId>,
    /// By condition on what followed the byte: the condition here.
    conditions: HashMap<NodeId, NodeId>,
}

impl Machine<'_> {
    /// The state behind `byte`; without one, the first state.
    fn advance(&mut self, state: &State, byte: Option<u8>) -> Result<State, TooLarge> {
        let mut here = Here { byte, looks: Vec::new(), places: HashMap::new(), conditions: HashMap::new() };
        let mut runs = Vec::new();
        // Each of them asks only those before it.
        for look in &self.program.looks {
            let mut holds = if look.ahead {
                self.going_on(look.start, &here)?
            } else {
                let (run, matched) = self.run(state.runs.get(runs.len()), Some(look.start), &mut here)?;
                runs.push(run);
                matched
            };
            if look.negative {
                holds = self.conditions.not(holds)?;
            }
            here.looks.push(holds);
        }
        let start = (byte.is_none() || !self.program.anchored).then_some(self.program.start);
        let (mut run, matched) = self.run(state.runs.get(runs.len()), start, &mut here)?;
        let before = self.behind(state.matched, &mut here)?;
        let matched = self.conditions.or(before, matched)?;
        let mut useful = Vec::new();
        for (place, condition) in run.drain(..) {
            if !self.conditions.implies(condition, matched)? {
                useful.push((place, condition));
            }
        }
        // Nothing that follows can change the answer.
        let is_settled = matched == TRUE || matched == FALSE && useful.is_empty() && self.program.anchored;
        if is_settled {
            return Ok(State { runs: Vec::new(), matched });
        }
        runs.push(useful);
        Ok(State { runs, matched })
    }

    /// Where the places of `run` lead, and `start`; and the condition under which it has matched here.
    fn run(
        &mut self,
        run: Option<&Vec<(u32, NodeId)>>,
        start: Option<u32>,
        here: &mut Here,
    ) -> Result<(Vec<(u32, NodeId)>, NodeId), TooLarge> {
        let mut reached: Vec<(u32, NodeId)> = start.map(|start| (start, TRUE)).into_iter().collect();
        for (place, condition) in run.into_iter().flatten() {
            let next = here.byte.and_then(|byte| after(self.program, *place, byte));
            if let Some(next) = next {
                reached.push((next, self.behind(*condition, here)?));
            }
        }
        let mut matched = FALSE;
        let mut places = Vec::new();
        for (place, condition) in self.spread(reached, here)? {
            match self.program.at(place) {
                Instruction::Match => matched = self.conditions.or(matched, condition)?,
                _ => places.push((place, condition)),
            }
        }
        Ok((places, matched))
    }

    /// The condition under which the look-ahead of `place` matches, going on there.
    fn going_on(&mut self, place: u32, here: &Here) -> Result<NodeId, TooLarge> {
        let mut any = FALSE;
        for (place, mut condition) in self.spread(vec![(place, TRUE)], here)? {
            if *self.program.at(place) != Instruction::Match {
                let matches = self.conditions.that(Following::Matches(place))?;
                condition = self.conditions.and(condition, matches)?;
            }
            any = self.conditions.or(any, condition)?;
        }
        Ok(any)
    }

    /// The places, `reached` under conditions, that read a byte or match.
    fn spread(&mut self, reached: Vec<(u32, NodeId)>, here: &Here) -> Result<BTreeMap<u32, NodeId>, TooLarge> {
        let mut all: HashMap<u32, NodeId> = HashMap::new();
        let mut waiting = reached;
        while let Some((place, condition)) = waiting.pop() {
            *self.steps = self.steps.checked_sub(1).ok_or(TooLarge)?;
            let before = all.get(&place).copied().unwrap_or(FALSE);
            let now = self.conditions.or(before, condition)?;
            if now == before {
                continue;
            }
            all.insert(place, now);
            match self.program.at(place) {
                Instruction::Bytes(_) | Instruction::Match => {}
                Instruction::Split(ways) => waiting.extend(ways.iter().map(|way| (*way, condition))),
                Instruction::Save { next, .. } => waiting.push((*next, condition)),
                Instruction::Look { look, next } => {
                    let behind = here.byte.map_or(Behind::Nothing, Behind::byte);
                    for demand in demands(*look, behind) {
                        let kept = self.conditions.kept(*demand)?;
                        waiting.push((*next, self.conditions.and(condition, kept)?));
                    }
                }
                Instruction::Around { look, next } => {
                    let holds = here.looks.get(*look as usize).copied().unwrap_or(FALSE);
                    waiting.push((*next, self.conditions.and(condition, holds)?));
                }
            }
        }
        all.retain(|place, _| matches!(self.program.at(*place), Instruction::Bytes(_) | Instruction::Match));
        Ok(all.into_iter().collect())
    }

    /// What `condition`, made before the byte was read, demands behind it.
    fn behind(&mut self, condition: NodeId, here: &mut Here) -> Result<NodeId, TooLarge> {
        let Some((following, otherwise, then)) = self.conditions.cases(condition) else { return Ok(condition) };
        if let Some(known) = here.conditions.get(&condition) {
            return Ok(*known);
        }
        *self.steps = self.steps.checked_sub(1).ok_or(TooLarge)?;
        let holds = self.following(following, here)?;
        let (otherwise, then) = (self.behind(otherwise, here)?, self.behind(then, here)?);
        let then = self.conditions.and(holds, then)?;
        let fails = self.conditions.not(holds)?;
        let otherwise = self.conditions.and(fails, otherwise)?;
        let either = self.conditions.or(then, otherwise)?;
        here.conditions.insert(condition, either);
        Ok(either)
    }

    fn following(&mut self, following: Following, here: &mut Here) -> Result<NodeId, TooLarge> {
        let Some(byte) = here.byte else { return Ok(FALSE) };
        match following {
            Following::Kept(Constraint::Word) => Ok(if is_word(byte) { TRUE } else { FALSE }),
            Following::Kept(constraint) => match constraint.after(byte) {
                Some(kept) => Ok(self.conditions.kept(kept)?),
                None => Ok(FALSE),
            },
            Following::Matches(place) => {
                if let Some(known) = here.places.get(&place) {
                    return Ok(*known);
                }
                let next = after(self.program, place, byte);
                let holds = next.map_or(Ok(FALSE), |next| self.going_on(next, here))?;
                here.places.insert(place, holds);
                Ok(holds)
            }
        }
    }
}
