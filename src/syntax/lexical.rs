//! Words that are not written as words are, told to their author.

use super::mistake::shortened;
use super::nesting::Nesting;
use crate::diagnostic::{Diagnostic, Span};

/// A quote, of which `quoted` is what was taken to belong to it, is not closed on its line.
pub(super) fn unclosed_quote(quoted: Span) -> Diagnostic {
    let quote = Span { end: quoted.start + 1, ..quoted };
    let help = "close it on the same line; a line break in a text is written `\\n`";
    Diagnostic::error("unclosed-quote", quote, "this quote is not closed on its line").help(help)
}

/// `place` follows a closing quote at once.
pub(super) fn missing_blank(place: Span) -> Diagnostic {
    let message = "a word goes on after its closing quote";
    let help = "write a blank after the quote, or `\\` before a quote that belongs to the text";
    Diagnostic::error("missing-blank", place, message).help(help)
}

/// `word` has no quotes around it, and one inside.
pub(super) fn quote_in_word(word: &str, place: Span) -> Diagnostic {
    let message = format!("the word `{}` holds a quote", shortened(word));
    let help = "put quotes around the whole word, with `\\` before a quote inside";
    Diagnostic::error("quote-in-word", place, message).help(help)
}

/// A regex without quotes holds `repetition`.
pub(super) fn brace_in_word(repetition: &str, place: Span) -> Diagnostic {
    let message = format!("`{{` ends a word, so `{}` is no part of it", shortened(repetition));
    Diagnostic::error("brace-in-word", place, message).help("put quotes around the whole word")
}

/// The predicate nests too deep at `place`.
pub(super) fn predicate_too_deep(place: Span) -> Diagnostic {
    let message = format!("predicates nest deeper than {} levels", Nesting::DEPTH_MAX);
    let help = "split the predicate into `when` blocks that stand inside each other";
    Diagnostic::error("nesting-too-deep", place, message).help(help)
}
