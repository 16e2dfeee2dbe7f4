//! The path's decision beside its rivals, in one run: `cargo run --release --example rivals`.
//!
//! `rivals mix 1000` is for one family and size. `benches/README.md` says what is measured and keeps the tables.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a benchmark fails by panicking, and says what it measured"
)]

mod cold;
mod cost;
mod engines;
mod families;
mod machine;
mod measure;
mod nesting;
mod race;
mod readme;
mod run;
mod table;
mod turns;
mod whole;

fn main() {
    run::run(&engines::makers());
}
