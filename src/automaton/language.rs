//! Operators as regular languages over the bytes of a field.
//!
//! In the HIR used here `Look::EndLF` is PCRE's `$`: the end, or before one final newline.

use crate::model::pattern::Meaning;
use crate::model::{Network, Operator, ServerNameKind};
use core::net::IpAddr;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};

/// The values for which `operator` holds; None for a regex that has a mistake.
pub fn of_operator(operator: &Operator) -> Option<Meaning> {
    Some(Meaning::from(match operator {
        Operator::In(values) => Hir::alternation(values.iter().map(|value| exact(value)).collect()),
        Operator::Prefix(prefix) => starts_with(prefix),
        Operator::Regex(pattern) => return pattern.meaning.clone(),
        Operator::Has(member) => has_member(member),
        Operator::Present => Hir::empty(),
        Operator::Within(networks) => Hir::alternation(networks.iter().map(|network| within(*network)).collect()),
    }))
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

/// Addresses of a network, as the matcher spells them: 4 or 6, then the octets.
fn within(network: Network) -> Hir {
    let (family, octets) = match network.address.to_canonical() {
        IpAddr::V4(address) => (b'4', address.octets().to_vec()),
        IpAddr::V6(address) => (b'6', address.octets().to_vec()),
    };
    let mut parts = vec![Hir::look(Look::Start), Hir::literal([family])];
    let mut bits = u32::from(network.prefix_bits);
    for octet in octets {
        if bits == 0 {
            break;
        }
        let free = 8u32.saturating_sub(bits);
        let mask = u8::MAX.checked_shl(free).unwrap_or(0);
        parts.push(byte_between(octet & mask, octet | !mask));
        bits = bits.saturating_sub(8);
    }
    Hir::concat(parts)
}

fn byte_between(first: u8, last: u8) -> Hir {
    Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(first, last)])))
}

fn repeat(sub: Hir, min: u32) -> Hir {
    Hir::repetition(Repetition { min, max: None, greedy: true, sub: Box::new(sub) })
}
