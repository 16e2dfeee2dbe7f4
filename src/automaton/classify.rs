//! A set of languages as few automata, none beyond its budget.

use super::determinise::{Dfa, determinise};
use super::limits::Limits;
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
/// Anchored and unanchored languages multiply each other's states, so they are kept apart where one automaton is not
/// enough; then sets are halved until they fit. Takes its steps from `steps`.
///
/// # Errors
/// The index of a language that is too large for an automaton of its own.
pub fn classify(programs: &[Program], limits: &Limits, steps: &mut u64) -> Result<Vec<Classifier>, u32> {
    let plain: Vec<Cow<'_, Program>> = (0..)
        .zip(programs)
        .map(|(index, program)| match program.looks.as_slice() {
            [] => Ok(Cow::Borrowed(program)),
            _ => without_look_around(program, limits, steps).map(Cow::Owned).map_err(|_| index),
        })
        .collect::<Result<_, u32>>()?;
    let programs: Vec<&Program> = plain.iter().map(AsRef::as_ref).collect();
    let all: Vec<u32> = (0..).take(programs.len()).collect();
    let mut done = Vec::new();
    let mut waiting = vec![all];
    while let Some(languages) = waiting.pop() {
        if languages.is_empty() {
            continue;
        }
        let members: Vec<&Program> =
            languages.iter().filter_map(|index| programs.get(*index as usize).copied()).collect();
        let states_max = if languages.len() == 1 { limits.states_of_one_max } else { limits.states_max };
        if let Ok(dfa) = determinise(&members, states_max, steps) {
            done.push(Classifier { languages, dfa });
        } else if let [only] = languages.as_slice() {
            return Err(*only);
        } else if *steps == 0 {
            return Err(largest(&programs, &languages));
        } else {
            let (first, second) = split(&programs, languages);
            waiting.extend([second, first]);
        }
    }
    Ok(done)
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
