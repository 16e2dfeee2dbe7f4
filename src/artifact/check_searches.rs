//! Whether scanners, and what their outputs lead to, are good.

use super::check::{each, each_indexed, optional};
use super::format::{
    CHAIN, CHAIN_MAX, DEAD, HEAD, LITERAL, NOBODY, NONE, NOWHERE, REPEATING_MAX, ROOT_SEARCH, SIMULATED_MAX, SPECIAL,
    next, outcome_kind, owner, scan_flag,
};
use super::read::ArtifactError;
use super::tables::{Tables, rows};

pub(super) fn check_searches(t: &Tables<'_>) -> Result<(), ArtifactError> {
    check_cells(t)?;
    each("outputs", t.outputs(), |output| {
        [output.going_on, output.ending].iter().all(|outcome| *outcome == NONE || outcome_is_good(t, *outcome))
            && rows(output.scans, output.scans_count).end <= t.scans().len()
    })?;
    each("scans", t.scans(), |scan| {
        let is_run = scan.flags <= (scan_flag::BACKWARD | scan_flag::LINE)
            && state_is_good(t, scan.start)
            && (scan.classes as usize) < t.byte_class_rows().len();
        (is_run || scan.flags == scan_flag::SIMULATED && is_simulated(t, scan.start))
            && optional(scan.filter, t.filters().len())
            && (scan.started == NONE || scan.started < REPEATING_MAX)
    })?;
    each("filters", t.filters(), |filter| {
        (3..=24).contains(&filter.log2)
            && filter.stride >= 1
            && rows(filter.start, 1 << (filter.log2 - 3)).end <= t.filter_bits().len()
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
            && outcome_is_good(t, lookup.outcome)
            && optional(lookup.root, t.searches().len())
            && lookup.repeating <= REPEATING_MAX
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

/// Whether `program` is one that can be simulated.
fn is_simulated(t: &Tables<'_>, program: u32) -> bool {
    t.programs().get(program).is_some_and(|row| row.count as usize <= SIMULATED_MAX && row.looks_count == 0)
}

/// Whether a literal says a location, if any, and what is no literal a row.
fn outcome_is_good(t: &Tables<'_>, outcome: u32) -> bool {
    let location = outcome & NOWHERE;
    match outcome & LITERAL {
        0 => (outcome as usize) < t.outcomes().len(),
        _ => outcome & HEAD == 0 && (location == NOWHERE || (location as usize) < t.locations().len()),
    }
}

/// Whether what a transition leads to is a state, and marked as special if it is a chain.
fn state_is_good(t: &Tables<'_>, state: u32) -> bool {
    if state == DEAD {
        return true;
    }
    let head = owner(t.cells().get(state & !SPECIAL));
    head & HEAD != 0 && (state & SPECIAL != 0 || head & CHAIN == 0)
}

/// Whether every cell is good; texts of chains are passed over.
fn check_cells(t: &Tables<'_>) -> Result<(), ArtifactError> {
    let cells = t.cells();
    let mut index = 0;
    while (index as usize) < cells.len() {
        let cell = cells.get(index);
        let words = if owner(cell) & (HEAD | CHAIN) == HEAD | CHAIN { chain_octets(cell).div_ceil(8) } else { 0 };
        if !cell_is_good(t, cell) || rows(index, words).end >= cells.len() {
            return Err(ArtifactError::Invalid { table: "cells", row: index });
        }
        index += 1 + words;
    }
    Ok(())
}

fn chain_octets(head: u64) -> u32 {
    owner(head) & !(HEAD | CHAIN)
}

fn cell_is_good(t: &Tables<'_>, cell: u64) -> bool {
    let (owner, next) = (owner(cell), next(cell));
    if owner == NOBODY {
        return true;
    }
    let of_kind_is_good = if owner & HEAD == 0 {
        (owner as usize) < t.cells().len()
    } else if owner & CHAIN != 0 {
        // A chain reads something, so that a run ends with its text.
        (1..=CHAIN_MAX).contains(&(chain_octets(cell) as usize))
    } else if owner & LITERAL != 0 {
        outcome_is_good(t, owner & !HEAD)
    } else {
        ((owner & !HEAD) as usize) <= t.outputs().len()
    };
    of_kind_is_good && state_is_good(t, next)
}
