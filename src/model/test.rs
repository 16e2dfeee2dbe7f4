//! What `test` blocks say.

use super::RequestRecord;
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

/// What a line expects.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum Expectation {
    /// An answer of the gateway with this status and, where said, this text or Location.
    Status(u16, Option<String>),
    /// The connection is closed without an answer.
    Close,
    /// Sent to this upstream, with this target and these header lines where said.
    Proxy {
        /// Its name.
        upstream: String,
        /// The target sent.
        target: Option<String>,
        /// Lines that the sent head must hold.
        headers: Vec<(String, String)>,
    },
}
