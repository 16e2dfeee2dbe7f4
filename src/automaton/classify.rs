//! A set of languages as few automata, none beyond its budget.

use super::determinise::{Dfa, determinise};
use super::limits::{Cost, Limits, Refused};
use super::look_around::without_look_around;
use super::program::Program;
use std::borrow::Cow;

/// One automaton of a set of languages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classifier {
    /// Indices of the languages it decides, ascending. The automaton's own indices count within this list.
    pub languages: Vec<u32>,
    /// The automaton.
    pub dfa: Dfa,
}

/// Decides `programs` by as few automata as the limits allow.
///
/// Languages that probably fit into one automaton are tried together; where they do not, anchored ones are kept apart
/// from others, because they multiply each other's states, and then sets are halved until they fit. Takes its steps
/// from `steps`.
///
/// # Errors
/// A language that is too large for an automaton of its own.
pub fn classify(programs: &[Program], limits: &Limits, steps: &mut u64) -> Result<Vec<Classifier>, Refused> {
    let plain: Vec<Cow<'_, Program>> =
        (0..).zip(programs).map(|(index, program)| plain(index, program, limits, steps)).collect::<Result<_, _>>()?;
    let programs: Vec<&Program> = plain.iter().map(AsRef::as_ref).collect();
    let mut done = Vec::new();
    let mut waiting = groups(&programs, limits.states_max);
    waiting.reverse();
    while let Some(languages) = waiting.pop() {
        let members: Vec<&Program> =
            languages.iter().filter_map(|index| programs.get(*index as usize).copied()).collect();
        let states_max = if languages.len() == 1 { limits.states_of_one_max } else { limits.states_max };
        let given = (*steps).min(limits.steps_of_one_max);
        let mut left = given;
        let built = determinise(&members, states_max, &mut left);
        *steps -= given - left;
        match (built, languages.as_slice()) {
            (Ok(dfa), _) => done.push(Classifier { languages, dfa }),
            (Err(_), [only]) => {
                let cost = if left == 0 { Cost::Steps(given) } else { Cost::States(states_max) };
                return Err(Refused { language: *only, cost });
            }
            (Err(_), _) if *steps == 0 => {
                return Err(Refused { language: largest(&programs, &languages), cost: Cost::Steps(limits.steps_max) });
            }
            (Err(_), _) => {
                let (first, second) = split(&programs, languages);
                waiting.extend([second, first]);
            }
        }
    }
    Ok(done)
}

/// `program` without look-around.
fn plain<'p>(index: u32, program: &'p Program, limits: &Limits, steps: &mut u64) -> Result<Cow<'p, Program>, Refused> {
    if program.looks.is_empty() {
        return Ok(Cow::Borrowed(program));
    }
    let cost = Cost::LookAround(limits.look_instructions_max);
    without_look_around(program, limits, steps).map(Cow::Owned).map_err(|_| Refused { language: index, cost })
}

/// Indices of programs that probably fit into one automaton of `states_max` states, in order.
///
/// An automaton has to remember each unanchored language that has matched, so each doubles its states: trying them
/// all together and halving would cost more than all that is kept.
fn groups(programs: &[&Program], states_max: usize) -> Vec<Vec<u32>> {
    let estimate = |instructions: usize, unanchored: u32| 1usize.checked_shl(unanchored)?.checked_mul(instructions);
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let (mut instructions, mut unanchored) = (0, 0);
    for (index, program) in (0u32..).zip(programs) {
        let doubles = u32::from(!program.anchored);
        let size = program.instructions.len();
        let fits = estimate(instructions + size, (unanchored + doubles).saturating_sub(1));
        match groups.last_mut() {
            Some(group) if doubles == 0 || fits.is_some_and(|states| states <= states_max) => group.push(index),
            _ => {
                groups.push(vec![index]);
                (instructions, unanchored) = (0, 0);
            }
        }
        (instructions, unanchored) = (instructions + size, unanchored + doubles);
    }
    groups
}

fn split(programs: &[&Program], languages: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
    let anchored = |index: &u32| programs.get(*index as usize).is_some_and(|program| program.anchored);
    let (first, second): (Vec<u32>, Vec<u32>) = languages.iter().partition(|index| anchored(index));
    if !first.is_empty() && !second.is_empty() {
        return (first, second);
    }
    let mut first = languages;
    let second = first.split_off(first.len() / 2);
    (first, second)
}

fn largest(programs: &[&Program], languages: &[u32]) -> u32 {
    let size = |index: &&u32| programs.get(**index as usize).map_or(0, |program| program.instructions.len());
    languages.iter().max_by_key(size).copied().unwrap_or(0)
}
