//! Which languages of a set hold a field, by as few automata as that takes.

use super::classify::{Classifier, classify};
use super::limits::Limits;
use super::program::Program;

/// As [`classify`], knowing beforehand what would not fit into one automaton.
///
/// An automaton has to remember each unanchored language that has matched, so each doubles its states: trying them
/// all together and halving would cost more than all that is kept.
///
/// # Errors
/// The index of a language that is too large for an automaton of its own.
pub fn classify_sets(programs: &[Program], limits: &Limits, steps: &mut u64) -> Result<Vec<Classifier>, u32> {
    let mut done = Vec::new();
    for group in groups(programs, limits.states_max) {
        let own: Vec<Program> = group.iter().filter_map(|index| programs.get(*index as usize).cloned()).collect();
        let of_all = |own: u32| group.get(own as usize).copied().unwrap_or(0);
        for mut classifier in classify(&own, limits, steps).map_err(of_all)? {
            for language in &mut classifier.languages {
                *language = of_all(*language);
            }
            done.push(classifier);
        }
    }
    Ok(done)
}

/// Indices of programs that probably fit into one automaton of `states_max` states, in order.
fn groups(programs: &[Program], states_max: usize) -> Vec<Vec<u32>> {
    let estimate = |instructions: usize, unanchored: u32| 1usize.checked_shl(unanchored).map(|n| n * instructions);
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
