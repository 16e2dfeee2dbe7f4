//! Workflow commands of GitHub Actions: each becomes an annotation beside its line.

use super::places::Places;
use super::severity;
use crate::diagnostic::Diagnostic;
use core::fmt::Write as _;

/// A command a line.
pub(super) fn render(diagnostics: &[Diagnostic], places: &Places<'_>) -> String {
    let mut lines = String::new();
    for diagnostic in diagnostics {
        let place = places.place(diagnostic.place.span);
        let file = property(place.file);
        let mut message = diagnostic.message.clone();
        for note in &diagnostic.notes {
            // Writing to a string cannot fail.
            write!(message, "\nnote: {note}").ok();
        }
        if let Some(help) = &diagnostic.help {
            write!(message, "\nhelp: {help}").ok();
        }
        let (severity, title, message) = (severity(diagnostic), property(diagnostic.code), data(&message));
        let (line, column, end_line, end_column) = (place.line, place.column, place.end_line, place.end_column);
        let columns = if line == end_line { format!(",endColumn={end_column}") } else { String::new() };
        writeln!(
            lines,
            "::{severity} file={file},line={line},endLine={end_line},col={column}{columns},title={title}::{message}"
        )
        .ok();
    }
    lines
}

/// What follows the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A value between `=` and `,`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
