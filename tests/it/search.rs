//! The search for a location against what nginx does: the longest prefix, then PCRE2, one regex after the other.

use crate::engines::pcre;
use pcre2::bytes::Regex;
use proptest::prelude::*;
use proptest::sample::select;
use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::diagnostic::Severity;
use rulec::matcher::{Found, Matcher};
use rulec::model::load_text;

/// A location of a flat level.
#[derive(Clone, Debug)]
enum Location {
    /// `=`, nothing or `^~`.
    Literal { modifier: &'static str, path: String },
    /// `~` or `~*`.
    Regex { caseless: bool, pattern: String },
}

fn location() -> impl Strategy<Value = Location> {
    let path = prop::collection::vec(select(vec!["a", "b", "a/", "ab"]), 0..5)
        .prop_map(|parts| format!("/{}", parts.concat()));
    prop_oneof![
        1 => (select(vec!["=", "", "^~"]), path).prop_map(|(modifier, path)| Location::Literal { modifier, path }),
        2 => (any::<bool>(), pattern()).prop_map(|(caseless, pattern)| Location::Regex { caseless, pattern }),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        9 => select(vec!["a", "b", "/", "ab", "/a", "ba/", "A", r"\.", "."]),
        3 => select(vec![r"\d", "[^/]", "[ab]", "[^a]", r"\w"]),
        6 => select(vec![".*", ".+", ".*?", r"[\s\S]*", ".{2,}"]),
        3 => select(vec!["a*", "[^/]+", "[^/]*/ab", "(?:ab)?", r"\d+", "(a|b/)+", "(a|.*b)"]),
        1 => select(vec![r"\b", r"\n", "(?=a)", "(?!b)", "(^|/)"]),
    ];
    let parts = (select(vec!["", "", "^", "^/"]), prop::collection::vec(atom, 1..7), select(vec!["", "", "$", r"\z"]));
    let one = parts.prop_map(|(start, atoms, end)| format!("{start}{}{end}", atoms.concat()));
    prop_oneof![9 => one.clone(), 1 => (one.clone(), one).prop_map(|(one, other)| format!("{one}|{other}"))]
}

fn path() -> impl Strategy<Value = String> {
    let part = select(vec!["a", "b", "/", "ab", ".", "A", "1", "aab", "ba/", "\n"]);
    prop::collection::vec(part, 0..12).prop_map(|parts| format!("/{}", parts.concat()))
}

/// What nginx chooses.
struct Oracle {
    literals: Vec<(&'static str, String, u32)>,
    regexes: Vec<(Regex, u32)>,
}

impl Oracle {
    fn find(&self, path: &str) -> Found {
        let exact = self.literals.iter().find(|(modifier, own, _)| *modifier == "=" && own == path);
        if let Some((_, _, location)) = exact {
            return Found::Location(*location);
        }
        let prefixes = self.literals.iter().filter(|(modifier, own, _)| *modifier != "=" && path.starts_with(own));
        let longest = prefixes.max_by_key(|(_, own, _)| own.len());
        let prefix = longest.map_or(Found::Nothing, |(_, _, location)| Found::Location(*location));
        if longest.is_some_and(|(modifier, ..)| *modifier == "^~") {
            return prefix;
        }
        let is_match = |regex: &Regex| regex.is_match(path.as_bytes()).expect("no limit is reached");
        let regex = self.regexes.iter().find(|(regex, _)| is_match(regex));
        regex.map_or(prefix, |(_, location)| Found::Location(*location))
    }
}

/// The rules of `locations`, as far as PCRE2 takes their patterns and no other has their path, and what nginx makes of
/// them.
fn policy(locations: &[Location]) -> (String, Oracle) {
    let mut oracle = Oracle { literals: Vec::new(), regexes: Vec::new() };
    let mut rules = "service s default {\n    slash_redirect off;\n".to_owned();
    let mut number = 0;
    for location in locations {
        let head = match location {
            Location::Literal { modifier, path } => {
                let is_same =
                    |(other, own, _): &(&str, String, u32)| own == path && (*other == "=") == (*modifier == "=");
                if oracle.literals.iter().any(is_same) {
                    continue;
                }
                oracle.literals.push((modifier, path.clone(), number));
                format!("{modifier} {path}")
            }
            Location::Regex { caseless, pattern } => {
                let Ok(regex) = pcre(pattern, *caseless) else { continue };
                oracle.regexes.push((regex, number));
                format!("{} \"{pattern}\"", if *caseless { "~*" } else { "~" })
            }
        };
        rules += &format!("    location {head} {{ return 200; }}\n");
        number += 1;
    }
    (rules + "}\n", oracle)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn search_finds_what_nginx_finds(
        locations in prop::collection::vec(location(), 1..9),
        paths in prop::collection::vec(path(), 40),
        states_max in select(vec![0usize, 3, 20, 4_000]),
        steps_of_one_max in select(vec![0u64, 20, 100, 40_000_000]),
    ) {
        let (rules, oracle) = policy(&locations);
        let loaded = load_text("case.rules", &rules);
        prop_assume!(loaded.diagnostics.iter().all(|found| found.severity != Severity::Error));
        let mut limits = Limits::default();
        limits.states_max = states_max;
        limits.steps_of_one_max = steps_of_one_max;
        let compiled = compile(&loaded.policy, &loaded.sources, &limits).expect("within the budget");
        let matcher = Matcher::parse(compiled.bytes).expect("just compiled");
        for path in &paths {
            prop_assert_eq!(matcher.find(0, path.as_bytes()), oracle.find(path), "{}{:?}", rules, path);
        }
    }
}
