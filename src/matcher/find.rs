//! nginx's choice of a location (`ngx_http_core_find_location`).

use super::scan::{Scanning, first_of, with_bits};
use crate::artifact::Tables;
use crate::artifact::format::{NONE, ROOT_SEARCH, Search, outcome_kind};

/// What a path leads to. Locations are numbered as in the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "nginx knows no other end of a lookup")]
pub enum Found {
    /// No location takes it.
    Nothing,
    /// This location.
    Location(u32),
    /// It lacks only the slash of this location.
    Redirect(u32),
}

/// How deep blocks nest; the parser lets no deeper ones through.
pub(super) const NESTING_MAX: usize = 64;

/// Looks `path` up by the row `lookup`.
pub(super) fn find(tables: Tables<'_>, lookup: u32, path: &[u8]) -> Found {
    let lookup = tables.lookups().get(lookup).unwrap_or_default();
    let root = tables.searches().get(lookup.root).unwrap_or_default();
    with_bits(root, |bits| {
        let mut scanning = Scanning::new(tables, path, bits);
        scanning.outcome = lookup.outcome;
        scanning.literals(lookup.start, lookup.classes);
        let outcome = tables.outcomes().get(scanning.outcome).unwrap_or_default();
        match outcome.kind {
            outcome_kind::EXACT => return Found::Location(outcome.location),
            outcome_kind::REDIRECT => return Found::Redirect(outcome.location),
            _ => {}
        }
        for eligible in tables.eligible().range(outcome.eligible, outcome.eligible_count) {
            let (search, rank) = if eligible.value == ROOT_SEARCH {
                scanning.search(root);
                (root, scanning.best)
            } else {
                let search = tables.searches().get(eligible.value).unwrap_or_default();
                (search, first_of(tables, search, path))
            };
            if rank != NONE {
                return Found::Location(innermost(tables, search, rank, path));
            }
        }
        if outcome.location == NONE { Found::Nothing } else { Found::Location(outcome.location) }
    })
}

/// The regex location of `rank` in `search`, or the one nested in it that matches too. nginx builds no tree of the
/// exact and prefix locations inside a regex: only regexes are found there.
fn innermost(tables: Tables<'_>, search: Search, rank: u32, path: &[u8]) -> u32 {
    let mut location = tables.regex_locations().number(search.regexes.saturating_add(rank) as usize);
    for _ in 0..NESTING_MAX {
        let nested = tables.locations().get(location).unwrap_or_default().search;
        let Some(search) = tables.searches().get(nested) else { break };
        let rank = first_of(tables, search, path);
        if rank == NONE {
            break;
        }
        location = tables.regex_locations().number(search.regexes.saturating_add(rank) as usize);
    }
    location
}
