//! Text to tree.

mod constructs;
mod guide;
mod hostile;
mod mistakes;
mod recovery;

use rulec::diagnostic::{Diagnostic, FileId, Sources};
use rulec::syntax::{Parsed, parse};

/// The tree of `text`, which must hold no mistake.
fn good(text: &str) -> rulec::syntax::ast::File {
    let Parsed { file, diagnostics, .. } = parse(FileId(0), text);
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:#?}");
    file
}

/// The codes of what is wrong with `text`, in the order of their places.
fn codes(text: &str) -> Vec<&'static str> {
    let parsed = parse(FileId(0), text);
    parsed.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// Line, column and code of each mistake of `text`.
fn places(text: &str) -> Vec<(usize, usize, &'static str)> {
    let mut sources = Sources::default();
    let file = sources.add("a.rules", text);
    let diagnostics = parse(file, text).diagnostics;
    let place = |diagnostic: &Diagnostic| {
        let (line, column) = sources.position(diagnostic.place.span);
        (line, column, diagnostic.code)
    };
    diagnostics.iter().map(place).collect()
}
