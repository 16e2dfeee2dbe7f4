//! What the command line asks for, one family after the other.

use crate::engines::Maker;
use crate::families::{FAMILIES, Family};
use crate::race::race;
use crate::table;

/// `rivals [FAMILY...] [SIZE...]`: all families and all their sizes, unless some are named.
pub(crate) fn run(makers: &[Maker]) {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (sizes, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.bytes().all(|byte| byte.is_ascii_digit()));
    let sizes: Vec<usize> = sizes.iter().map(|size| size.parse().expect("a number")).collect();
    let families: Vec<&Family> = if names.is_empty() {
        FAMILIES.iter().collect()
    } else {
        names.iter().map(|name| Family::named(name)).collect()
    };
    for family in families {
        let asked = family.sizes.iter().filter(|size| sizes.is_empty() || sizes.contains(size));
        let races: Vec<_> = asked.map(|&size| race(family, size, makers)).collect();
        println!("{}", table::of_family(family, makers, &races));
    }
}
