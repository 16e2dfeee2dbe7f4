//! One whole decision at 10 to 10,000 locations: prefixes only, and a realistic mix.
//!
//! `cargo bench --bench decide`; the policies are those of `cargo run --release --example rivals`, which sets the path's
//! part of a decision beside other engines.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::std_instead_of_alloc,
    clippy::string_slice,
    reason = "a benchmark fails by panicking, and says what it measured"
)]

#[path = "rivals/families/mod.rs"]
#[expect(dead_code, reason = "this bench asks for less than the rivals do")]
mod families;

use core::hint::black_box;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use families::Family;
use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::matcher::{Matcher, Request, Scratch};
use rulec::model::load_text;

fn decide(criterion: &mut Criterion) {
    for name in ["prefixes", "mix"] {
        let mut group = criterion.benchmark_group(name);
        for locations in [10, 100, 1_000, 10_000] {
            let policy = Family::named(name).policy(locations);
            let matcher = matcher(&policy.rules().0);
            let headers = [(b"Host".as_slice(), b"bench.test".as_slice())];
            let requests: Vec<Request<'_>> =
                policy.paths.iter().map(|path| Request::get(path.as_bytes(), &headers)).collect();
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

criterion_group!(benches, decide);
criterion_main!(benches);
