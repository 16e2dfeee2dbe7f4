//! Runs `test` blocks: each line is decided by the compiled matcher and compared with what it expects.

use crate::contract::manifest::Manifest;
use crate::diagnostic::{Diagnostic, Span};
use crate::matcher::{Matcher, Scratch};
use crate::model::{Test, TestCase};
pub use crate::trial::case::describe;
use crate::trial::case::failure;

/// What came of one line of a `test` block.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CaseResult {
    /// The line.
    pub span: Span,
    /// Why it failed; None: it is as expected.
    pub failure: Option<String>,
}

/// Runs every line of `test`, in order.
pub fn run<B: AsRef<[u8]>>(
    matcher: &Matcher<B>,
    manifest: &Manifest,
    test: &Test,
    scratch: &mut Scratch,
) -> Vec<CaseResult> {
    let run_case = |case: &TestCase| CaseResult {
        span: case.span,
        failure: failure(matcher, manifest, &case.request, &case.expectation, scratch),
    };
    test.cases.iter().map(run_case).collect()
}

/// The failures among `results` of the test `name`, as `rulec check` shows them.
pub fn diagnostics(name: &str, results: &[CaseResult]) -> Vec<Diagnostic> {
    let failed = results.iter().filter_map(|result| Some((result.span, result.failure.as_deref()?)));
    let say = |(span, failure)| Diagnostic::error("failed-test", span, format!("test `{name}` fails")).label(failure);
    failed.map(say).collect()
}
