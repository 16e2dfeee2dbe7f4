//! Text to [`ast`]: pest lives here only.
//!
//! The text is cut into statements, each is parsed by one rule of the grammar, and blocks recurse in our own code: so
//! every mistake of a file is told in one run, and a statement that is wrong harms only itself.

use crate::diagnostic::{Diagnostic, FileId};

pub mod ast;
mod build;
mod cut;
mod grammar;
mod keywords;
mod lexical;
mod mistake;
mod mistakes;
mod nesting;
mod parser;
mod scan;
mod words;

/// What a text says, and what is wrong with it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Parsed {
    /// The statements that could be understood.
    pub file: ast::File,
    /// The mistakes, in the order of their places; empty where all was understood.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads `text`, which is `file` among the sources.
///
/// It takes time linear in the text, and for the tree some fifty times its size. It never fails: what cannot be
/// understood is left out and told of.
pub fn parse(file: FileId, text: &str) -> Parsed {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is longer than {FILE_BYTES_MAX} bytes");
        let help = "split it, and bring the parts together by `include`";
        let mistake = Diagnostic::error("file-too-large", words::span(file, 0, 0), message).help(help);
        return Parsed { file: ast::File::default(), diagnostics: vec![mistake] };
    }
    let (file, diagnostics) = parser::parse_file(file, text);
    Parsed { file, diagnostics }
}

/// A hundred thousand locations take about 8 MiB; places are counted in 32 bits.
const FILE_BYTES_MAX: usize = 16 << 20;
