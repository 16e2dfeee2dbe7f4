//! Whether scanners, and what their outputs lead to, are good.

use super::check::{each, each_indexed, optional};
use super::format::{
    CHAIN, CHAIN_MAX, CHAIN_WORD_ENDS, DEAD, HEAD, LITERAL, LOOP, NOBODY, NONE, NOWHERE, OUTPUT, REPEATING_MAX,
    ROOT_SEARCH, SIMULATED_MAX, SOME, SPECIAL, next, outcome_kind, owner, scan_flag,
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

/// Whether what a transition leads to is a state, and marked as special if it is a chain or a loop.
fn state_is_good(t: &Tables<'_>, state: u32) -> bool {
    if state == DEAD {
        return true;
    }
    let head = owner(t.cells().get(state & !SPECIAL));
    head & HEAD != 0 && (state & SPECIAL != 0 || head & CHAIN == 0 && !is_loop(head))
}

/// Whether every cell is good; of the texts of chains, that none can be taken for another cell.
fn check_cells(t: &Tables<'_>) -> Result<(), ArtifactError> {
    let cells = t.cells();
    let mut index = 0;
    while (index as usize) < cells.len() {
        let cell = cells.get(index);
        let words = if owner(cell) & (HEAD | CHAIN) == HEAD | CHAIN { chain_octets(cell).div_ceil(8) } else { 0 };
        let text_is_good = || {
            cells
                .text(index + 1)
                .as_chunks::<8>()
                .0
                .iter()
                .take(words as usize)
                .all(|[.., last]| CHAIN_WORD_ENDS.contains(last))
        };
        if !cell_is_good(t, cell) || rows(index, words).end >= cells.len() || !text_is_good() {
            return Err(ArtifactError::Invalid { table: "cells", row: index });
        }
        index += 1 + words;
    }
    Ok(())
}

fn chain_octets(head: u64) -> u32 {
    owner(head) & !(HEAD | CHAIN)
}

fn is_loop(head: u32) -> bool {
    head & (HEAD | CHAIN | LITERAL | LOOP) == HEAD | LOOP
}

/// Whether a loop stays on a set, and reads something or leads to what does: so that a run ends with its text.
fn loop_is_good(t: &Tables<'_>, head: u32, next: u32) -> bool {
    let goes_on = head & SOME != 0 || next == DEAD || !is_loop(owner(t.cells().get(next & !SPECIAL)));
    goes_on && ((head & !(HEAD | LOOP | SOME)) as usize) < t.octet_sets().len()
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
    } else if owner & LOOP != 0 {
        loop_is_good(t, owner, next)
    } else {
        ((owner & OUTPUT) as usize) <= t.outputs().len()
    };
    of_kind_is_good && state_is_good(t, next)
}
