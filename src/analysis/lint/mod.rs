//! What can be meant and rarely is: warnings, each with a name that reads after "allow".
//!
//! They are decided, not guessed: what one says is true of the policy. Two more, `unreachable-statement` and
//! `no-answer`, need the diagram and come from the compiler.

mod duplicate_named_location;
mod duplicate_regex;
mod forgotten_header;
mod guard_below_rewrite;
mod location_never_matches;
mod lossy_redirect;
mod map_always_present;
mod narrow;
mod page_loses_method;
mod prefix_without_slash;
mod relative_page;
mod repeatable_guard;
mod unbounded_body;
mod unchecked_host;
mod unserved_plan;
mod unused_map;
mod unused_named_location;
mod unused_upstream;
mod visit;

use crate::diagnostic::Diagnostic;
use crate::model::Policy;

/// All warnings of `policy` that it does not allow, in the order of their places.
pub fn run(policy: &Policy) -> Vec<Diagnostic> {
    let lints = [
        duplicate_named_location::check,
        duplicate_regex::check,
        forgotten_header::check,
        guard_below_rewrite::check,
        location_never_matches::check,
        lossy_redirect::check,
        map_always_present::check,
        page_loses_method::check,
        prefix_without_slash::check,
        relative_page::check,
        repeatable_guard::check,
        unbounded_body::check,
        unchecked_host::check,
        unserved_plan::check,
        unused_map::check,
        unused_named_location::check,
        unused_upstream::check,
    ];
    policy.unsilenced(lints.iter().flat_map(|lint| lint(policy)).collect())
}
