//! The policies that are measured: a name, the sizes that mean something, and how one is made.
//!
//! The same name and size give the same policy every time.

mod flat;
mod github;
mod nested;
pub(crate) mod policy;
mod random;

use policy::Policy;
use random::Random;

pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) sizes: &'static [usize],
    make: fn(&mut Random, usize) -> Policy,
}

impl Family {
    pub(crate) fn policy(&self, locations: usize) -> Policy {
        (self.make)(&mut Random(1), locations)
    }

    /// Its sizes, or those of them that are in `asked`.
    pub(crate) fn sizes_of<'a>(&'a self, asked: &'a [usize]) -> impl Iterator<Item = usize> + use<'a> {
        self.sizes.iter().copied().filter(move |size| asked.is_empty() || asked.contains(size))
    }

    pub(crate) fn named(name: &str) -> &'static Self {
        FAMILIES.iter().find(|family| family.name == name).unwrap_or_else(|| panic!("no family `{name}`"))
    }
}

const SIZES: &[usize] = &[10, 100, 1_000, 10_000, 100_000];
/// Parameters in 100,000 templates multiply beyond the limits of compilation, and finding that out takes a minute.
const SIZES_TEMPLATES: &[usize] = &[10, 100, 1_000, 10_000];
const SIZES_NESTED: &[usize] = &[100, 1_000, 10_000];

pub(crate) const FAMILIES: [Family; 11] = [
    Family { name: "mix", what: "52 % prefixes, 8 % `^~`, 10 % exact, 30 % regexes", sizes: SIZES, make: flat::mix },
    Family { name: "prefixes", what: "`location /a/b/c/d/r1/`", sizes: SIZES, make: flat::prefixes },
    Family {
        name: "templates",
        what: "REST templates: `~ ^/users/[^/]+/orders$`, for routers `/users/{id}/orders`",
        sizes: SIZES_TEMPLATES,
        make: flat::templates,
    },
    Family { name: "github", what: "GitHub's routes, `=` and templates", sizes: &[142], make: github::github },
    Family { name: "extensions", what: "`~* \\.ext$`", sizes: SIZES, make: flat::extensions },
    Family { name: "substrings", what: "`~ /part/`", sizes: SIZES, make: flat::substrings },
    Family { name: "gaps", what: "`~ /from/.*/to/`, unanchored", sizes: &[10, 30, 100], make: flat::gaps },
    Family {
        name: "nested-2",
        what: "the mix in trees of two levels, ten locations inside a prefix",
        sizes: SIZES_NESTED,
        make: nested::two_levels,
    },
    Family {
        name: "flat-2",
        what: "the locations of nested-2, all on one level",
        sizes: SIZES_NESTED,
        make: |random, locations| nested::two_levels(random, locations).flattened(),
    },
    Family {
        name: "nested-3",
        what: "the mix in trees of three levels, ten inside each",
        sizes: SIZES_NESTED,
        make: nested::three_levels,
    },
    Family {
        name: "flat-3",
        what: "the locations of nested-3, all on one level",
        sizes: SIZES_NESTED,
        make: |random, locations| nested::three_levels(random, locations).flattened(),
    },
];
