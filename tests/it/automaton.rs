//! Automata against PCRE2: the same patterns, the same subjects, the same answers.

use proptest::prelude::*;
use regex_syntax::hir::{Hir, HirKind, Look};
use rulec::automaton::{Limits, Program, classify};

/// Parses as the model does: `^` is the start, `$` stays `Look::EndLF`, PCRE's.
fn hir(pattern: &str) -> Hir {
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).multi_line(true).build();
    start_only(&parser.parse(pattern).expect("a plain pattern"))
}

fn start_only(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(Look::StartLF) => Hir::look(Look::Start),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(start_only).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(start_only).collect()),
        HirKind::Capture(capture) => {
            let sub = Box::new(start_only(&capture.sub));
            Hir::capture(regex_syntax::hir::Capture { sub, ..capture.clone() })
        }
        HirKind::Repetition(repetition) => {
            let sub = Box::new(start_only(&repetition.sub));
            Hir::repetition(regex_syntax::hir::Repetition { sub, ..repetition.clone() })
        }
        _ => hir.clone(),
    }
}

/// Indices of the patterns that match each subject.
fn matching(patterns: &[String], limits: &Limits, subjects: &[Vec<u8>]) -> Vec<Vec<u32>> {
    let programs: Vec<Program> =
        patterns.iter().map(|p| Program::new(&hir(p).into(), false, 20_000).expect("small")).collect();
    let mut steps = limits.steps_max;
    let sets = classify(&programs, limits, &mut steps).expect("within the budget");
    let run = |dfa: &rulec::automaton::Dfa, subject: &[u8]| {
        let step =
            |state: u32, byte: &u8| dfa.transitions[state as usize * dfa.stride + dfa.classes[*byte as usize] as usize];
        dfa.labels[subject.iter().fold(0, step) as usize]
    };
    let decide = |subject: &Vec<u8>| {
        let mut all: Vec<u32> = sets
            .iter()
            .flat_map(|one| {
                one.dfa.sets[run(&one.dfa, subject) as usize].iter().map(|own| one.languages[*own as usize])
            })
            .collect();
        all.sort_unstable();
        all
    };
    subjects.iter().map(decide).collect()
}

fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "/", ".", "_", r"\n", " "]).prop_map(str::to_owned),
        1 => prop::sample::select(vec![r"\w", r"\d", "[^/]", "[ab]", r"\s", "[^a]"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["^", "$", r"\b", r"\B", r"\z", r"\A"]).prop_map(str::to_owned),
    ];
    atom.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| format!("({})", parts.join("|"))),
            1 => (inner, prop::sample::select(vec!["*", "+", "?", "{2}", "*?"]))
                .prop_map(|(inner, repeat)| format!("(?:{inner}){repeat}")),
        ]
    })
}

fn subject() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"ab/_ \n.9".to_vec()), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn automata_match_what_pcre_matches(
        patterns in prop::collection::vec(pattern(), 1..5),
        subjects in prop::collection::vec(subject(), 1..20),
        states_max in prop::sample::select(vec![2usize, 30, 4_000]),
    ) {
        let mut limits = Limits::default();
        limits.states_max = states_max;
        let oracles: Vec<pcre2::bytes::Regex> =
            patterns.iter().map(|p| pcre2::bytes::Regex::new(p).expect("PCRE takes it too")).collect();
        let answers = matching(&patterns, &limits, &subjects);
        for (subject, all) in subjects.iter().zip(answers) {
            let is_match = |oracle: &pcre2::bytes::Regex| oracle.is_match(subject).expect("no limit is reached");
            let expected: Vec<u32> = (0..).zip(&oracles).filter(|(_, oracle)| is_match(oracle)).map(|(i, _)| i).collect();
            prop_assert_eq!(all, expected, "{:?} {:?}", patterns, subject);
        }
    }
}
