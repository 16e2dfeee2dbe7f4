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
}

/// Those that every machine with Rust and a C compiler can build; ours is the first.
pub(crate) fn makers() -> Vec<Maker> {
    vec![
        Maker { name: "rulec", make: ours::make },
        Maker { name: "PCRE2-JIT scan", make: pcre2::make },
        Maker { name: "RegexSet + radix", make: regex_set::make },
        Maker { name: "lazy DFA + radix", make: lazy_dfa::make },
        Maker { name: "atc-router", make: atc::make },
        Maker { name: "radix tree", make: radix::make },
        Maker { name: "matchit", make: routers::matchit },
        Maker { name: "wayfind", make: routers::wayfind },
        Maker { name: "path-tree", make: routers::path_tree },
    ]
}
