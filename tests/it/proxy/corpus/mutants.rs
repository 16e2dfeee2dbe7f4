//! Requests that are nearly those of the corpora: octets flipped, pieces of one in another.

use std::thread;

use super::http1::{HTTP1, LLHTTP, PROBES, is_part_of};
use super::recorder::{Bench, Outcome};
use super::strict::{self, Request};
use super::{Raw, cases};
use crate::live_nginx::random::{Random, fresh_seed};

/// How many of a run's mutants one gateway sees.
const LOT: u64 = 5000;

fn corpus() -> Vec<Vec<u8>> {
    let all = [HTTP1, PROBES, LLHTTP].iter().flat_map(|text| cases::<Raw>(text));
    all.map(|case| case.octets()).filter(|octets| (1..4096).contains(&octets.len())).collect()
}

/// Octets that mean something somewhere.
const TELLING: &[u8] = b"\r\n \t:;,=0129afF\0/\x0b\x7f\xff-+\"xG";

fn mutant(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut octets = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(3) {
        let at = random.below(octets.len() + 1);
        match random.below(6) {
            0 => {
                if let Some(octet) = octets.get_mut(at) {
                    *octet ^= 1 << random.below(8);
                }
            }
            1 => {
                if let Some(octet) = octets.get_mut(at) {
                    *octet = TELLING[random.below(TELLING.len())];
                }
            }
            2 => octets.insert(at, TELLING[random.below(TELLING.len())]),
            3 => {
                octets.drain(at..(at + 1 + random.below(4)).min(octets.len()).max(at));
            }
            4 => {
                // A piece of another.
                let other = &corpus[random.below(corpus.len())];
                let from = random.below(other.len());
                let piece = &other[from..(from + 1 + random.below(40)).min(other.len())];
                octets.splice(at..at, piece.iter().copied());
            }
            _ => {
                // The end of another.
                let other = &corpus[random.below(corpus.len())];
                octets.truncate(at);
                octets.extend_from_slice(&other[random.below(other.len())..]);
            }
        }
        if octets.is_empty() {
            octets.push(b'\n');
        }
    }
    octets
}

#[test]
fn no_mutant_reaches_the_upstream_but_as_what_stands_there_by_the_letter() {
    let count = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (mutants, seed) = (count("RULEC_MUTANTS", 20_000), count("RULEC_SEED", fresh_seed()));
    let corpus = corpus();
    let mut forwarded = 0;
    let mut left = mutants;
    let mut random = Random::new(seed);
    while left > 0 {
        let lot = left.min(LOT);
        left -= lot;
        let octets: Vec<Vec<u8>> = (0..lot).map(|_| mutant(&corpus, &mut random)).collect();
        forwarded += run(&octets, seed);
    }
    // Were everything refused, nothing would have been tried.
    assert!(forwarded * 50 > mutants, "{forwarded} of {mutants} forwarded");
}

/// Asks all of a lot; how many requests reached the upstream.
fn run<'l>(lot: &'l [Vec<u8>], seed: u64) -> u64 {
    let bench = Bench::start();
    let (lanes, bench_here) = (16, &bench);
    let outcomes: Vec<(Vec<Request>, &'l Vec<u8>, Outcome)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..lanes)
            .map(|lane| {
                let ask = move |octets: &'l Vec<u8>| (strict::requests(octets), octets, bench_here.ask(octets, 0));
                scope.spawn(move || lot.iter().skip(lane).step_by(lanes).map(ask).collect::<Vec<_>>())
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("asked")).collect()
    });
    let recorded = bench.finish();
    assert!(recorded.wrong.is_empty(), "seed {seed}: {:#?}", recorded.wrong);
    let none = Vec::new();
    for (sent, octets, outcome) in &outcomes {
        let came = recorded.by_client.get(&outcome.client).unwrap_or(&none);
        let text = octets.escape_ascii();
        assert!(is_part_of(came, sent), "seed {seed}: {came:#?}\nof {text}\nwhich is {sent:#?}");
    }
    recorded.by_client.values().map(|requests| u64::try_from(requests.len()).expect("small")).sum()
}
