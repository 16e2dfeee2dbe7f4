//! Test results for a person, for a program, and for a CI server.

use super::{CaseLine, TestResult};
use crate::lines::Lines;
use core::fmt::Write;
use serde_json::{Value, json};

/// A line for each test, and each failure with what came instead.
pub(super) fn human(results: &[TestResult]) -> String {
    let mut text = Lines::default();
    for result in results {
        let failed = failures(result).count();
        let mark = if failed == 0 { "ok    " } else { "FAILED" };
        writeln!(text, "{mark} {}: {} ({})", result.file, result.name, result.cases.len()).ok();
        for (case, failure) in failures(result) {
            writeln!(text, "       {}: {}", case.place, case.text).ok();
            writeln!(text, "         got: {failure}").ok();
        }
    }
    let cases: usize = results.iter().map(|result| result.cases.len()).sum();
    let failed: usize = results.iter().map(|result| failures(result).count()).sum();
    writeln!(text, "{cases} cases, {failed} failed").ok();
    text.into_text()
}

/// One object.
pub(super) fn json(results: &[TestResult]) -> String {
    let case = |case: &CaseLine| json!({ "place": case.place, "case": case.text, "passed": case.failure.is_none(), "got": case.failure });
    let test = |result: &TestResult| {
        let cases: Vec<Value> = result.cases.iter().map(case).collect();
        json!({ "file": result.file, "name": result.name, "cases": cases })
    };
    let tests: Vec<Value> = results.iter().map(test).collect();
    let failed: usize = results.iter().map(|result| failures(result).count()).sum();
    let cases: usize = results.iter().map(|result| result.cases.len()).sum();
    format!("{}\n", json!({ "tests": tests, "passed": cases - failed, "failed": failed }))
}

/// The XML that CI servers read: a suite for each test block, a test case for each of its lines.
pub(super) fn junit(results: &[TestResult]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for result in results {
        let (name, file) = (escape(&result.name), escape(&result.file));
        let (cases, failed) = (result.cases.len(), failures(result).count());
        writeln!(xml, "  <testsuite name=\"{name}\" file=\"{file}\" tests=\"{cases}\" failures=\"{failed}\">").ok();
        for case in &result.cases {
            let (text, place) = (escape(&case.text), escape(&case.place));
            write!(xml, "    <testcase classname=\"{file}\" name=\"{text}\"").ok();
            match &case.failure {
                None => xml.push_str("/>\n"),
                Some(failure) => {
                    let failure = escape(failure);
                    writeln!(xml, "><failure message=\"{failure}\">{place}</failure></testcase>").ok();
                }
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn failures(result: &TestResult) -> impl Iterator<Item = (&CaseLine, &str)> {
    result.cases.iter().filter_map(|case| Some((case, case.failure.as_deref()?)))
}

/// `text` as it may stand in XML; control characters, which XML cannot hold, become `?`.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}
