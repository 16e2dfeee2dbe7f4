//! Text to [`ast`]: pest lives here only.

pub mod ast;
