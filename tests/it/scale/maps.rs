//! Maps that ask maps: they cost what they say, not what their chains multiply to.

use super::{compiled, load, request, service};
use crate::engines::Engines;
use rulec::artifact::Compiled;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What maps cost is counted in steps and nodes (see `Limits`); this is only against hanging, without optimisation, on any
/// machine.
const HANGS: Duration = Duration::from_secs(40);

/// `$m0` asks `field`, each of the other `maps` the one before it, all with `cases` cases.
fn chain(maps: usize, cases: usize, field: &str) -> String {
    let mut rules = String::new();
    for map in 0..maps {
        let asked = if map == 0 { field.to_owned() } else { format!("$m{}", map - 1) };
        let _ = write!(rules, "map $m{map} {{");
        for case in 0..cases {
            let _ = write!(rules, " {asked} = v{case} -> v{};", (case * 7 + map) % cases);
        }
        rules.push_str(" default -> x; }\n");
    }
    rules
}

fn compile(rules: &str) -> Compiled {
    let began = Instant::now();
    let compiled = compiled(&load(rules)).expect("within the limits");
    assert!(began.elapsed() < HANGS, "{:?}", began.elapsed());
    compiled
}

#[test]
fn a_guard_on_a_chain_of_maps_is_as_large_as_its_last_map() {
    for (maps, cases) in [(16, 3), (5, 30), (20, 30), (3, 100), (2, 300), (400, 4)] {
        let last = maps - 1;
        let guarded = format!("location / {{ when $m{last} = v1 {{ return 403; }} return 200 $m{last}; }}");
        let rules = chain(maps, cases, "header x") + &service(&guarded);
        let stats = compile(&rules).stats;
        assert!(stats.nodes < 4 * maps * cases, "{maps} maps of {cases}: {stats:?}");
    }
}

/// What the text says is what the guard says, at every place of a chain, for the definition and the matcher.
#[test]
fn a_chain_of_maps_decides_as_its_texts_do() {
    let (maps, cases) = (16, 3);
    let mut locations = String::new();
    for map in [0, 1, 7, 15] {
        let _ = write!(locations, "location = /{map} {{");
        for value in ["v0", "v1", "v2", "x", ""] {
            let _ = write!(locations, " when $m{map} = \"{value}\" {{ return 200 \"{value} $m{map}\"; }}");
        }
        locations.push_str(" return 500; }\n");
    }
    let engines = Engines::new(&(chain(maps, cases, "header x") + &service(&locations)));
    for map in [0, 1, 7, 15] {
        for value in ["v0", "v1", "v2", "other"] {
            let mut asked = request(&format!("/{map}"));
            asked.headers.push(("x".to_owned(), value.to_owned()));
            let body = engines.decide(&asked).and_then(|verdict| verdict.body).expect("a text");
            let (guard, text) = body.split_once(' ').expect("two words");
            assert_eq!(guard, text, "map {map}, {value}");
        }
    }
}

/// Operators, `not`, blocks in blocks, and maps of several fields.
#[test]
fn whatever_asks_a_chain_is_shared() {
    let mut rules = String::from("map $m0 { header a = \"1\" and not cookie b = \"1\" -> on; default -> $http_c; }\n");
    for map in 1..24 {
        let before = map - 1;
        let _ = writeln!(
            rules,
            "map $m{map} {{ not $m{before} in on off -> off; $m{before} ~ ^o and ( header d{} present or $m{before} ^~ off ) -> on;
             $m{before} ~* N$ -> $http_c; $m{before} has on -> \"on, off\"; default -> off; }}",
            map % 3
        );
    }
    let nested = (0..24).rev().fold("return 200;".to_owned(), |inner, map| {
        format!("when not $m{map} = on {{ set response header x-{map} $m{map}; {inner} }} when $m{map} ~ f {{ return 201; }}")
    });
    compile(&(rules + &service(&format!("location / {{ {nested} return 204; }}"))));
}

/// A map that is really large in all its fields is refused, and its chain is told.
#[test]
fn what_a_chain_makes_too_large_is_refused_by_its_names() {
    // Which of two fields of many is asked for is written in the order that costs most: all pairs.
    let mut rules = String::new();
    for (map, first) in [("a", 0), ("b", 16)] {
        let _ = write!(rules, "map ${map} {{");
        for case in 0..16 {
            let _ = write!(rules, " header h{:02} = 1 and header h{:02} = 1 -> 1;", first + case, 47 - first - case);
        }
        rules.push_str(" default -> 0; }\n");
    }
    rules.push_str("map $c { $a = 1 and $b = 1 -> 1; default -> 0; }\nmap $d { $c = 1 -> 1; default -> 0; }\n");
    for case in 0..24 {
        let _ = writeln!(
            rules,
            "map $e{case} {{ header h{case:02} = 1 and header h{:02} = 2 -> 1; default -> 0; }}",
            47 - case
        );
    }
    let all: Vec<String> = (0..24).map(|case| format!("$e{case} = 1")).collect();
    let _ = writeln!(rules, "map $f {{ {} -> 1; $d = 1 -> 2; default -> 0; }}", all.join(" or "));
    let rules = rules + &service("location / { when $f = 1 { return 403; } return 200; }");
    let began = Instant::now();
    let refusals = compiled(&load(&rules)).map(|compiled| compiled.stats).expect_err("too large");
    assert!(began.elapsed() < HANGS, "{:?}", began.elapsed());
    assert_eq!(refusals.len(), 1, "{refusals:#?}");
    assert_eq!(refusals[0].code, "guard-too-large");
    assert!(refusals[0].message.contains('$'), "{refusals:#?}");
}

/// Guards that ask a map for more values than anybody has are refused before they cost anything.
#[test]
fn a_map_is_not_asked_without_end() {
    let (mut cases, mut guards) = (String::new(), String::new());
    for case in 0..4_000 {
        let _ = writeln!(cases, "header x = v{case} -> v{case};");
    }
    for own in 0..1_100 {
        let _ = writeln!(guards, "when $m ^~ v{own} {{ set response header x-{own} 1; }}");
    }
    let rules = format!("map $m {{ {cases} }}\n") + &service(&format!("location / {{ {guards} return 200; }}"));
    let began = Instant::now();
    let refusals = compiled(&load(&rules)).map(|compiled| compiled.stats).expect_err("too often");
    assert!(began.elapsed() < HANGS, "{:?}", began.elapsed());
    assert_eq!(refusals.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), ["map-asked-too-often"]);
}

/// A text of a large map looks at blocks of cases, and decides as a walk over all of them does.
#[test]
fn a_large_map_gives_the_value_of_its_first_case() {
    for count in [1, 63, 64, 65, 128, 129, 700] {
        let case = |case: usize| format!(" header x ^~ v{} -> r{case};\n", case * 37 % count);
        let cases: String = (0..count).map(case).collect();
        let engines = Engines::new(
            &(format!("map $m {{ {cases} default -> none; }}\n")
                + &service("location / { when $m = r1 { return 200 \"one $m\"; } return 200 $m; }")),
        );
        for value in (0..count + 3).step_by(1 + count / 90) {
            let mut asked = request("/");
            asked.headers.push(("x".to_owned(), format!("v{value}")));
            engines.decide(&asked);
        }
        engines.decide(&request("/"));
    }
}
