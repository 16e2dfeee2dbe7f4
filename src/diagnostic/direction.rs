//! `text-direction`: a source holds characters that turn the direction of what follows, so that what is shown is not what
//! is read (Trojan Source, CVE-2021-42574).

use super::{Diagnostic, FileId, Span};
use crate::visible::turns;

/// A warning for each line of `text` with such a character.
pub(crate) fn check(file: FileId, text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((at, letter)) = line.char_indices().find(|(_, letter)| turns(*letter)) {
            let place = |at: usize| u32::try_from(start + at).unwrap_or(u32::MAX);
            let span = Span::new(file, place(at), place(at + letter.len_utf8()));
            let message = format!(
                "U+{:04X} turns the direction of the text behind it: editors show another line",
                u32::from(letter)
            );
            let help = "take it out; in a regex write it as bytes, such as `\\xE2\\x80\\xAE`";
            found.push(Diagnostic::warning("text-direction", span, message).help(help));
        }
        start += line.len();
    }
    found
}
