//! Predicates to classifiers: automata that read a field once and name everything that holds of it.
//!
//! A predicate is a regular language ([`language`]), a language an instruction list ([`program`]), a set of lists one
//! deterministic automaton ([`determinise`]), or several where one would grow beyond its budget ([`classify`]). A list
//! with look-around is first turned into one without ([`look_around`]).
//!
//! Where only the first regex of a list counts, as among locations and server names, a [`search`] tells it: some
//! [`scanner`]s, from the beginning or from the end, that tell what they find while they read.

mod branch;
mod byte_classes;
mod classify;
mod conditions;
mod constraint;
mod determinise;
pub(crate) mod filter;
pub mod language;
mod letters;
mod limits;
mod literals;
mod look_around;
mod minimise;
mod networks;
mod program;
pub(crate) mod scanner;
pub(crate) mod search;
mod threads;
mod workshop;

pub use classify::{Classifier, classify};
pub use determinise::Dfa;
pub(crate) use limits::Simulated;
pub use limits::{Cost, Limits, Refused};
pub use literals::{Literal, trie};
pub use networks::{AddressClasses, classify_networks};
pub use program::{Instruction, LookAround, Program, TooLarge};
