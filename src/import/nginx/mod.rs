//! nginx's configuration: its syntax, and what it means as rules.
//!
//! [`parse`] reads files into a tree of directives, every word with its place; [`import`] translates the tree into rules
//! that decide as nginx does, and accounts for every directive.

mod access;
mod cgi;
mod condition;
mod content;
mod context;
mod decode;
mod fact;
mod field;
mod findings;
mod flow;
mod import;
mod importer;
mod include;
mod kind;
mod level;
mod lexer;
mod listen;
mod location;
mod lua;
mod map;
mod parse;
mod place;
mod predicate;
mod proxy;
mod regex;
mod report;
mod rules;
mod server;
mod settings;
mod survey;
mod table;
mod tree;
mod upstream;
mod values;
mod variable;
pub mod verify;
mod without;

pub use import::{Imported, import};
pub use parse::{parse, parse_text};
pub use report::{Counts, Entry, Outcome, Report};
pub use tree::{Block, Comment, Directive, Parsed, Word};
pub use without::{LeftOut, Misnamed, Options, Without};
