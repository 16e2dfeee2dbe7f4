//! The lines of `test` blocks.

use super::parts::Parts;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{Expectation, TestCase};
use crate::syntax::grammar::Rule;
use crate::syntax::parser::Parsed;

/// One line of a `test` block.
pub(in crate::syntax) fn test_case(parsed: Parsed<'_>) -> Result<TestCase, Diagnostic> {
    let Parsed { node, head, span, .. } = parsed;
    let parts = Parts::new(node, head);
    Ok(TestCase {
        span,
        method: parts.word(Rule::method)?,
        url: parts.word(Rule::url)?,
        headers: parts.words(Rule::header_line),
        facts: parts.all(Rule::fact_value).map(|fact| fact.setting()).collect(),
        options: parts.all(Rule::test_option).map(|option| option.setting()).collect(),
        expectation: expectation(&parts.part(Rule::expectation)?)?,
    })
}

fn expectation(parts: &Parts<'_>) -> Result<Expectation, Diagnostic> {
    if parts.has(Rule::k_close) {
        return Ok(Expectation::Close);
    }
    if parts.has(Rule::k_proxy) {
        return Ok(Expectation::Proxy {
            upstream: parts.word(Rule::name)?,
            target: parts.maybe(Rule::target),
            headers: parts.words(Rule::header_line),
        });
    }
    Ok(Expectation::Status { code: parts.word(Rule::code)?, text: parts.maybe(Rule::text) })
}
