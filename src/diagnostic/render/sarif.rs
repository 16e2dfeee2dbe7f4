//! SARIF 2.1.0 (OASIS), as code hosts take it.

use super::places::Places;
use super::severity;
use crate::diagnostic::{Diagnostic, Label};
use core::fmt::Write as _;
use serde_json::{Value, json};

/// One run with all of them.
pub(super) fn render(diagnostics: &[Diagnostic], places: &Places<'_>) -> String {
    let mut codes: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| json!({ "id": code })).collect();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, &codes, places)).collect();
    let driver = json!({ "name": "rulec", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    let run = json!({ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    format!("{log}\n")
}

fn result(diagnostic: &Diagnostic, codes: &[&str], places: &Places<'_>) -> Value {
    let mut text = diagnostic.message.clone();
    for note in &diagnostic.notes {
        // Writing to a string cannot fail.
        write!(text, "\nnote: {note}").ok();
    }
    if let Some(help) = &diagnostic.help {
        write!(text, "\nhelp: {help}").ok();
    }
    let related: Vec<Value> = diagnostic.related.iter().map(|label| location(label, places)).collect();
    let mut result = json!({
        "ruleId": diagnostic.code,
        "ruleIndex": codes.binary_search(&diagnostic.code).unwrap_or(0),
        "level": severity(diagnostic),
        "message": { "text": text },
        "locations": [location(&diagnostic.place, places)],
    });
    if let (false, Some(result)) = (related.is_empty(), result.as_object_mut()) {
        result.insert("relatedLocations".to_owned(), Value::Array(related));
    }
    result
}

fn location(label: &Label, places: &Places<'_>) -> Value {
    let place = places.place(label.span);
    let region = json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    });
    let physical = json!({ "artifactLocation": { "uri": uri(place.file) }, "region": region });
    let mut location = json!({ "physicalLocation": physical });
    if let (false, Some(location)) = (label.text.is_empty(), location.as_object_mut()) {
        location.insert("message".to_owned(), json!({ "text": label.text }));
    }
    location
}

/// A path as a URI reference: absolute ones as `file:`, others relative to wherever the run began.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(uri, "%{byte:02X}").ok();
        }
    }
    uri
}
