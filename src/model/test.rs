//! What `test` blocks say.

use super::RequestRecord;
pub use crate::contract::cases::Expectation;
use crate::diagnostic::Span;

/// `test "NAME" { ... }`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its head.
    pub span: Span,
    /// Its lines.
    pub cases: Vec<TestCase>,
}

/// One line of a test.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestCase {
    /// The line.
    pub span: Span,
    /// The request, as `rulec decide` takes it.
    pub request: RequestRecord,
    /// What must come of it.
    pub expectation: Expectation,
}
