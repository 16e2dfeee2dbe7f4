//! The integration tests, one binary.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::format_push_string,
    clippy::std_instead_of_core,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too; it has std, and writes texts together"
)]

mod artifact;
mod automaton;
mod cli;
mod corpora;
mod decision;
mod diagnostic;
mod engines;
mod generated;
mod import;
mod lints;
mod live_nginx;
mod loops;
mod maps;
mod model;
mod proxy;
mod scale;
mod search;
mod syntax;
mod tidy;
