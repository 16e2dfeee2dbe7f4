//! `duplicate-regex`: a regex stands twice on one level. The first takes every path of the second, which nginx accepts
//! in silence.
//!
//! Better: take one out.

use crate::diagnostic::Diagnostic;
use crate::model::{Location, LocationPaths, Policy};
use std::collections::HashMap;

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut first: HashMap<(Option<u32>, u32, &str, bool), &Location> = HashMap::new();
    let mut found = Vec::new();
    for location in &policy.locations {
        let LocationPaths::Regex(pattern) = &location.paths else { continue };
        let level =
            (location.parent.map(|parent| parent.0), location.service.0, pattern.source.as_str(), pattern.caseless);
        match first.get(&level) {
            Some(earlier) => {
                let message = format!("no path reaches `location {}`: the same regex stands above", location.display);
                let warning = Diagnostic::warning("duplicate-regex", location.span, message);
                found.push(warning.related(earlier.span, "this takes all its paths").help("take one of them out"));
            }
            None => {
                first.insert(level, location);
            }
        }
    }
    found
}
