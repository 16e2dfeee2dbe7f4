//! The engines that stand beside each other, each made from the same policy and asked with the same path.

pub(crate) mod as_nginx;
mod atc;
mod lazy_dfa;
pub(crate) mod ours;
mod pcre2;
mod radix;
pub(crate) mod regex_set;
mod routers;

use crate::families::policy::Policy;
use crate::measure::Timed;

/// Finds locations.
pub(crate) trait Engine {
    /// What is measured: the number that the engine has for the location that takes `path`, or [`NOTHING`].
    fn find(&mut self, path: &str) -> u32;

    /// The index in the policy's locations of what was found.
    fn location(&self, found: u32) -> u32 {
        found
    }
}

/// No location takes the path.
pub(crate) const NOTHING: u32 = u32::MAX;

/// Makes engines of one kind.
pub(crate) struct Maker {
    pub(crate) name: &'static str,
    /// None: this kind cannot express the policy.
    pub(crate) make: fn(&Policy) -> Option<Box<dyn Timed>>,
    /// Larger policies are not tried.
    pub(crate) locations_max: usize,
    /// Why not.
    pub(crate) too_large: &'static str,
}

/// Those that every machine with Rust and a C compiler can build; ours is the first.
pub(crate) fn makers() -> Vec<Maker> {
    let any = usize::MAX;
    let maker = |name, make, locations_max, too_large| Maker { name, make, locations_max, too_large };
    vec![
        maker("rulec", ours::make, any, ""),
        maker("PCRE2-JIT scan", pcre2::make, 10_000, "over 10 ms a decision"),
        maker("RegexSet + radix", regex_set::make, 10_000, "over 20 s to build"),
        maker("lazy DFA + radix", lazy_dfa::make, 10_000, "over 20 s to build"),
        maker("atc-router", atc::make, 1_000, "over 5 ms a decision"),
        maker("radix tree", radix::make, any, ""),
        maker("matchit", routers::matchit, any, ""),
        maker("wayfind", routers::wayfind, any, ""),
        maker("path-tree", routers::path_tree, any, ""),
    ]
}
