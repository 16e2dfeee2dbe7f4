//! The author's tool.
#![forbid(unsafe_code)]

fn main() {}
