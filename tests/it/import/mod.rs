//! `rulec import nginx`: from the syntax to the decisions.

mod syntax;
