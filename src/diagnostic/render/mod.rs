//! Diagnostics as text: for people, editors, scripts and code review.

mod github;
mod human;
mod json;
mod places;
mod sarif;

use super::{Diagnostic, Severity, Sources};
use crate::visible::line as visible;
use core::fmt::Write as _;
use places::Places;

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The source with carets, reasons and what to write instead.
    #[default]
    Human,
    /// `file:line:column: error[code]: message`, a line each.
    Concise,
    /// One array of objects.
    Json,
    /// SARIF 2.1.0, which code hosts and editors read.
    Sarif,
    /// Workflow commands of GitHub Actions: they show in a pull request beside the line.
    Github,
}

impl Format {
    /// Every format with the name that command lines use.
    pub const ALL: [(&'static str, Self); 5] = [
        ("human", Self::Human),
        ("concise", Self::Concise),
        ("json", Self::Json),
        ("sarif", Self::Sarif),
        ("github", Self::Github),
    ];
}

/// Writes `diagnostics` in their order; `color` matters to [`Format::Human`] alone.
///
/// The result is empty or ends with a line break; JSON and SARIF are documents even if there is nothing to say.
/// Control characters of sources never reach a terminal.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, format: Format, color: bool) -> String {
    let places = Places::new(diagnostics, sources);
    match format {
        Format::Human => human::render(diagnostics, &places, color),
        Format::Concise => concise(diagnostics, &places),
        Format::Json => json::render(diagnostics, &places),
        Format::Sarif => sarif::render(diagnostics, &places),
        Format::Github => github::render(diagnostics, &places),
    }
}

fn concise(diagnostics: &[Diagnostic], places: &Places<'_>) -> String {
    let mut lines = String::new();
    for diagnostic in diagnostics {
        let place = places.place(diagnostic.place.span);
        let (severity, code, message) = (severity(diagnostic), diagnostic.code, visible(&diagnostic.message));
        let file = visible(place.file);
        // Writing to a string cannot fail.
        writeln!(lines, "{file}:{}:{}: {severity}[{code}]: {message}", place.line, place.column).ok();
    }
    lines
}

/// `error` or `warning`.
fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
