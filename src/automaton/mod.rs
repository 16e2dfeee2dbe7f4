//! automaton
