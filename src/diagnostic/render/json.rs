//! One array of objects, for scripts and editors.

use super::places::Places;
use super::severity;
use crate::diagnostic::{Diagnostic, Label};
use serde::Serialize;

/// All of them as one JSON array on one line.
pub(super) fn render(diagnostics: &[Diagnostic], places: &Places<'_>) -> String {
    let records: Vec<Record<'_>> = diagnostics.iter().map(|diagnostic| Record::new(diagnostic, places)).collect();
    // A record is text and numbers, which serialise always.
    let mut text = serde_json::to_string(&records).unwrap_or_default();
    text.push('\n');
    text
}

/// Names and meaning are an interface: add, never change.
#[derive(Serialize)]
struct Record<'a> {
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: PlaceRecord<'a>,
    related: Vec<PlaceRecord<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct PlaceRecord<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    label: &'a str,
}

impl<'a> Record<'a> {
    fn new(diagnostic: &'a Diagnostic, places: &Places<'a>) -> Self {
        Self {
            severity: severity(diagnostic),
            code: diagnostic.code,
            message: &diagnostic.message,
            place: PlaceRecord::new(&diagnostic.place, places),
            related: diagnostic.related.iter().map(|label| PlaceRecord::new(label, places)).collect(),
            notes: &diagnostic.notes,
            help: diagnostic.help.as_deref(),
        }
    }
}

impl<'a> PlaceRecord<'a> {
    fn new(label: &'a Label, places: &Places<'a>) -> Self {
        let place = places.place(label.span);
        Self {
            file: place.file,
            line: place.line,
            column: place.column,
            end_line: place.end_line,
            end_column: place.end_column,
            label: &label.text,
        }
    }
}
