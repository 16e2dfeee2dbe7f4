//! Whether scanners, and what their outputs lead to, are good.

use super::check::{each, each_indexed, optional};
use super::format::{
    CHAIN, DEAD, HEAD, NOBODY, NONE, REPEATING_MAX, ROOT_SEARCH, SPECIAL, next, outcome_kind, owner, scan_flag,
};
use super::read::ArtifactError;
use super::tables::{Tables, rows};

pub(super) fn check_searches(t: &Tables<'_>) -> Result<(), ArtifactError> {
    let cells = t.cells();
    let bad = (0u32..).take(cells.len()).find(|index| !cell_is_good(t, *index, cells.get(*index)));
    if let Some(row) = bad {
        return Err(ArtifactError::Invalid { table: "cells", row });
    }
    each("outputs", t.outputs(), |output| {
        optional(output.going_on, t.outcomes().len())
            && optional(output.ending, t.outcomes().len())
            && rows(output.scans, output.scans_count).end <= t.scans().len()
    })?;
    each("scans", t.scans(), |scan| {
        state_is_good(t, scan.start)
            && (scan.classes as usize) < t.byte_class_rows().len()
            && scan.flags <= (scan_flag::BACKWARD | scan_flag::LINE)
            && optional(scan.filter, t.filters().len())
            && (scan.started == NONE || scan.started < REPEATING_MAX)
    })?;
    each("filters", t.filters(), |filter| {
        (3..=24).contains(&filter.log2)
            && filter.stride >= 1
            && rows(filter.start, 1 << (filter.log2 - 3)).end <= t.chains().len()
    })?;
    each("searches", t.searches(), |search| {
        rows(search.scans, search.scans_count).end <= t.scans().len()
            && rows(search.regexes, search.regexes_count).end <= t.regex_locations().len()
            && search.repeating <= REPEATING_MAX
    })?;
    each("regex_locations", t.regex_locations(), |number| (number.value as usize) < t.locations().len())?;
    each("lookups", t.lookups(), |lookup| {
        state_is_good(t, lookup.start)
            && (lookup.classes as usize) < t.byte_class_rows().len()
            && (lookup.outcome as usize) < t.outcomes().len()
            && optional(lookup.root, t.searches().len())
    })?;
    each("outcomes", t.outcomes(), |outcome| {
        outcome.kind <= outcome_kind::REDIRECT
            && (optional(outcome.location, t.locations().len()))
            && (outcome.kind == outcome_kind::OPEN || outcome.location != NONE)
            && rows(outcome.eligible, outcome.eligible_count).end <= t.eligible().len()
    })?;
    each_indexed("eligible", t.eligible(), |_, search| {
        search.value == ROOT_SEARCH || (search.value as usize) < t.searches().len()
    })
}

/// Whether what a transition leads to is a state, and marked as special if it is.
fn state_is_good(t: &Tables<'_>, state: u32) -> bool {
    if state == DEAD {
        return true;
    }
    let head = owner(t.cells().get(state & !SPECIAL));
    head & HEAD != 0 && (state & SPECIAL != 0) == (head != HEAD)
}

fn cell_is_good(t: &Tables<'_>, index: u32, cell: u64) -> bool {
    let (owner, next) = (owner(cell), next(cell));
    if owner == NOBODY {
        return true;
    }
    if owner & HEAD == 0 {
        return (owner as usize) < t.cells().len() && state_is_good(t, next);
    }
    if owner & CHAIN == 0 {
        return ((owner & !HEAD) as usize) <= t.outputs().len() && state_is_good(t, next);
    }
    let octets = owner & !(HEAD | CHAIN);
    // A chain reads something, so that a run ends with its text.
    octets > 0 && rows(next, octets).end <= t.chains().len() && super::format::owner(t.cells().get(index + 1)) == index
}
