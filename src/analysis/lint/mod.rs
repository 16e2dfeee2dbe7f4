//! What can be meant and rarely is: warnings, each with a name that reads after "allow".
//!
//! They are decided, not guessed: what one says is true of the policy. Two more, `unreachable-statement` and
//! `no-answer`, need the diagram and come from the compiler.

mod duplicate_regex;
mod forgotten_header;
mod guard_below_rewrite;
mod location_never_matches;
mod lossy_redirect;
mod prefix_without_slash;
mod unbounded_body;
mod unchecked_host;
mod unserved_plan;
mod unused_map;
mod unused_upstream;
mod visit;

use crate::diagnostic::Diagnostic;
use crate::model::Policy;

/// Names of all warnings, sorted.
pub const NAMES: [&str; 14] = [
    "duplicate-regex",
    "forgotten-header",
    "guard-below-rewrite",
    "location-never-matches",
    "location-with-query",
    "lossy-redirect",
    "no-answer",
    "prefix-without-slash",
    "unbounded-body",
    "unchecked-host",
    "unreachable-statement",
    "unserved-plan",
    "unused-map",
    "unused-upstream",
];

/// All warnings of `policy` that it does not allow, in the order of their places.
pub fn run(policy: &Policy) -> Vec<Diagnostic> {
    let lints = [
        duplicate_regex::check,
        forgotten_header::check,
        guard_below_rewrite::check,
        location_never_matches::check,
        lossy_redirect::check,
        prefix_without_slash::check,
        unbounded_body::check,
        unchecked_host::check,
        unserved_plan::check,
        unused_map::check,
        unused_upstream::check,
    ];
    policy.unsilenced(lints.iter().flat_map(|lint| lint(policy)).collect())
}
