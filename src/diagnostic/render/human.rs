//! The form for people: annotate-snippets lives here only.

use super::places::Places;
use super::visible;
use crate::diagnostic::{Diagnostic, Label, Severity};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

/// Each diagnostic with its source, an empty line between two.
pub(super) fn render(diagnostics: &[Diagnostic], places: &Places<'_>, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(renderer.render(&[group(diagnostic, places)]).trim_end());
        text.push('\n');
    }
    text
}

fn group<'a>(diagnostic: &'a Diagnostic, places: &Places<'a>) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(visible(&diagnostic.message)).id(diagnostic.code));
    let (here, elsewhere): (Vec<&Label>, Vec<&Label>) =
        diagnostic.related.iter().partition(|label| label.span.file == diagnostic.place.span.file);
    group = sourced(group, places, &diagnostic.place, &here);
    for label in elsewhere {
        group = sourced(group, places, label, &[]);
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(visible(note)));
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(visible(help))),
        None => group,
    }
}

/// More source than this shows nothing: such a line was written by a machine.
const SHOWN_BYTES_MAX: usize = 16 << 10;

/// Adds the source of `main` with the labels `others` of the same file; far ones get a source of their own.
fn sourced<'a>(group: Group<'a>, places: &Places<'a>, main: &'a Label, others: &[&'a Label]) -> Group<'a> {
    let spans: Vec<_> = core::iter::once(main.span).chain(others.iter().map(|label| label.span)).collect();
    let window = places.window(&spans).filter(|window| window.text.len() <= SHOWN_BYTES_MAX);
    if let Some(window) = window {
        let file = places.place(main.span).file;
        let mut snippet = Snippet::source(window.text).line_start(window.line).path(visible(file));
        for (kind, label) in core::iter::once((AnnotationKind::Primary, main))
            .chain(others.iter().map(|&label| (AnnotationKind::Context, label)))
        {
            let bytes = places.bytes(label.span);
            let from = bytes.start.saturating_sub(window.start).min(window.text.len());
            let to = bytes.end.saturating_sub(window.start).min(window.text.len());
            let text = (!label.text.is_empty()).then(|| visible(&label.text));
            snippet = snippet.annotation(kind.span(from..to).label(text));
        }
        return group.element(snippet);
    }
    if others.is_empty() {
        let place = places.place(main.span);
        return group.element(Origin::path(visible(place.file)).line(place.line).char_column(place.column));
    }
    let group = sourced(group, places, main, &[]);
    others.iter().fold(group, |group, label| sourced(group, places, label, &[]))
}
