//! Regexes whose automata are too large in either direction are simulated, and decide as the definition does.

use super::{Random, compiled, load, request, service};
use crate::engines::Engines;

/// An automaton of it has to know where all the `a` of the last twenty bytes were, whatever it reads first.
fn wide(end: &str) -> String {
    format!("[ab]*a[ab]{{20}}c[ab]{{20}}a[ab]*{end}")
}

#[test]
fn what_has_no_automaton_is_simulated_and_decided_in_its_order() {
    let rules = service(&format!(
        "location ~ ^/x {{ return 201; }}
         location ~ \"{}\" {{ return 202; location ~ \"{}\" {{ return 203; }} }}
         location ~ \"{}\" {{ return 204; }}
         location ~ b$ {{ return 205; }}
         location ~ \"{}\" {{ return 206; }}
         location / {{ return 200; }}",
        wide("d"),
        wide("d/e"),
        wide("d?$"),
        wide(""),
    ));
    let built = compiled(&load(&rules)).expect("they are simulated");
    assert_eq!(built.stats.simulated, 4, "{:?}", built.stats);
    let warned = built.warnings.iter().filter(|warning| warning.code == "regex-simulated").count();
    assert_eq!(warned, 4, "{:#?}", built.warnings);
    let engines = Engines::new(&rules);
    let mut random = Random(11);
    for _ in 0..400 {
        let mut letters =
            |count: u64| -> String { (0..count).map(|_| if random.below(8) == 0 { 'b' } else { 'a' }).collect() };
        let (start, middle, end) = (letters(25), letters(24), letters(3));
        let (head, tail) =
            (["/", "/x"][random.below(9) as usize / 8], ["", "d", "d/e", "b", "/"][random.below(5) as usize]);
        engines.decide(&request(&format!("{head}{start}c{middle}{end}{tail}")));
    }
}

#[test]
fn what_is_large_in_one_direction_is_read_in_the_other() {
    for pattern in ["^[ab]*a[ab]{20}$", "[ab]*a[ab]{20}c", "^/(a|b)*a[ab]{18}c$", "a[ab]{20}c$"] {
        let rules = service(&format!("location ~ \"{pattern}\" {{ return 201; }} location / {{ return 200; }}"));
        let stats = compiled(&load(&rules)).expect("within the limits").stats;
        assert!(stats.simulated == 0 && stats.states < 1_000, "`{pattern}`: {stats:?}");
        let engines = Engines::new(&rules);
        for count in 15..25 {
            for (start, end) in [("/", ""), ("/b", "c"), ("/a", "c"), ("/ba", "c/")] {
                engines.decide(&request(&format!("{start}a{}{end}", "b".repeat(count))));
            }
        }
    }
}

#[test]
fn what_would_take_too_long_to_simulate_is_refused_by_name() {
    let one = |number: usize| format!("location ~ \"{}/{number}\" {{ return 201; }}", wide(""));
    let level = |count: usize| service(&(0..count).map(one).collect::<String>());
    assert!(compiled(&load(&level(3))).is_ok());
    let refusals = compiled(&load(&level(20))).expect_err("too many to simulate");
    for refusal in &refusals {
        assert_eq!(refusal.code, "regex-too-large");
        assert!(refusal.message.contains("1000") && refusal.place.span.end > 0, "{}", refusal.message);
    }
    assert!(refusals.len() < 20, "the first are within the limit");
}
