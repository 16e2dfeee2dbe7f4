//! nginx's choice of a location (`ngx_http_core_find_location`).

use super::reader::{Reader, Told};
use super::scan::{Bits, FEW, MANY, Scanning, are_few, first_of};
use crate::artifact::Tables;
use crate::artifact::format::{LITERAL, Lookup, NONE, NOWHERE, ROOT_FIRST, ROOT_SEARCH, Search, outcome_kind};

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
    let lookup = tables.lookups().row(lookup);
    let mut reader = Reader::new(tables, lookup.classes, path, lookup.outcome);
    let told = reader.read(lookup.start);
    if matches!(told, Told::Nothing) && reader.outcome & (LITERAL | ROOT_FIRST) == LITERAL {
        return literal(reader.outcome);
    }
    if are_few(lookup.repeating) {
        go_on(tables, lookup, reader, told, path, Bits::new(&mut { FEW }))
    } else {
        go_on(tables, lookup, reader, told, path, Bits::new(&mut { MANY }))
    }
}

/// What follows from what `reader` told last, where that does not settle it.
fn go_on(
    tables: Tables<'_>,
    lookup: Lookup,
    mut reader: Reader<'_, '_, false>,
    told: Told,
    path: &[u8],
    bits: Bits<'_>,
) -> Found {
    let mut scanning = Scanning::new(tables, path, bits);
    scanning.literals(&mut reader, told);
    let outcome = reader.outcome;
    if outcome & LITERAL == 0 {
        return decide(tables, lookup, outcome, &mut scanning, path);
    }
    if outcome & ROOT_FIRST != 0
        && let Some(location) = root(tables, lookup, &mut scanning, path)
    {
        return Found::Location(location);
    }
    literal(outcome)
}

/// What a literal says.
fn literal(outcome: u32) -> Found {
    match outcome & NOWHERE {
        NOWHERE => Found::Nothing,
        location => Found::Location(location),
    }
}

/// What the row `outcome` comes to, after `scanning` with the literals.
fn decide(tables: Tables<'_>, lookup: Lookup, outcome: u32, scanning: &mut Scanning<'_, '_>, path: &[u8]) -> Found {
    let outcome = tables.outcomes().row(outcome);
    if outcome.kind == outcome_kind::REDIRECT {
        return Found::Redirect(outcome.location);
    }
    for eligible in tables.eligible().range(outcome.eligible, outcome.eligible_count) {
        let location = if eligible.value == ROOT_SEARCH {
            root(tables, lookup, scanning, path)
        } else {
            let search = tables.searches().row(eligible.value);
            innermost(tables, search, first_of(tables, search, path), path)
        };
        if let Some(location) = location {
            return Found::Location(location);
        }
    }
    if outcome.location == NONE { Found::Nothing } else { Found::Location(outcome.location) }
}

/// The location of the outermost level's regexes, some of which were followed with the literals.
fn root(tables: Tables<'_>, lookup: Lookup, scanning: &mut Scanning<'_, '_>, path: &[u8]) -> Option<u32> {
    let search = tables.searches().optional(lookup.root)?;
    scanning.search(search);
    innermost(tables, search, scanning.best, path)
}

/// The regex location of `rank` in `search`, if it is a rank, or the one nested in it that matches too. nginx builds no
/// tree of the exact and prefix locations inside a regex: only regexes are found there.
fn innermost(tables: Tables<'_>, search: Search, rank: u32, path: &[u8]) -> Option<u32> {
    let location = |search: Search, rank: u32| {
        if rank == NONE {
            return None;
        }
        // A rank of another search would be another location.
        if rank >= search.regexes_count {
            tables.lost().note();
            return None;
        }
        Some(tables.regex_locations().row(search.regexes.saturating_add(rank)).value)
    };
    let mut found = location(search, rank)?;
    for _ in 0..NESTING_MAX {
        let nested = tables.locations().row(found).search;
        let Some(search) = tables.searches().optional(nested) else { break };
        let Some(inner) = location(search, first_of(tables, search, path)) else { break };
        found = inner;
    }
    Some(found)
}
