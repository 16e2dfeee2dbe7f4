//! The integration tests, one binary.

mod automaton;
mod syntax;
