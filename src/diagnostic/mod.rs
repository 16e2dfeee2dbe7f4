//! What may be said to an author: places in sources, and messages about them.

pub(crate) mod direction;
mod nearest;
mod render;
mod source;
mod warnings;

use crate::visible::MESSAGE_BYTES_MAX;
use core::fmt::Write;
pub use nearest::nearest;
pub use render::{Format, render};
pub use source::{FileId, Source, Sources, Span};
pub use warnings::WARNINGS;

/// Whether a finding stops the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a third kind would have to be considered by every reader")]
pub enum Severity {
    /// The policy cannot mean anything; nothing is compiled.
    Error,
    /// It can be meant, and rarely is.
    Warning,
}

/// One thing to say to the author of a rule.
///
/// Messages are lower case, without a full stop, with the author's text in backticks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Whether it stops the build.
    pub severity: Severity,
    /// Stable, kebab-case, reads after "allow": `shadowed-location`, `unknown-upstream`.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// Where, and what to write beneath the carets there (may be empty).
    pub place: Label,
    /// Other places that matter, such as the first of two duplicates.
    pub related: Vec<Label>,
    /// Why, and a request that shows it.
    pub notes: Vec<String>,
    /// What to write instead.
    pub help: Option<String>,
}

/// A place and what is said about it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What to write beneath the carets; may be empty.
    pub text: String,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, span, message.into())
    }

    /// A warning at `span`.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, span, message.into())
    }

    fn new(severity: Severity, code: &'static str, span: Span, message: String) -> Self {
        let place = Label { span, text: String::new() };
        let message = clipped(message);
        Self { severity, code, message, place, related: Vec::new(), notes: Vec::new(), help: None }
    }

    /// The same with `text` beneath its carets.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.place.text = clipped(text.into());
        self
    }

    /// The same with another place that matters.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: clipped(text.into()) });
        self
    }

    /// The same with one more reason or witness.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(clipped(note.into()));
        self
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(clipped(help.into()));
        self
    }
}

/// `text`, cut where it is longer than a message: what it names may be as long as a file.
fn clipped(mut text: String) -> String {
    if text.len() > MESSAGE_BYTES_MAX {
        let whole = text.len();
        let end = (0..=MESSAGE_BYTES_MAX).rfind(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        // Writing to a string cannot fail.
        write!(text, "... and {} bytes more", whole - end).ok();
    }
    text
}
