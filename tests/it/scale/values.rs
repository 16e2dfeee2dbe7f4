//! Many values of one field: the artifact grows with them, not with their square.

use super::{Random, compiled, load, request, service};
use crate::engines::Engines;

/// A location with a guard for each of `values` values of one header.
fn guards(values: usize) -> String {
    let guard = |value: usize| format!("when header x-tenant = t{value} {{ set response header x-route r{value}; }}\n");
    let guards: String = (0..values).map(guard).collect();
    service(&format!("location / {{ {guards} return 200; }}"))
}

#[test]
fn guards_with_a_value_each_cost_a_row_each() {
    let octets = |values| compiled(&load(&guards(values))).expect("within the limits").bytes.len();
    let (some, many) = (octets(500), octets(5_000));
    assert!(many < some * 12, "{some} octets for 500 values, {many} for 5 000");
}

#[test]
fn a_list_of_values_is_one_question() {
    let list = |values: usize| (0..values).map(|value| format!("t{value}")).collect::<Vec<_>>().join(" ");
    let rules = |values| {
        service(&format!("location / {{ when header x-tenant in {} {{ return 403; }} return 200; }}", list(values)))
    };
    let compiled = compiled(&load(&rules(10_000))).expect("within the limits");
    assert!(compiled.stats.nodes == 1 && compiled.stats.classes == 3, "{:?}", compiled.stats);
    assert!(compiled.bytes.len() < 600_000, "{:?}", compiled.stats);
}

#[test]
fn long_values_are_kept_as_they_are() {
    let value = |value: u64| format!("{:016x}{:016x}", value.wrapping_mul(0x9E37_79B9_7F4A_7C15), value);
    let guard = |own: u64| format!("when header x = {} {{ set response header x-route r{own}; }}\n", value(own));
    let rules = service(&format!("location / {{ {} return 200; }}", (0..1_000).map(guard).collect::<String>()));
    let compiled = compiled(&load(&rules)).expect("within the limits");
    assert!(compiled.bytes.len() < 300_000, "{:?}", compiled.stats);
    let engines = Engines::new(&rules);
    for own in (0..1_100).step_by(13) {
        let mut asked = request("/");
        asked.headers.push(("x".to_owned(), value(own)));
        engines.decide(&asked);
    }
}

#[test]
fn patterns_that_multiply_each_other_are_kept_apart() {
    let guard = |word: usize| format!("when header accept ~ word{word:02} {{ set response header x-{word} yes; }}\n");
    let guards: String = (0..60).map(guard).collect();
    let rules = service(&format!("location / {{ {guards} return 200; }}"));
    let stats = compiled(&load(&rules)).expect("within the limits").stats;
    assert!(stats.automata < 16 && stats.states < 60_000, "{stats:?}");
}

/// Values, beginnings and regexes of one header: few (one automaton), more (a trie beside the regexes), many (a table).
#[test]
fn values_are_found_whatever_they_share_a_header_with() {
    for (seed, guards) in [(1, 10), (2, 40), (3, 150), (4, 300), (5, 900), (6, 900)] {
        let mut random = Random(seed);
        let text = |random: &mut Random| {
            let length = random.below(4);
            (0..length).map(|_| ["a", "b", "c", ", "][random.below(4) as usize]).collect::<String>()
        };
        let mut rules = String::new();
        for number in 0..guards {
            let (one, other) = (text(&mut random), text(&mut random));
            let question = match random.below(if seed % 2 == 0 { 5 } else { 4 }) {
                0 => "present".to_owned(),
                1 => format!("in \"{one}\" \"{other}\""),
                2 if !one.is_empty() => format!("^~ \"{one}\""),
                4 => format!("~ \"{one}.{other}$\""),
                _ => format!("= \"{one}\""),
            };
            rules.push_str(&format!("when header x {question} {{ set response header x-{number} yes; }}\n"));
        }
        let engines = Engines::new(&service(&format!("location / {{ {rules} return 200; }}")));
        engines.decide(&request("/"));
        for _ in 0..300 {
            let mut asked = request("/");
            for _ in 0..random.below(5).clamp(1, 2) {
                asked.headers.push(("x".to_owned(), format!("{}{}", text(&mut random), text(&mut random))));
            }
            engines.decide(&asked);
        }
    }
}
