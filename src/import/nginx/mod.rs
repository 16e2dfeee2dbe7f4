//! nginx's configuration: its syntax, and what it means as rules.
//!
//! [`parse`] reads files into a tree of directives, every word with its place.

mod decode;
mod include;
mod lexer;
mod lua;
mod parse;
mod tree;

pub use parse::{parse, parse_text};
pub use tree::{Block, Comment, Directive, Parsed, Word};
