//! Text to tree.

mod constructs;
mod mistakes;

use rulec::diagnostic::FileId;
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
