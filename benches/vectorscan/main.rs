//! The rivals with vectorscan among them:
//! `cargo run --release --manifest-path benches/vectorscan/Cargo.toml --target-dir target`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a benchmark fails by panicking, and says what it measured"
)]

#[path = "../rivals/cold.rs"]
mod cold;
#[path = "../rivals/cost.rs"]
mod cost;
#[path = "../rivals/engines/mod.rs"]
mod engines;
#[path = "../rivals/families/mod.rs"]
mod families;
#[path = "../rivals/machine.rs"]
mod machine;
#[path = "../rivals/measure.rs"]
mod measure;
#[path = "../rivals/nesting.rs"]
mod nesting;
#[path = "../rivals/race.rs"]
mod race;
#[path = "../rivals/readme.rs"]
mod readme;
#[path = "../rivals/run.rs"]
mod run;
#[path = "../rivals/table.rs"]
mod table;
#[path = "../rivals/turns.rs"]
mod turns;
mod vectorscan;
#[path = "../rivals/whole.rs"]
mod whole;

fn main() {
    let mut makers = engines::makers();
    makers.insert(2, vectorscan::MAKER);
    run::run(&makers);
}
