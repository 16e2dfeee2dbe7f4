//! The one grammar, and what its parser says, in types of our own.

use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};
use pest::iterators::Pair;

/// A node of the parse, with the text it covers.
pub(super) type Node<'t> = Pair<'t, Rule>;

/// Parses the whole of `text` as `rule`; where it does not fit, says where and what could have stood there.
pub(super) fn parse(rule: Rule, text: &str) -> Result<Node<'_>, Failure> {
    let mut nodes = Grammar::parse(rule, text).map_err(|error| Failure::new(&error))?;
    nodes.next().ok_or(Failure { at: 0, expected: Vec::new() })
}

/// Where a text stopped to fit.
#[derive(Debug)]
pub(super) struct Failure {
    /// Bytes from the start of the text.
    pub(super) at: usize,
    /// What could have stood there.
    pub(super) expected: Vec<Rule>,
}

impl Failure {
    fn new(error: &Error<Rule>) -> Self {
        let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
        let expected = match &error.variant {
            ErrorVariant::ParsingError { positives, .. } => positives.clone(),
            ErrorVariant::CustomError { .. } => Vec::new(),
        };
        Self { at, expected }
    }
}

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/rules.pest"]
struct Grammar;
