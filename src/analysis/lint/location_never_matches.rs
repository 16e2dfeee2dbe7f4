//! `location-never-matches`: no normalised path is or begins like this, so the location never takes one; or it is no
//! regex and stands inside one, where nginx looks at regexes only.
//! `location-with-query`: a location sees the path only, and a `?` of its pattern matches an encoded one only.
//!
//! Better: `/api/` for `api/`, `/a/` for `//a/` or `/./a/`; `query NAME ...` in a `when` for what stands behind a `?`.

use crate::diagnostic::Diagnostic;
use crate::model::{Location, LocationPaths, Policy};

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    policy.locations.iter().filter_map(|location| check_one(policy, location)).collect()
}

fn check_one(policy: &Policy, location: &Location) -> Option<Diagnostic> {
    let (path, is_whole) = match &location.paths {
        LocationPaths::Exact(path) => (path, true),
        LocationPaths::Prefix { prefix, .. } => (prefix, false),
        LocationPaths::Regex(_) | LocationPaths::Named => return None,
    };
    let merges = policy.services.get(location.service.0 as usize).is_some_and(|service| service.merge_slashes);
    let why = if is_inside_regex(policy, location) {
        "inside a regex location only regexes are looked at, as in nginx"
    } else if path.is_empty() && !is_whole {
        return None;
    } else if path.first() != Some(&b'/') {
        "every path begins with `/`"
    } else if merges && path.windows(2).any(|pair| pair == b"//") {
        "slashes that follow each other are merged before the location is chosen"
    } else if has_dot_segment(path, is_whole) {
        "`.` and `..` are resolved before the location is chosen"
    } else if path.contains(&0) {
        "a path with a NUL is refused before the location is chosen"
    } else if path.contains(&b'?') {
        let message = format!("`location {}` takes no path with a query", location.display);
        let warning = Diagnostic::warning("location-with-query", location.span, message);
        let help = "test the query in a guard: `when query NAME = \"value\" { ... }`";
        return Some(warning.note("a `?` in a pattern stands for an encoded one: `%3F`").help(help));
    } else {
        return None;
    };
    let message = format!("`location {}` can never match", location.display);
    let help = if is_inside_regex(policy, location) {
        "move it out of the regex, or write it as a regex"
    } else {
        "write the path as it is after normalisation"
    };
    Some(Diagnostic::warning("location-never-matches", location.span, message).note(why).help(help))
}

fn is_inside_regex(policy: &Policy, location: &Location) -> bool {
    let parent = location.parent.and_then(|parent| policy.locations.get(parent.0 as usize));
    parent.is_some_and(|parent| matches!(parent.paths, LocationPaths::Regex(_)))
}

/// A segment `.` or `..` that is complete; the last one of a prefix may go on.
fn has_dot_segment(path: &[u8], is_whole: bool) -> bool {
    let mut segments: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    if !is_whole {
        segments.pop();
    }
    segments.iter().any(|segment| matches!(*segment, b"." | b".."))
}
