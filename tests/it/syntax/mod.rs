//! Text to tree.

mod constructs;

use rulec::diagnostic::FileId;
use rulec::syntax::{Parsed, parse};

/// The tree of `text`, which must hold no mistake.
fn good(text: &str) -> rulec::syntax::ast::File {
    let Parsed { file, diagnostics, .. } = parse(FileId(0), text);
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:#?}");
    file
}
