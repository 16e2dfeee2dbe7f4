//! A real nginx and the engines, asked the same: random location trees, random targets.
//!
//! 20 000 verdicts in every run; `RULEC_LIVE=1000000 tests/run live_nginx` for a million. `RULEC_SEED` repeats a run.

mod configuration;
mod forwarding;
mod nginx;
pub(crate) mod random;
mod tree;
mod within;

use crate::corpora::escaped_location;
use crate::engines::Engines;
use nginx::{Answer, Nginx};
use random::Random;
use rulec::model::{RequestRecord, Verdict, VerdictKind};
use std::io::Write;
use tree::Tree;

/// Trees in one nginx.
const TREES: usize = 200;
/// Requests for each.
const REQUESTS: usize = 100;

/// C1 of ATTACKS: verdicts identical to a live nginx.
#[test]
fn a_live_nginx_answers_the_same() {
    let wanted = number("RULEC_LIVE").unwrap_or(20_000);
    let seed = random::seed();
    let (mut verdicts, mut round) = (0, 0);
    while verdicts < wanted {
        verdicts += compare(Random::new(seed.wrapping_add(round)), seed);
        round += 1;
    }
    say(&format!(
        "live nginx: {verdicts} verdicts on {} trees, all the same (RULEC_SEED={seed})",
        round * TREES as u64
    ));
}

fn compare(mut random: Random, seed: u64) -> u64 {
    // nginx reads the target before the Host, so that the default server's `merge_slashes` counts for all of an address;
    // here each service has its own.
    let merges_slashes = random.chance(80);
    let trees: Vec<Tree> = (0..TREES).map(|number| Tree::new(number, merges_slashes, &mut random)).collect();
    let nginx = Nginx::start(&trees.iter().map(Tree::conf).collect::<String>());
    let mut verdicts = 0;
    for tree in &trees {
        let engines = Engines::new(&tree.rules());
        let targets: Vec<String> = (0..REQUESTS).map(|_| tree.target(&mut random)).collect();
        let answers = nginx.ask(&tree.host(), &targets);
        for (target, answer) in targets.iter().zip(answers) {
            let mut request = RequestRecord::new(target.as_str());
            request.host = Some(tree.host());
            let Some(verdict) = engines.decide(&request) else { continue };
            let ours = answer_of(&verdict);
            let theirs = in_our_words(answer, &tree.host());
            assert_eq!(ours, theirs, "{}\n{target:?}\n{verdict:?}\nseed {seed}\n{}", tree.rules(), tree.conf());
            verdicts += 1;
        }
    }
    verdicts
}

/// What a client would see of `verdict`; what is sent upstream as the upstream tells it.
fn answer_of(verdict: &Verdict) -> Answer {
    let status = verdict.status.unwrap_or(200);
    match verdict.verdict {
        Some(VerdictKind::Proxy) => {
            let target = verdict.forward.as_ref().map(|forward| forward.target.as_str()).unwrap_or_default();
            if !target.starts_with('/') {
                // A rewrite has left a path without its slash: nginx sends a broken request line, and gets 400.
                return Answer { status: 400, location: None, body: None };
            }
            let name = verdict.name.as_deref().unwrap_or_default();
            Answer { status: 200, location: None, body: Some(format!("P|{name}|{target}")) }
        }
        Some(VerdictKind::Respond) => Answer { status, location: None, body: verdict.body.clone() },
        _ => Answer { status, location: verdict.redirect.clone(), body: None },
    }
}

/// Where we differ on purpose: no location is 404 (nginx looks for a file then: 403 for a directory), a redirect to a
/// path begins with one slash, and a Location holds what no URI does as its escape.
fn in_our_words(answer: Answer, host: &str) -> Answer {
    let origin = format!("http://{host}");
    let location = answer.location.map(|location| match location.strip_prefix(&origin) {
        Some(path) if path.starts_with('/') => format!("{origin}/{}", path.trim_start_matches(['/', '\\'])),
        _ => location,
    });
    let location = location.as_deref().map(escaped_location);
    let status = if answer.status == 403 { 404 } else { answer.status };
    let body = answer.body.filter(|_| status == 200);
    Answer { status, location, body }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// Says `line` past the test harness, which keeps what tests print.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error takes a line");
}
