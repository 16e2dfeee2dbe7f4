//! How often a path is read does not follow the number of locations.

use super::{Random, compiled, load, service};

/// Exact and prefix locations, and regexes of each kind that is looked for in another way.
fn locations(count: u32) -> String {
    let mut random = Random(5);
    let own = (0..count).map(|index| {
        let path = format!("/s{}/v{}/r{index}", random.below(300), random.below(3));
        let location = match index % 7 {
            0 => format!("= {path}/"),
            1 => format!("^~ {path}/"),
            2 => format!("{path}/"),
            3 => format!("~ ^{path}/[0-9]+/edit$"),
            4 => format!("~ ^{path}/.*x{index}$"),
            5 => format!("~* \\.e{index}$"),
            _ => format!("~ /part{index}/"),
        };
        format!("location {location} {{ return 200; }}\n")
    });
    service(&own.collect::<String>())
}

#[test]
fn three_thousand_locations_are_read_in_as_many_passes_as_fourteen() {
    let automata = |count| compiled(&load(&locations(count))).expect("within the limits").stats.automata;
    assert_eq!(automata(3_000), automata(14));
}
