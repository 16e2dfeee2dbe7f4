//! What a configuration consists of: directives, their words, their blocks, and the comments between them.

use crate::diagnostic::{Diagnostic, Severity, Sources, Span};

/// A configuration as it was read, includes and all.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Parsed {
    /// The texts that were read: the file named and what it includes, in reading order.
    pub sources: Sources,
    /// The directives of the file. An `include` stands before what it brought.
    pub directives: Vec<Directive>,
    /// Comments after the last directive.
    pub comments: Vec<Comment>,
    /// Every mistake of syntax, and every include that could not be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// `name args... ;` or `name args... { ... }`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Directive {
    /// Its first word.
    pub name: Word,
    /// Its other words.
    pub args: Vec<Word>,
    /// From the first word up to the `;` or `{`.
    pub span: Span,
    /// What stands between its braces, if it has any.
    pub block: Option<Block>,
    /// The comments that belong to it: above it, between its words, or behind it on its line.
    pub comments: Vec<Comment>,
}

/// What stands between `{` and `}`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Block {
    /// Its directives; none in a raw block.
    pub directives: Vec<Directive>,
    /// Comments after the last directive.
    pub comments: Vec<Comment>,
    /// The text of a block in another language, such as `content_by_lua_block`.
    pub raw: Option<Span>,
}

/// One word, as nginx reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Word {
    /// Without quotes, escapes resolved. Bytes that are not UTF-8 are characters of their own: see [`Word::bytes`].
    pub text: String,
    /// Where it stands, quotes included.
    pub span: Span,
    /// Whether it stood in quotes.
    pub quoted: bool,
}

/// `# ...`
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comment {
    /// Without the `#` and the blanks around it.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

impl Parsed {
    /// Whether there is a mistake that keeps the configuration from meaning anything.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

impl Directive {
    /// The text of its first word.
    pub fn name(&self) -> &str {
        &self.name.text
    }

    /// The text of its word number `index`, the name not counted; empty where there is none.
    pub fn arg(&self, index: usize) -> &str {
        self.args.get(index).map_or("", |word| word.text.as_str())
    }

    /// The directives of its block; none where it has no block.
    pub fn children(&self) -> &[Self] {
        self.block.as_ref().map_or(&[], |block| block.directives.as_slice())
    }
}

impl Word {
    /// The bytes that it stands for.
    pub fn bytes(&self) -> Vec<u8> {
        super::decode::encode(&self.text)
    }

    /// Whether all of it is UTF-8.
    pub fn is_utf8(&self) -> bool {
        !self.text.chars().any(super::decode::is_byte)
    }
}
