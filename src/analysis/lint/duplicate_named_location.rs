//! `duplicate-named-location`: a service has two named locations of one name. nginx takes the first and says nothing, so
//! nothing ever leads to the second.
//!
//! Better: take one of them out, or give it another name.

use crate::diagnostic::{Diagnostic, Span};
use crate::model::Policy;
use std::collections::BTreeMap;

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in &policy.services {
        let mut first: BTreeMap<&str, Span> = BTreeMap::new();
        for location in service.named.iter().filter_map(|id| policy.locations.get(id.0 as usize)) {
            let Some(earlier) = first.get(location.display.as_str()) else {
                first.insert(&location.display, location.span);
                continue;
            };
            let message =
                format!("nothing leads here: `{}` stands above already, and the first counts", location.display);
            let warning = Diagnostic::warning("duplicate-named-location", location.span, message);
            found.push(warning.related(*earlier, "this one counts").help("take one of them out, or rename it"));
        }
    }
    found
}
