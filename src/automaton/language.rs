//! Operators as regular languages over the bytes of a field.
//!
//! In the HIR used here `Look::EndLF` is PCRE's `$`: the end, or before one final newline.

use super::literals::Literal;
use crate::model::{Operator, ServerNameKind};
use crate::regex::Meaning;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};

/// The values for which `operator` holds; None for a regex that has a mistake.
pub fn of_operator(operator: &Operator) -> Option<Meaning> {
    Some(Meaning::from(match operator {
        Operator::In(values) => {
            let values = Hir::alternation(values.iter().map(|value| Hir::literal(value.as_slice())).collect());
            Hir::concat(vec![Hir::look(Look::Start), values, Hir::look(Look::End)])
        }
        Operator::Prefix(prefix) => starts_with(prefix),
        Operator::Regex(pattern) => return pattern.meaning.clone(),
        Operator::Has(member) => has_member(member),
        Operator::Present => Hir::empty(),
        // Addresses are no bytes to an automaton: see the table of networks.
        Operator::Within(_) => return None,
    }))
}

/// The values for which `operator` holds, where they take no regex.
pub fn literals_of(operator: &Operator) -> Option<Vec<Literal<'_>>> {
    match operator {
        Operator::In(values) => Some(values.iter().map(|value| Literal::Exact(value)).collect()),
        Operator::Prefix(prefix) => Some(vec![Literal::Prefix(prefix)]),
        Operator::Present => Some(vec![Literal::Prefix(b"")]),
        Operator::Regex(_) | Operator::Has(_) | Operator::Within(_) => None,
    }
}

/// The hosts that a name takes, in lower case.
pub fn of_server_name(name: &ServerNameKind) -> Option<Meaning> {
    Some(Meaning::from(match name {
        ServerNameKind::Exact(host) => exact(host.as_bytes()),
        ServerNameKind::Leading(suffix) => Hir::concat(vec![
            Hir::look(Look::Start),
            some_bytes(),
            Hir::literal(suffix.as_bytes()),
            Hir::look(Look::End),
        ]),
        ServerNameKind::Trailing(prefix) => Hir::concat(vec![
            Hir::look(Look::Start),
            Hir::literal(prefix.as_bytes()),
            some_bytes(),
            Hir::look(Look::End),
        ]),
        ServerNameKind::Regex(pattern) => return pattern.meaning.clone(),
    }))
}

fn exact(value: &[u8]) -> Hir {
    Hir::concat(vec![Hir::look(Look::Start), Hir::literal(value), Hir::look(Look::End)])
}

fn starts_with(prefix: &[u8]) -> Hir {
    Hir::concat(vec![Hir::look(Look::Start), Hir::literal(prefix)])
}

/// One or more bytes of any value.
fn some_bytes() -> Hir {
    repeat(byte_between(0, u8::MAX), 1)
}

/// A member of a comma-separated list (RFC 9110 section 5.6.1): blanks around it do not count.
fn has_member(member: &[u8]) -> Hir {
    let blank = Hir::class(Class::Bytes(ClassBytes::new([
        ClassBytesRange::new(b' ', b' '),
        ClassBytesRange::new(b'\t', b'\t'),
    ])));
    let blanks = repeat(blank, 0);
    Hir::concat(vec![
        Hir::alternation(vec![Hir::look(Look::Start), Hir::literal(*b",")]),
        blanks.clone(),
        Hir::literal(member),
        blanks,
        Hir::alternation(vec![Hir::look(Look::End), Hir::literal(*b",")]),
    ])
}

fn byte_between(first: u8, last: u8) -> Hir {
    Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(first, last)])))
}

fn repeat(sub: Hir, min: u32) -> Hir {
    Hir::repetition(Repetition { min, max: None, greedy: true, sub: Box::new(sub) })
}
