//! One decision at 10, 100 and 1 000 locations: prefixes only, and a realistic mix.
//!
//! `cargo bench --bench decide`; the figures stand in `benches/README.md`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::std_instead_of_core,
    reason = "a benchmark fails by panicking, and says what it measured"
)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::matcher::{Matcher, Request, Scratch};
use rulec::model::load_text;
use std::fmt::Write;
use std::hint::black_box;

/// Paths that one measurement decides in turn.
const PATHS: usize = 512;

fn decide(criterion: &mut Criterion) {
    for (name, policy) in [("prefixes", prefixes as fn(&mut Random, usize) -> Policy), ("mix", mix)] {
        let mut group = criterion.benchmark_group(name);
        for locations in [10, 100, 1_000] {
            let Policy { rules, paths } = policy(&mut Random(1), locations);
            let matcher = matcher(&rules);
            let headers = [(b"Host".as_slice(), b"bench.test".as_slice())];
            let requests: Vec<Request<'_>> = paths.iter().map(|path| Request::get(path.as_bytes(), &headers)).collect();
            let mut scratch = Box::new(Scratch::new());
            let mut next = requests.iter().cycle();
            group.bench_function(BenchmarkId::from_parameter(locations), |bencher| {
                bencher.iter(|| {
                    let request = next.next().expect("a cycle does not end");
                    black_box(matcher.decide(black_box(request), &mut scratch).location)
                });
            });
        }
        group.finish();
    }
}

fn matcher(rules: &str) -> Matcher<Vec<u8>> {
    let loaded = load_text("bench.rules", rules);
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let compiled = compile(&loaded.policy, &loaded.sources, &Limits::default()).expect("within the limits");
    println!("{}", serde_json::to_string(&compiled.stats).expect("plain numbers"));
    Matcher::parse(compiled.bytes).expect("just compiled")
}

struct Policy {
    rules: String,
    paths: Vec<String>,
}

fn service(locations: &str) -> String {
    format!("service bench {{\n    server_name bench.test;\n{locations}}}\n")
}

/// Plain prefixes of one to five segments.
fn prefixes(random: &mut Random, locations: usize) -> Policy {
    let mut text = String::new();
    let prefixes: Vec<String> = (0..locations).map(|index| format!("{}r{index}/", random.path(4))).collect();
    for prefix in &prefixes {
        writeln!(text, "    location {prefix} {{ return 200; }}").expect("a string takes everything");
    }
    let paths = (0..PATHS).map(|_| format!("{}{}", random.of(&prefixes), random.name())).collect();
    Policy { rules: service(&text), paths }
}

/// 52 % prefixes, 8 % `^~`, 10 % exact, 30 % regexes.
fn mix(random: &mut Random, locations: usize) -> Policy {
    let mut text = String::new();
    let mut paths = Vec::new();
    for index in 0..locations {
        let prefix = format!("{}r{index}/", random.path(4));
        let (location, path) = match random.below(100) {
            0..52 => (prefix.clone(), format!("{prefix}{}", random.name())),
            52..60 => (format!("^~ {prefix}"), format!("{prefix}{}", random.name())),
            60..70 => (format!("= {prefix}"), prefix),
            70..85 => (format!("~ ^{prefix}[0-9]+/edit$"), format!("{prefix}{}/edit", random.below(100_000))),
            85..93 => (format!("~ ^{prefix}.*\\.x{index}$"), format!("{prefix}{}.x{index}", random.name())),
            93..97 => (format!("~* \\.ext{index}$"), format!("{prefix}{}.ext{index}", random.name())),
            _ => (format!("~ /part{index}/"), format!("{prefix}part{index}/{}", random.name())),
        };
        writeln!(text, "    location {location} {{ return 200; }}").expect("a string takes everything");
        paths.push(path);
    }
    let paths = (0..PATHS).map(|_| random.of(&paths).clone()).collect();
    Policy { rules: service(&text), paths }
}

/// A generator that gives the same numbers every time (Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    fn name(&mut self) -> String {
        const WORDS: [&str; 12] = [
            "users", "orders", "items", "static", "images", "v1", "v2", "admin", "search", "report", "invoice",
            "session",
        ];
        format!("{}{}", self.of(&WORDS), self.below(1000))
    }

    fn path(&mut self, segments: usize) -> String {
        let names: Vec<String> = (0..segments).map(|_| self.name()).collect();
        format!("/{}/", names.join("/"))
    }
}

criterion_group!(benches, decide);
criterion_main!(benches);
