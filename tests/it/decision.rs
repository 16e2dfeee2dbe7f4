//! What a decision costs, and that it is right where it takes short cuts.

use core::fmt::Write as _;
use rulec::artifact::{Compiled, compile};
use rulec::automaton::Limits;
use rulec::matcher::{Matcher, Outcome, Request, Scratch};
use rulec::model::load_text;
use std::collections::BTreeSet;

fn compiled(rules: &str) -> Compiled {
    let loaded = load_text("decision.rules", rules);
    assert!(loaded.diagnostics.is_empty(), "{:#?}", loaded.diagnostics);
    compile(&loaded.policy, &loaded.sources, &Limits::default()).expect("within the limits")
}

/// A generator that gives the same numbers every time (Knuth's MMIX).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

#[test]
fn fifty_guarded_settings_cost_fifty_guards() {
    let mut rules = String::from("service s {\n server_name s.test;\n location / {\n");
    for number in 0..50 {
        writeln!(rules, "when header X-{number} = \"on\" {{ set response header Y-{number} \"1\"; }}").unwrap();
    }
    rules.push_str("return 204;\n }\n}\n");
    let compiled = compiled(&rules);
    assert!(compiled.stats.nodes <= 50, "{} nodes", compiled.stats.nodes);
    let matcher = Matcher::parse(compiled.bytes).expect("just compiled");
    let mut scratch = Box::new(Scratch::new());
    let mut random = Random(1);
    for _ in 0..200 {
        let set = random.0 >> 14;
        random.below(1);
        let names: Vec<String> = (0..50).map(|number| format!("x-{number}")).collect();
        let line = |number: usize| -> (&[u8], &[u8]) {
            (names[number].as_bytes(), if set >> number & 1 == 1 { b"on" } else { b"off" })
        };
        let headers: Vec<(&[u8], &[u8])> =
            core::iter::once((b"Host".as_slice(), b"s.test".as_slice())).chain((0..50).map(line)).collect();
        let decision = matcher.decide(&Request::get(b"/a", &headers), &mut scratch);
        let edits: Vec<String> = decision.edits().map(|edit| String::from_utf8_lossy(edit.name).into_owned()).collect();
        let expected: Vec<String> =
            (0..50).filter(|number| set >> number & 1 == 1).map(|number| format!("Y-{number}")).collect();
        assert_eq!(edits, expected);
    }
}

#[test]
fn headers_are_found_whatever_their_case_and_whoever_shares_their_letters() {
    let mut random = Random(7);
    let mut names = BTreeSet::new();
    while names.len() < 400 {
        // Few letters, so that many names share their length, and the letters that are looked at first.
        let octets = 1 + random.below(18);
        names.insert((0..octets).map(|_| ['a', 'b', 'z', '_', '0'][random.below(5)]).collect::<String>());
    }
    let names: Vec<String> =
        names.into_iter().filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())).collect();
    let variables: Vec<String> = names.iter().map(|name| format!("[${{http_{name}}}]")).collect();
    let rules =
        format!("service s {{\n server_name s.test;\n location / {{ return 200 \"{}\"; }}\n}}\n", variables.concat());
    let matcher = Matcher::parse(compiled(&rules).bytes).expect("just compiled");
    let mut scratch = Box::new(Scratch::new());
    for round in 0..50 {
        let mut lines: Vec<(String, String)> = Vec::new();
        for number in 0..60 {
            let name = names[random.below(names.len())].replace('_', "-");
            let spelt = if random.below(2) == 0 { name.to_ascii_uppercase() } else { name };
            // One in four is no name of the rules, but nearly.
            let spelt = if random.below(4) == 0 { spelt.replace(['0', 'z'], "Y") } else { spelt };
            lines.push((spelt, format!("{round}.{number}")));
        }
        let mut headers: Vec<(&[u8], &[u8])> =
            lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        headers.insert(30, (b"hOsT", b"s.test"));
        let expected: Vec<String> = names
            .iter()
            .map(|name| {
                let name = name.replace('_', "-");
                let of_name = lines.iter().filter(|(own, _)| own.eq_ignore_ascii_case(&name));
                let values: Vec<&str> = of_name.map(|(_, value)| value.as_str()).collect();
                format!("[{}]", values.join(", "))
            })
            .collect();
        let decision = matcher.decide(&Request::get(b"/", &headers), &mut scratch);
        let Outcome::Respond { body, .. } = decision.outcome else { panic!("{:?}", decision.outcome) };
        assert_eq!(String::from_utf8_lossy(body), expected.concat());
    }
}

#[test]
fn a_second_host_line_is_refused_wherever_it_stands() {
    let matcher =
        Matcher::parse(compiled("service s {\n server_name s.test;\n location / { return 204; }\n}\n").bytes).unwrap();
    let mut scratch = Box::new(Scratch::new());
    let mut status =
        |headers: &[(&[u8], &[u8])]| match matcher.decide(&Request::get(b"/", headers), &mut scratch).outcome {
            Outcome::Respond { status, .. } | Outcome::Refuse { status, .. } => status,
            other => panic!("{other:?}"),
        };
    let host: (&[u8], &[u8]) = (b"Host", b"s.test");
    assert_eq!(status(&[(b"Most", b"a"), host, (b"Hose", b"b")]), 204);
    assert_eq!(status(&[host, (b"a", b"b"), (b"HOST", b"s.test")]), 400);
    assert_eq!(status(&[(b"a", b"b")]), 400);
}
