//! Patterns that cost compilers dearly: each compiles or is refused by name, within a budget, and what compiles
//! decides as the definition does.

use super::{request, service};
use crate::engines::Engines;
use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::model::load_text;
use serde_json::Value;
use std::time::{Duration, Instant};

/// What a pattern may cost is counted in steps (see `Limits`); this is only against hanging, on any machine.
const HANGS: Duration = Duration::from_secs(60);

/// Beyond these states an automaton of 256 classes takes more than a quarter of 256 MiB.
const STATES_MAX: usize = 64_000;

#[test]
fn every_bomb_is_compiled_or_refused_by_name_within_its_budget() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora/regex-bombs.json"));
    let corpus: Value = serde_json::from_str(&text.expect("the corpus is there")).expect("it is JSON");
    let cases = corpus["cases"].as_array().expect("cases");
    assert!(cases.len() >= 50, "{} cases", cases.len());
    let mut outcomes = Vec::new();
    for case in cases {
        let pattern = case["pattern"].as_str().expect("a pattern");
        let quoted = format!("\"{}\"", pattern.replace('\\', "\\\\").replace('"', "\\\""));
        let location = service(&format!("location ~ {quoted} {{ return 201; }} location / {{ return 200; }}"));
        let guard = service(&format!("location / {{ when header x-bomb ~ {quoted} {{ return 201; }} return 200; }}"));
        for rules in [location, guard] {
            outcomes.push(outcome(&rules, pattern));
        }
    }
    let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    let (compiled, simulated) = (count("compiled"), count("simulated"));
    println!("{compiled} compile, {simulated} are simulated, of {}", outcomes.len());
    assert!(compiled + simulated >= 60, "{compiled} and {simulated} of {}: {outcomes:?}", outcomes.len());
}

/// `compiled` or `simulated`, or the code that refuses `rules`.
fn outcome(rules: &str, pattern: &str) -> &'static str {
    let shown: String = pattern.chars().take(60).collect();
    let began = Instant::now();
    let loaded = load_text("bomb.rules", rules);
    if let Some(mistake) = loaded.diagnostics.first() {
        assert!(mistake.code.starts_with("regex-"), "`{shown}`: {} {}", mistake.code, mistake.message);
        assert!(mistake.place.span.end > 0, "`{shown}`: a place is named");
        return mistake.code;
    }
    let compiled = compile(&loaded.policy, &loaded.sources, &Limits::default());
    assert!(began.elapsed() < HANGS, "`{shown}` took {:?}", began.elapsed());
    match compiled {
        Ok(compiled) => {
            assert!(compiled.stats.states <= STATES_MAX, "`{shown}`: {} states", compiled.stats.states);
            // PCRE2 itself refuses one of them.
            if pcre2::bytes::Regex::new(pattern).is_ok() {
                agree(rules);
            }
            let warnings = compiled.warnings.iter().filter(|warning| warning.code == "regex-simulated").count();
            assert_eq!(warnings, compiled.stats.simulated, "`{shown}`: who is simulated is told");
            if warnings == 0 { "compiled" } else { "simulated" }
        }
        Err(refusals) => {
            let refusal = refusals.first().expect("a refusal says why");
            assert_eq!(refusal.code, "regex-too-large", "`{shown}`");
            assert!(refusal.message.contains(|c: char| c.is_ascii_digit()), "`{shown}`: {}", refusal.message);
            refusal.code
        }
    }
}

/// The definition and the matcher decide the same on texts of what the patterns are made of.
fn agree(rules: &str) {
    let engines = Engines::new(rules);
    for text in TEXTS {
        let mut asked = request(&format!("/{text}"));
        asked.headers.push(("x-bomb".to_owned(), (*text).to_owned()));
        engines.decide(&asked);
    }
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "aaaaaaaa!",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    "abcXYz",
    "a.b.cZz",
    "x=y=z",
    "math=;1",
    "xxaxxxxxxxx",
    "xxaxxxxxxxxxxxxxxxxxxxx",
    "0100000000111111110000000011111111",
    "w00001",
    "w99999x",
    "api/v0/7/items",
    "api/v149/7/items/8",
    "api/v1/users/77",
    "xxxxxxxy",
    "logo.png",
    "logo.png.txt",
    "ccccdddd",
    "1,2,3,4,5,6,7,8,9,10,11,P",
    "1,2,3,4,5,6,7,8,9,10,Q",
    "foo----bar",
    "foofoofoofoofoofoofoofoofoofoofoofoofoofoofoofoofoofoofoofoo",
    "one two",
    "1/2/3/4/5/6/7/8/9/10/11/12",
    "someone@example.org",
    "1.22.333",
    "stra\u{df}e1",
];
