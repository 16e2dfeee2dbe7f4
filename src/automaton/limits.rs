//! Every budget of compilation, with its reason. docs/limits.md has these and all other bounds.

use super::program::Program;
use core::fmt;

/// Bounds of compilation. What reaches one is refused by name; nothing else is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Instructions of one regex. nginx users' longest have a few hundred; 20,000 is `(...){1000}`.
    pub instructions_max: usize,
    /// Instructions in all look-around of one regex: `(?!a|b|...)` with a few hundred words. What is owed to look-ahead
    /// is a formula over them.
    pub look_instructions_max: usize,
    /// States of one automaton before its patterns are split between two. 4,000 states of 64 byte classes are 1 MiB:
    /// what a second-level cache holds.
    pub states_max: usize,
    /// States of an automaton that cannot be split further, because it is of one pattern.
    pub states_of_one_max: usize,
    /// Steps of the subset construction of one pattern of a guard. Each is some 20 ns, and at most six octets that are
    /// kept: about a second and 256 MiB.
    pub steps_of_one_max: u64,
    /// Steps of all subset constructions together: some 10 s on one core. A refused pattern costs steps too, so
    /// they are counted for the whole policy.
    pub steps_max: u64,
    /// Instructions, as the matcher reads them, of all regexes of one level that are simulated because their automata
    /// would be too large. Each takes 2.5 ns a byte at most: all together 0.25 ms for a path of 100 bytes.
    pub simulated_max: usize,
    /// Size of the decision diagram: nodes, each counted once for every run of classes that leads to the same. A guard of
    /// ten fields takes some thirty, a policy of 10,000 locations with three guards each 100,000. At 16 octets, and as
    /// many for what is known of them, the bound is 64 MiB.
    pub diagram_max: usize,
    /// Runs that all operations on guards look at together: some 30 ns each. A list of 4,000 guards on one field takes ten
    /// million.
    pub diagram_steps_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instructions_max: 20_000,
            look_instructions_max: 2_000,
            states_max: 4_000,
            states_of_one_max: 20_000,
            steps_of_one_max: 40_000_000,
            steps_max: 400_000_000,
            simulated_max: 1_000,
            diagram_max: 2_000_000,
            diagram_steps_max: 100_000_000,
        }
    }
}

/// What a pattern takes more of than a limit allows: the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cost {
    /// Instructions.
    Instructions(usize),
    /// Look-around is worked into the rest of a pattern: instructions, formulas or steps that this takes.
    LookAround(usize),
    /// States of its automaton.
    States(usize),
    /// Steps to work its automaton out.
    Steps(u64),
    /// Instructions to simulate, of all regexes of its level that would be.
    Simulated {
        /// What they take.
        takes: usize,
        /// The limit.
        max: usize,
    },
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instructions(max) => write!(f, "this regex is more than {max} instructions long"),
            Self::LookAround(max) => {
                write!(f, "the look-around of this regex takes more than {max} instructions, or as much to work out")
            }
            Self::States(max) => write!(f, "this needs an automaton of more than {max} states"),
            Self::Steps(max) => write!(f, "the automaton of this takes more than {max} steps to work out"),
            Self::Simulated { takes, max } => {
                write!(
                    f,
                    "this has no automaton within the limits, and to simulate it, with what else is simulated on its level, takes {takes} instructions of at most {max}"
                )
            }
        }
    }
}

/// A language that is too large, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// Its index.
    pub language: u32,
    /// What it takes too much of.
    pub cost: Cost,
}

/// A regex whose automaton is too large, so that a matcher has to simulate it.
#[derive(Debug)]
pub(crate) struct Simulated {
    /// Its rank.
    pub(crate) rank: u32,
    /// Without look-around.
    pub(crate) program: Program,
    /// Letters that every match holds, in lower case.
    pub(crate) required: Vec<u8>,
    /// What its automaton takes too much of.
    pub(crate) cost: Cost,
}
