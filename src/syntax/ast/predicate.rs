//! What guards ask.

use super::Word;
use crate::diagnostic::Span;

/// What a `when` tests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Predicate {
    /// The whole of it.
    pub span: Span,
    /// What it says.
    pub kind: PredicateKind,
}

/// Predicates; `and` and `or` are not mixed without parentheses, which the parser sees to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PredicateKind {
    /// All hold.
    And(Vec<Predicate>),
    /// One holds.
    Or(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
    /// `method M...`
    Method(Vec<Word>),
    /// `scheme S`
    Scheme(Word),
    /// `plan P...` (`any` is a word here)
    Plan(Vec<Word>),
    /// `fact NAME VALUE...`
    Fact {
        /// its name
        name: Word,
        /// one of these
        values: Vec<Word>,
    },
    /// `client in CIDR...`
    Client(Vec<Word>),
    /// `body present`
    Body,
    /// `listener NAME...`
    Listener(Vec<Word>),
    /// `host OP`, `path OP`, `args OP`, `target OP`
    Field {
        /// its name
        field: Word,
        /// what is asked
        operator: Operator,
    },
    /// `$NAME OP`
    Map {
        /// the map, with the `$`
        name: Word,
        /// what is asked
        operator: Operator,
    },
    /// `header NAME OP`, `query NAME OP`, `cookie NAME OP`
    Named {
        /// `header`, `query` or `cookie`
        field: Word,
        /// its name
        name: Word,
        /// what is asked
        operator: Operator,
    },
}

/// What is asked of a field.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Operator {
    /// `= "v"`
    Equals(Word),
    /// `^~ "prefix"`
    Prefix(Word),
    /// `~ REGEX`
    Regex(Word),
    /// `~* REGEX`
    RegexCaseless(Word),
    /// `in "a" "b"`
    In(Vec<Word>),
    /// `has "v"`
    Has(Word),
    /// `present`
    Present,
}
