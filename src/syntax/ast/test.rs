//! The lines of `test` blocks.

use super::Word;
use crate::diagnostic::Span;

/// One line of a `test` block.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestCase {
    /// The whole line.
    pub span: Span,
    /// The method.
    pub method: Word,
    /// The URL.
    pub url: Word,
    /// `with header "N: v" ...`: the value after `header`
    pub headers: Vec<Word>,
    /// `with fact NAME=VALUE ...` as (name, value)
    pub facts: Vec<(Word, Word)>,
    /// `body=`, `client=`, `plan=`, `listener=`, `port=`, `fault=` as (name, value), in order
    pub options: Vec<(Word, Word)>,
    /// What stands after `->`.
    pub expectation: Expectation,
}

/// What a `test` line expects.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Expectation {
    /// `STATUS ["text" | LOCATION]`
    Status {
        /// the status
        code: Word,
        /// the text or the Location
        text: Option<Word>,
    },
    /// `close`
    Close,
    /// `proxy NAME ["/target"] [header "N: v"]...`
    Proxy {
        /// the upstream
        upstream: Word,
        /// the target sent
        target: Option<Word>,
        /// headers sent
        headers: Vec<Word>,
    },
}
