//! What the command line asks for, one section after the other.

use crate::cold::cold;
use crate::engines::Maker;
use crate::families::{FAMILIES, Family};
use crate::measure::warm;
use crate::race::races;
use crate::{cost, machine, nesting, readme, table, turns, whole};
use std::path::Path;

/// `rivals [--write] [SECTION...] [SIZE...]`: all sections and all their sizes, unless some are named.
///
/// `--write` puts what comes out into `benches/README.md` as well.
pub(crate) fn run(makers: &[Maker]) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [cost::CHILD, family, size] => cost::child(family, number(size)),
        [turns::WRITE, file, family, size] => turns::write(Path::new(file), family, number(size)),
        [turns::TURNS, file, family, size] => turns::run(Path::new(file), family, number(size)),
        [readme::WRITE, asked @ ..] => sections(asked, makers, readme::replace),
        asked => sections(asked, makers, |_, _| {}),
    }
}

/// Families whose times with cold caches are taken too, and up to which size.
const COLD: [(&str, &str); 2] = [("cold-mix", "mix"), ("cold-prefixes", "prefixes")];
const COLD_MAX: usize = 10_000;

fn sections(asked: &[&str], makers: &[Maker], also: fn(&str, &str)) {
    let (sizes, names): (Vec<&str>, Vec<&str>) =
        asked.iter().partition(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let sizes: Vec<usize> = sizes.into_iter().map(number).collect();
    let show = |name: &str, section: &dyn Fn() -> String| {
        if names.is_empty() || names.contains(&name) {
            let text = section();
            println!("{text}");
            also(name, &text);
        }
    };
    show("machine", &machine::line);
    for family in &FAMILIES {
        show(family.name, &|| of_family(family.name, family, &sizes, makers));
    }
    for (title, family) in COLD {
        show(title, &|| of_cold(title, Family::named(family), &sizes, makers));
    }
    show("nesting", &|| nesting::table(&sizes));
    show("whole", &|| whole::table(&sizes));
    show("cost", &|| cost::table(&sizes));
}

fn of_family(title: &str, family: &Family, sizes: &[usize], makers: &[Maker]) -> String {
    let races = races(family, family.sizes_of(sizes), makers, warm);
    table::of_family(title, family, makers, &races)
}

fn of_cold(title: &str, family: &Family, sizes: &[usize], makers: &[Maker]) -> String {
    let asked = family.sizes_of(sizes).filter(|&size| size <= COLD_MAX);
    let races = races(family, asked, makers, cold);
    table::of_family(title, family, makers, &races)
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}
