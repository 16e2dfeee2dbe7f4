//! What a policy costs before its first decision: compiling, memory, the artifact, loading it.

use crate::families::Family;
use crate::measure::{median, nanoseconds};
use crate::table;
use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::matcher::Matcher;
use rulec::model::load_text;
use std::process::Command;
use std::time::Instant;

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// Larger policies are of the first family only: each takes a quarter of a minute.
const OTHERS_MAX: usize = 10_000;

const FAMILIES: [&str; 6] = ["mix", "prefixes", "templates", "extensions", "substrings", "nested-3"];

/// Each policy in a process of its own, whose peak of memory is its own then.
pub(crate) fn table(asked: &[usize]) -> String {
    let head =
        ["locations", "text to policy, s", "policy to artifact, s", "peak memory, MB", "artifact, MB", "load, ms"];
    let mut lines = vec![
        "### cost: what stands before the first decision\n".to_owned(),
        table::row("family", head.map(str::to_owned).into_iter()),
        "|---".repeat(head.len() + 1) + "|",
    ];
    for family in FAMILIES {
        for size in SIZES.into_iter().filter(|size| asked.is_empty() || asked.contains(size)) {
            let is_asked = family == FAMILIES[0] || size <= OTHERS_MAX;
            if is_asked && Family::named(family).sizes.contains(&size) {
                lines.push(of_child(family, size));
            }
        }
    }
    lines.join("\n") + "\n"
}

/// The word that makes this program such a process.
pub(crate) const CHILD: &str = "--cost";

fn of_child(family: &str, size: usize) -> String {
    let program = std::env::current_exe().expect("the program that runs");
    let output = Command::new(program).args([CHILD, family, &size.to_string()]).output().expect("a child");
    let cells = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    format!("| {family} | {} | {cells} |", table::grouped(size))
}

/// Compiles the policy and loads the artifact; prints cells.
pub(crate) fn child(family: &str, size: usize) {
    let rules = Family::named(family).policy(size).rules().0;
    let began = Instant::now();
    let loaded = load_text("bench.rules", &rules);
    let load_seconds = began.elapsed().as_secs_f64();
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    let began = Instant::now();
    let compiled = match compile(&loaded.policy, &loaded.sources, &Limits::default()) {
        Ok(compiled) => compiled,
        Err(refusals) => return println!("refused: {} | | | |", refusals[0].message),
    };
    let compile_seconds = began.elapsed().as_secs_f64();
    let peak = peak_megabytes();
    let parses = (0..5).map(|_| {
        let bytes = compiled.bytes.clone();
        let began = Instant::now();
        let matcher = Matcher::parse(bytes);
        let time = nanoseconds(began.elapsed());
        assert!(matcher.is_ok(), "just compiled");
        time
    });
    let parse = median(parses.collect()) / 1e6;
    let artifact = f64::from(u32::try_from(compiled.bytes.len()).expect("below 4 GiB")) / 1e6;
    println!("{load_seconds:.3} | {compile_seconds:.3} | {peak:.0} | {artifact:.2} | {parse:.2}");
}

/// The most memory that this process had in use, as Linux says it.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<f64>().ok());
    kibibytes.unwrap_or(f64::NAN) * 1024.0 / 1e6
}
