//! A short text that a regex or a class of a field takes.

use crate::artifact::Tables;
use crate::artifact::format::{Automaton, NONE, Variable, field};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::collections::{BTreeSet, VecDeque};

/// Repetitions that are written out; a longer text is no use to anybody.
const REPEATED_MAX: u32 = 64;

/// A text that `hir` may match, what stands around it not considered.
pub(super) fn of(hir: &Hir) -> Vec<u8> {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.to_vec(),
        HirKind::Class(class) => preferred().find(|byte| has(class, *byte)).into_iter().collect(),
        HirKind::Repetition(repetition) => of(&repetition.sub).repeat(repetition.min.min(REPEATED_MAX) as usize),
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Concat(all) => all.iter().flat_map(of).collect(),
        HirKind::Alternation(any) => any.first().map(of).unwrap_or_default(),
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
    }
}

fn has(class: &Class, byte: u8) -> bool {
    match class {
        Class::Bytes(bytes) => bytes.iter().any(|range| (range.start()..=range.end()).contains(&byte)),
        Class::Unicode(letters) => {
            letters.iter().any(|range| (range.start()..=range.end()).contains(&char::from(byte)))
        }
    }
}

/// A value of the field of `row` that is of `class`; None where there is none that is printable.
pub(super) fn of_class(tables: Tables<'_>, row: Variable, class: u32) -> Option<Vec<u8>> {
    if row.slots_count > 0 {
        let strings = tables.strings();
        let mut slots = tables.slots().range(row.slots, row.slots_count);
        let slot = slots.find(|slot| slot.class == class);
        return slot
            .map(|slot| strings.text(slot.start, slot.octets).to_vec())
            .or_else(|| (class == 1).then(|| b"zz".to_vec()));
    }
    let label = class.checked_sub(1)?;
    let automaton = tables.automata().get(row.automaton)?;
    let is_known = |value: &&&[u8]| says(tables, automaton, value) == Some(label);
    let known = usual(row.field).iter().find(is_known).map(|value| value.to_vec());
    known.or_else(|| shortest(tables, automaton, label, excluded(row.field)))
}

/// What a field mostly is, where few values can be.
fn usual(kind: u32) -> &'static [&'static [u8]] {
    match kind {
        field::SCHEME => &[b"http", b"https"],
        field::METHOD => &[b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH", b"PURGE"],
        _ => &[],
    }
}

/// The label that `automaton` says behind `text`.
fn says(tables: Tables<'_>, automaton: Automaton, text: &[u8]) -> Option<u32> {
    let classes = tables.byte_classes(automaton.classes);
    let at = |state: u32, column: u32| Some(tables.transitions().get(automaton.transitions + state + column)?.value);
    let next = |state: u32, byte: &u8| at(state, u32::from(*classes.get(usize::from(*byte))?));
    at(text.iter().try_fold(0, next)?, automaton.stride - 1)
}

/// Bytes that do not stand in the field as themselves.
fn excluded(kind: u32) -> &'static [u8] {
    match kind {
        field::ARGS | field::TARGET => b" #\"<>\\^`{|}",
        field::QUERY | field::ARGUMENT => b" #&\"<>\\^`{|}",
        field::COOKIE => b" ;,",
        _ => b"",
    }
}

/// The shortest text behind which `automaton` says `label`.
fn shortest(tables: Tables<'_>, automaton: Automaton, label: u32, excluded: &[u8]) -> Option<Vec<u8>> {
    let transitions = tables.transitions();
    let at =
        |state: u32, column: u32| transitions.get(automaton.transitions + state + column).map(|number| number.value);
    let classes = tables.byte_classes(automaton.classes);
    let bytes: Vec<u8> = preferred().filter(|byte| !excluded.contains(byte)).collect();
    // By state: how it was reached. States ascend by the stride.
    let mut known = BTreeSet::from([0]);
    let mut waiting = VecDeque::from([(0, Vec::new())]);
    while let Some((state, text)) = waiting.pop_front() {
        if at(state, automaton.stride - 1) == Some(label) {
            return Some(text);
        }
        for byte in &bytes {
            let next = at(state, classes.get(usize::from(*byte)).copied().map_or(NONE, u32::from))?;
            if known.insert(next) {
                waiting.push_back((next, [text.as_slice(), &[*byte]].concat()));
            }
        }
    }
    None
}

/// Printable bytes, the plainest first.
fn preferred() -> impl Iterator<Item = u8> {
    let plain = (b'a'..=b'z').chain(b'A'..=b'Z').chain(b'0'..=b'9').chain(*b"-_./");
    let others = (b' '..=b'~').filter(|byte| !byte.is_ascii_alphanumeric() && !b"-_./".contains(byte));
    plain.chain(others)
}
