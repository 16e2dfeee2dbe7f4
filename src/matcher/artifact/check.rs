//! Whether every index of every table is good, so that nobody has to ask again.
//!
//! The matcher reads through checked accessors all the same: a mistake here could make it decide wrongly, never panic
//! or read outside. What must hold for it to end is checked first: the diagram and the nesting of levels have no cycle.

use super::check_guards::check_guards;
use super::check_searches::check_searches;
use super::checksum::crc32;
use super::format::{
    Automaton, CAPTURES_MAX, HEADERS_MAX, HeaderName, Instruction, LOOKS_MAX, MapCase, NONE, Operation, PlansRow,
    Policy, Program, Record, body_action, field, instruction, look, operation, part, plans, proxy_form,
};
use super::header_hash::{Ends, length_bit};
use super::read::ArtifactError;
use super::tables::{Table, Tables, rows};
use core::ops::Range;

/// Rows of `hosts` that are of no named listener.
const LISTENERS_UNNAMED: usize = 2;

/// Checks every row.
pub(super) fn check(tables: &Tables<'_>) -> Result<(), ArtifactError> {
    let t = tables;
    each("strings", t.strings().texts, |text| rows(text.start, text.octets).end <= t.strings().bytes.len())?;
    policy_is_good(t)?;
    each("automata", t.automata(), |automaton| automaton_is_good(t, automaton))?;
    check_guards(t)?;
    if t.hosts().len() < LISTENERS_UNNAMED {
        return Err(ArtifactError::Invalid { table: "hosts", row: 0 });
    }
    each("hosts", t.hosts(), |host| {
        optional(host.listener, t.strings().len())
            && optional(host.default, t.services().len())
            && rows(host.ranks, host.ranks_count).end <= t.host_ranks().len()
            && (host.search as usize) < t.searches().len()
    })?;
    host_names_are_good(t)?;
    each("host_ranks", t.host_ranks(), |rank| {
        (rank.service as usize) < t.services().len() && optional(rank.program, t.programs().len())
    })?;
    each("services", t.services(), |service| {
        rows(service.operations, service.operations_count).end <= t.operations().len()
            && (service.lookup as usize) < t.lookups().len()
            && rows(service.kept_names, service.kept_names_count).end <= t.kept_names().len()
            && (service.plans == NONE || t.plans().get(service.plans).is_some_and(|row| row.kind == plans::SOURCE))
    })?;
    each("kept_names", t.kept_names(), |name| (name.value as usize) < t.strings().len())?;
    check_searches(t)?;
    each_indexed("locations", t.locations(), |index, location| {
        (location.service as usize) < t.services().len()
            && location.is_regex <= 1
            && optional(location.search, t.searches().len())
            && (location.enclosing == NONE || location.enclosing < index)
            && optional(location.program, t.programs().len())
            && rows(location.operations, location.operations_count).end <= t.operations().len()
            && location.internal <= 1
            && rows(location.settings, location.settings_count).end <= t.operations().len()
    })?;
    let counts = t.policy().row(0);
    each_indexed("operations", t.operations(), |index, row| {
        let is_within = !matches!(row.kind, operation::SKIP | operation::UNLESS_BREAK)
            || rows(index.saturating_add(1), row.a).end <= t.operations().len();
        is_within && operation_is_good(t, row) && numbers_are_good(counts, row)
    })?;
    each("templates", t.templates(), |template| rows(template.parts, template.parts_count).end <= t.parts().len())?;
    each("parts", t.parts(), |piece| part_is_good(t, piece.kind, piece.value, counts.captures))?;
    each("maps", t.maps(), |map| rows(map.cases, map.cases_count).end <= t.map_cases().len())?;
    each("map_cases", t.map_cases(), |case| map_case_is_good(t, case))?;
    each("balance_keys", t.balance_keys(), |key| optional(key.value, t.templates().len()))?;
    each("programs", t.programs(), |program| program_is_good(t, program))?;
    each("instructions", t.instructions(), |i| i.kind <= instruction::FAIL)?;
    each("looks", t.looks(), |look| look.ahead <= 1 && look.negative <= 1)?;
    each("named_groups", t.named_groups(), |named| named.capture < counts.captures)?;
    each_indexed("plans", t.plans(), |index, row| plans_row_is_good(t, index, row))
}

pub(super) fn each<R: Record>(
    name: &'static str,
    table: Table<'_, R>,
    good: impl Fn(R) -> bool,
) -> Result<(), ArtifactError> {
    each_indexed(name, table, |_, row| good(row))
}

pub(super) fn each_indexed<R: Record>(
    name: &'static str,
    table: Table<'_, R>,
    good: impl Fn(u32, R) -> bool,
) -> Result<(), ArtifactError> {
    if table.is_ragged() {
        return Err(ArtifactError::Length { table: name });
    }
    match (0..).zip(table.iter()).find_map(|(index, row)| (!good(index, row)).then_some(index)) {
        Some(row) => Err(ArtifactError::Invalid { table: name, row }),
        None => Ok(()),
    }
}

pub(super) fn optional(index: u32, len: usize) -> bool {
    index == NONE || (index as usize) < len
}

/// Whether names of hosts have a rank. Their slots follow those of variables, and each other, so that each is looked at
/// once.
fn host_names_are_good(t: &Tables<'_>) -> Result<(), ArtifactError> {
    let mut slots = t.variables().iter().fold(0, |slots, variable| u32::saturating_add(slots, variable.slots_count));
    for (row, host) in (0u32..).zip(t.hosts().iter()) {
        let count = host.names_count;
        let is_good = rows(host.names, count).end <= t.slots().len()
            && (count == 0 || count.is_power_of_two() && host.names == slots)
            && t.slots().range(host.names, count).all(|slot| optional(slot.class, host.ranks_count as usize));
        if !is_good {
            return Err(ArtifactError::Invalid { table: "hosts", row });
        }
        slots = slots.saturating_add(count);
    }
    Ok(())
}

/// Whether the one row is there, and every name stands where it is looked for.
fn policy_is_good(t: &Tables<'_>) -> Result<(), ArtifactError> {
    let invalid = Err(ArtifactError::Invalid { table: "policy", row: 0 });
    let (Some(policy), names, slots) = (t.policy().get(0), t.header_names(), t.header_slots()) else { return invalid };
    let lengths = u64::from(policy.lengths_high) << 32 | u64::from(policy.lengths_low);
    let is_good = t.policy().len() == 1
        && policy.captures as usize <= CAPTURES_MAX
        && policy.headers as usize == names.len()
        && names.len() <= HEADERS_MAX
        && (1..=16).contains(&policy.bits)
        && slots.len() == 1 << policy.bits
        && optional(policy.cookie, names.len())
        && t.balance_keys().len() == policy.upstreams as usize
        && policy.manifest == crc32(t.manifest());
    if !is_good {
        return invalid;
    }
    each("header_slots", slots, |slot| optional(slot.value, names.len()))?;
    each_indexed("header_names", names, |index, row| {
        let name = row.lower(t.strings().bytes);
        let first = slots.number(Ends::of(name).slot(policy.factor, policy.bits));
        let in_slot = |start| core::iter::successors(names.get(start), |row| names.get(row.next));
        name.len() == row.octets as usize
            && !name.iter().any(u8::is_ascii_uppercase)
            && row == HeaderName::new(row.start, name, row.next)
            && lengths & length_bit(name) != 0
            && (row.next == NONE || row.next > index && (row.next as usize) < names.len())
            && (first == index || in_slot(first).take(names.len()).any(|other| other.next == index))
    })
}

fn automaton_is_good(t: &Tables<'_>, automaton: Automaton) -> bool {
    let Automaton { classes, stride, states, transitions, resting } = automaton;
    let Some(steps) = stride.checked_mul(states) else { return false };
    let in_classes = (classes as usize) < t.byte_class_rows().len();
    let Some(label) = stride.checked_sub(1) else { return false };
    let columns = (0..stride).cycle();
    let mut rows_are_good =
        columns.zip(0..steps).zip(t.transitions().range(transitions, steps)).map(|((column, step), next)| {
            let state = step - column;
            column == label
                || next.value < steps && next.value.is_multiple_of(stride) && (state < resting || next.value == state)
        });
    label >= 1
        && states >= 1
        && in_classes
        && t.byte_classes(classes).iter().all(|class| u32::from(*class) < label)
        && rows(transitions, steps).end <= t.transitions().len()
        && rows_are_good.all(|good| good)
}

pub(super) fn labels(t: &Tables<'_>, automaton: u32) -> Option<impl Iterator<Item = u32>> {
    let automaton = t.automata().get(automaton)?;
    let numbers = t.transitions().range(automaton.transitions, automaton.stride.saturating_mul(automaton.states));
    let label = automaton.stride.saturating_sub(1) as usize;
    Some(numbers.skip(label).step_by(automaton.stride.max(1) as usize).map(|label| label.value))
}

pub(super) fn field_is_good(t: &Tables<'_>, field: u32, name: u32) -> bool {
    field <= field::ARGUMENT
        && match field {
            field::HEADER => (name as usize) < t.header_names().len(),
            field::QUERY | field::ARGUMENT | field::COOKIE => (name as usize) < t.strings().len(),
            _ => name == NONE,
        }
}

/// A map's value holds no map, so that filling one in ends.
fn map_case_is_good(t: &Tables<'_>, case: MapCase) -> bool {
    let MapCase { guard, skip: _, program, field, name, template } = case;
    let Some(value) = t.templates().get(template) else { return false };
    (guard as usize) < t.nodes().len() + 2
        && optional(program, t.programs().len())
        && field_is_good(t, field, name)
        && t.parts().range(value.parts, value.parts_count).all(|piece| piece.kind != part::MAP)
}

fn operation_is_good(t: &Tables<'_>, row: Operation) -> bool {
    let Operation { guard, kind, a, b, c, d } = row;
    let string = |index: u32| (index as usize) < t.strings().len();
    let template = |index: u32| (index as usize) < t.templates().len();
    let program = |index: u32| (index as usize) < t.programs().len();
    let leads = |location: u32, uri: u32| match location {
        NONE => template(uri),
        location => (location as usize) < t.locations().len() && uri == NONE,
    };
    let operands_are_good = match kind {
        operation::CALLER | operation::FORGET_HEADERS => a <= 1,
        operation::RESPOND => (100..1000).contains(&a) && optional(b, t.templates().len()),
        operation::REDIRECT => (300..400).contains(&a) && template(b),
        operation::PROXY_REDIRECT => string(a) && template(b),
        operation::PROXY_REDIRECT_OFF
        | operation::FORGET_ERROR_PAGES
        | operation::CLOSE
        | operation::UNLESS_BREAK
        | operation::SKIP
        | operation::BREAK => true,
        operation::GOTO => leads(a, b),
        operation::ERROR_PAGE => (300..600).contains(&a) && (b == NONE || b < 600) && leads(c, d),
        operation::PROXY if b == proxy_form::TARGET => template(c),
        operation::PROXY => b <= proxy_form::BASE && optional(c, t.strings().len()),
        operation::REWRITE => program(a) && template(b) && c < 1000 && d <= 1,
        operation::METHODS => string(a),
        operation::UNIQUE => matches!(a, field::HEADER | field::QUERY | field::COOKIE) && field_is_good(t, a, b),
        operation::HSTS => string(a) && string(b),
        operation::BODY => a <= body_action::REJECT && d <= 1,
        operation::HEADER => {
            a <= 1 && (b & 3) <= 2 && b <= 6 && string(c) && (if b & 3 == 2 { d == NONE } else { template(d) })
        }
        operation::METER => b <= 1,
        operation::TYPE | operation::SET_ARGS => template(a),
        operation::MATCH => program(a) && field_is_good(t, b, c),
        operation::SET => template(b),
        _ => false,
    };
    operands_are_good && (guard as usize) < t.nodes().len() + 2
}

/// Whether the numbers of a row are below what the policy counts.
fn numbers_are_good(counts: Policy, row: Operation) -> bool {
    match row.kind {
        operation::PROXY => row.a < counts.upstreams,
        operation::METER => row.a < counts.meters,
        operation::SET => row.a < counts.captures,
        _ => true,
    }
}

fn part_is_good(t: &Tables<'_>, kind: u32, value: u32, captures: u32) -> bool {
    match kind {
        part::NAMED => value < captures,
        part::HTTP | part::PROXY_ADD_X_FORWARDED_FOR => (value as usize) < t.header_names().len(),
        part::LITERAL | part::ARG | part::COOKIE => (value as usize) < t.strings().len(),
        part::CAPTURE => (1..=9).contains(&value),
        part::MAP => (value as usize) < t.maps().len(),
        _ => kind <= part::PROXY_ADD_X_FORWARDED_FOR,
    }
}

fn program_is_good(t: &Tables<'_>, program: Program) -> bool {
    let looks = || t.looks().range(program.looks, program.looks_count);
    // The program's own instructions, then those of each look-around, which asks only those before it.
    let own = looks().next().map_or(program.count, |look| look.from);
    rows(program.instructions, program.count).end <= t.instructions().len()
        && rows(program.looks, program.looks_count).end <= t.looks().len()
        && program.looks_count as usize <= LOOKS_MAX
        && part_of_program_is_good(t, program, 0..own, program.start, program.looks_count)
        && (0..)
            .zip(looks())
            .all(|(index, look)| part_of_program_is_good(t, program, look.from..look.end, look.start, index))
        && rows(program.named, program.named_count).end <= t.named_groups().len()
        && t.named_groups().range(program.named, program.named_count).all(|named| named.group < program.slots / 2)
}

/// Whether the instructions `part` stay among themselves and ask the first `looks` look-arounds only.
fn part_of_program_is_good(t: &Tables<'_>, program: Program, part: Range<u32>, start: u32, looks: u32) -> bool {
    part.end <= program.count
        && part.contains(&start)
        && t.instructions()
            .range(program.instructions.saturating_add(part.start), part.end - part.start)
            .all(|row| instruction_is_good(row, &part, program.slots, looks))
}

fn instruction_is_good(row: Instruction, part: &Range<u32>, slots: u32, looks: u32) -> bool {
    let Instruction { kind, a, b, c } = row;
    match kind {
        instruction::BYTE => a <= 255 && b <= 255 && part.contains(&c),
        instruction::SPLIT => part.contains(&a) && part.contains(&b),
        instruction::SAVE => a < slots && part.contains(&b),
        instruction::LOOK => a < look::AROUND + looks && part.contains(&b),
        _ => kind <= instruction::FAIL,
    }
}

fn plans_row_is_good(t: &Tables<'_>, index: u32, row: PlansRow) -> bool {
    match row.kind {
        plans::SOURCE => {
            let (first, end) = (index.saturating_add(1), u64::from(index) + 1 + u64::from(row.a) + u64::from(row.b));
            end <= t.plans().len() as u64
                && t.plans().range(first, row.a).all(|row| row.kind == plans::PLAN)
                && t.plans().range(first.saturating_add(row.a), row.b).all(|row| row.kind == plans::CREDENTIAL)
        }
        plans::PLAN => (row.a as usize) < t.strings().len(),
        plans::CREDENTIAL => {
            let header = if row.a == 1 { (row.d as usize) < t.header_names().len() } else { row.d == NONE };
            row.a <= 1 && (row.b as usize) < t.strings().len() && row.c <= 1 && header
        }
        _ => false,
    }
}
