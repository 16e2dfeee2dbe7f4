//! Look-around, possessive parts and flags against PCRE2: definition, automata and matcher say what it says.
//!
//! 1 500 patterns in every run; `RULEC_PATTERNS` for more, `RULEC_SEED` to repeat a run.

use crate::engines::{Engines, Pcre};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use rulec::automaton::{Limits, Program, classify};
use rulec::model::semantics::{Regexes, Simulation};
use rulec::model::{LocationPaths, Pattern, RequestRecord, load_text};
use std::cell::Cell;

fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        6 => prop::sample::select(vec!["a", "b", "/", ".", "_", "c"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![r"\w", r"\d", "[^/]", "[ab]", "[[:alpha:]]", "[^a]", "(?i:A)"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["^", "$", r"\b", r"\B", r"\z", r"\A", "(?m:^)", "(?m:$)"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["a++", "[^/]*+", r"\d?+", "(?>a|b)", "(?>ab|a)", "(?>a*)"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["(?<=a)", "(?<!/)", "(?<!ab|c)", "(?<=/a)", "(?<=^/)"]).prop_map(str::to_owned),
    ];
    atom.prop_recursive(4, 14, 4, |inner| {
        prop_oneof![
            5 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| format!("({})", parts.join("|"))),
            1 => prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            3 => (prop::collection::vec(inner.clone(), 1..3), prop::sample::select(vec!["?=", "?!", "?<=", "?<!"]))
                .prop_map(|(parts, look)| format!("({look}{})", parts.join("|").replace('(', "(?:").replace("(?:?", "(?"))),
            1 => (inner, prop::sample::select(vec!["*", "+", "?", "{2}", "*?", "++"]))
                .prop_map(|(inner, repeat)| format!("(?:{inner}){repeat}")),
        ]
    })
}

/// A path, so that a location can be asked for it too.
fn subject() -> impl Strategy<Value = String> {
    let segment = "[abcA1_.]{0,4}".prop_filter("no dot segment", |text| text != "." && text != "..");
    prop::collection::vec(segment, 1..4).prop_map(|segments| format!("/{}", segments.join("/")))
}

struct Counts {
    taken: Cell<u32>,
    matched: Cell<u32>,
    looked: Cell<u32>,
}

#[test]
fn every_engine_looks_around_as_pcre_does() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let cases = number("RULEC_PATTERNS").unwrap_or(1_500);
    let seed = number("RULEC_SEED").unwrap_or(7);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(cases).expect("a count"),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let counts = Counts { taken: Cell::new(0), matched: Cell::new(0), looked: Cell::new(0) };
    let input = (pattern(), prop::collection::vec(subject(), 12));
    let outcome = runner.run(&input, |(pattern, subjects)| check(&pattern, &subjects, &counts));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(difference, input)) => panic!("RULEC_SEED={seed} {input:?}\n{difference}"),
        Err(TestError::Abort(why)) => panic!("RULEC_SEED={seed}\n{why}"),
    }
    let (taken, matched, looked) = (counts.taken.get(), counts.matched.get(), counts.looked.get());
    println!("{taken} patterns taken, {looked} with look-around, {matched} matches");
    let enough = u32::try_from(cases / 10).expect("a count");
    assert!(taken > enough && looked > enough / 4 && matched > enough, "{taken} {looked} {matched}");
}

/// What look-around costs: `cargo test --test it realistic -- --nocapture` shows the figures.
#[test]
fn realistic_look_around_stays_small() {
    let cases = [
        (r"^/(?!api/|static/).*\.php$", 40),
        (r"^(?!.*\.(css|js)$)/x", 40),
        (r"(?<!\.min)\.js$", 40),
        (r"^(?=.*a)(?=.*b)(?=.*c)(?=.*\d).{8,}$", 400),
        (r"^/(?!(?:en|de|fr|es|it|pt|nl|pl|ru|ja)/)[a-z]{2}/", 60),
        (r"(?<=/v\d)/(?!internal|debug)\w+(?!\.bak)$", 120),
    ];
    for (source, most) in cases {
        let regex = rulec::regex::parse(source, false).expect(source);
        let began = std::time::Instant::now();
        let program = Program::new(&regex.meaning, false, 20_000).expect(source);
        let limits = Limits::default();
        let mut steps = limits.steps_max;
        let automata = classify(&[program], &limits, &mut steps).expect(source);
        let (states, took) = (automata[0].dfa.labels.len(), began.elapsed());
        println!("{source}: {states} states, {} steps, {took:?}", limits.steps_max - steps);
        assert!(states <= most, "{source}: {states} states");
    }
    let beyond = rulec::regex::parse(r"(?=.*a.{18}b).*c", false).expect("it is a regex");
    let program = Program::new(&beyond.meaning, false, 20_000).expect("small");
    let limits = Limits::default();
    let refused = classify(&[program], &limits, &mut limits.steps_max.clone());
    let refused = refused.map_err(|refused| refused.language);
    assert_eq!(refused, Err(0), "what is beyond the budget is refused by its index");
}

/// All engines on the location `~ pattern`; a pattern that is refused is not counted.
fn check(source: &str, subjects: &[String], counts: &Counts) -> Result<(), TestCaseError> {
    let rules = rules(source);
    let loaded = load_text("case.rules", &rules);
    let Some(pattern) = loaded.policy.locations.iter().find_map(|location| match &location.paths {
        LocationPaths::Regex(pattern) if pattern.meaning.is_some() => Some(pattern),
        _ => None,
    }) else {
        return Ok(());
    };
    let meaning = pattern.meaning.as_ref().expect("it has one");
    counts.taken.set(counts.taken.get() + 1);
    counts.looked.set(counts.looked.get() + u32::from(!meaning.looks.is_empty()));
    let pcre = Pcre::default();
    let program = Program::new(meaning, false, 20_000).expect("small");
    let limits = Limits::default();
    let automata = classify(&[program], &limits, &mut limits.steps_max.clone()).expect("small");
    let lines = subjects.iter().map(|path| format!("{path}\n{path}\n"));
    for subject in subjects.iter().cloned().chain(lines) {
        let expected = pcre.captures(pattern, subject.as_bytes());
        if pcre.gave_up() {
            continue;
        }
        counts.matched.set(counts.matched.get() + u32::from(expected.is_some()));
        let dfa = &automata[0].dfa;
        let step =
            |state: u32, byte: u8| dfa.transitions[state as usize * dfa.stride + dfa.classes[byte as usize] as usize];
        let label = dfa.labels[subject.bytes().fold(0, step) as usize];
        prop_assert_eq!(
            !dfa.sets[label as usize].is_empty(),
            expected.is_some(),
            "automaton: {} {:?}",
            source,
            subject
        );
        let own = Simulation::default().captures(pattern, subject.as_bytes());
        prop_assert_eq!(own.is_some(), expected.is_some(), "definition: {} {:?}", source, subject);
        if !captures_of_empty_loops(pattern) {
            prop_assert_eq!(own, expected, "definition's groups: {} {:?}", source, subject);
        }
    }
    if captures_of_empty_loops(pattern) {
        return Ok(());
    }
    let Some(engines) = Engines::within_budget(&rules) else { return Ok(()) };
    for path in subjects {
        engines.agree(&RequestRecord::new(path)).map_err(TestCaseError::fail)?;
    }
    Ok(())
}

/// The known difference: what a group in a loop holds after a round that took nothing.
fn captures_of_empty_loops(pattern: &Pattern) -> bool {
    !pattern.groups.is_empty() && [")*", ")+", "){2}", ")?"].iter().any(|loops| pattern.source.contains(loops))
}

fn rules(pattern: &str) -> String {
    let quoted = pattern.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "service s {{ server_name localhost; merge_slashes off; location ~ \"{quoted}\" {{ return 200 \"$1|$2|$3\"; }} \
         location / {{ rewrite \"{quoted}\" \"/r-$1-$2\" break; return 200 \"$uri\"; }} }}"
    )
}
