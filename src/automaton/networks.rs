//! Which networks hold an address: stretches of addresses, each with the set of those that hold it.

use super::literals::Sets;
use crate::model::Network;
use core::cmp::Reverse;
use core::net::IpAddr;

/// The addresses from one to before the next, and the set that holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressClasses {
    /// First addresses (see [`number`]), ascending from 0, and the index of their set.
    pub stretches: Vec<(u128, u32)>,
    /// Sets of languages, each once, ascending.
    pub sets: Vec<Vec<u32>>,
}

/// An address as one number: of IPv4 that of its mapped IPv6 address, which is the same address.
fn number(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => MAPPED_FIRST + u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Says of every address in which of `networks` it is, each of which is of one language.
///
/// Networks nest or are apart, so it takes one pass over them, sorted, with those that are open.
pub fn classify_networks(networks: &[(Network, u32)]) -> AddressClasses {
    let mut ranges: Vec<Range> = networks.iter().flat_map(|(network, language)| ranges(*network, *language)).collect();
    ranges.sort_unstable_by_key(|range| (range.first, Reverse(range.last), range.language));
    let mut sets = Sets::default();
    let nothing = sets.number(Vec::new());
    let mut stretches = vec![(0, nothing)];
    let mut open: Vec<(u128, u32)> = Vec::new();
    for range in ranges {
        close(&mut open, &mut stretches, nothing, |last| last < range.first);
        let outer = open.last().map_or(nothing, |(_, set)| *set);
        let set = sets.with(outer, &[range.language]);
        begin(&mut stretches, range.first, set);
        open.push((range.last, set));
    }
    close(&mut open, &mut stretches, nothing, |_| true);
    let labels: Vec<u32> = stretches.iter().map(|(_, set)| *set).collect();
    let (labels, sets) = sets.used(&labels);
    let mut stretches: Vec<(u128, u32)> = stretches.into_iter().zip(labels).map(|((at, _), set)| (at, set)).collect();
    stretches.dedup_by_key(|(_, set)| *set);
    AddressClasses { stretches, sets }
}

struct Range {
    first: u128,
    last: u128,
    language: u32,
}

/// The first and last IPv6 address that is an IPv4 address.
const MAPPED_FIRST: u128 = 0xFFFF << 32;
const MAPPED_LAST: u128 = MAPPED_FIRST | 0xFFFF_FFFF;

/// The addresses of `network`. A network of IPv6 does not hold those of IPv4.
fn ranges(network: Network, language: u32) -> Vec<Range> {
    let is_mapped = network.address.to_canonical() != network.address;
    let bits = u32::from(network.prefix_bits);
    let (width, bits) = match network.address.to_canonical() {
        IpAddr::V4(_) => (32, if is_mapped { bits.saturating_sub(96) } else { bits }),
        IpAddr::V6(_) => (128, bits),
    };
    let free = u32::saturating_sub(width, bits);
    let rest = 1u128.checked_shl(free).map_or(u128::MAX, |size| size - 1);
    let first = number(network.address) & !rest;
    let (first, last) = (first.max(if width == 32 { MAPPED_FIRST } else { 0 }), first | rest);
    let range = |first, last| Range { first, last, language };
    if width == 128 && first < MAPPED_FIRST && last >= MAPPED_LAST {
        let behind = (last > MAPPED_LAST).then(|| range(MAPPED_LAST + 1, last));
        return core::iter::once(range(first, MAPPED_FIRST - 1)).chain(behind).collect();
    }
    vec![range(first, last)]
}

/// Ends the innermost of the open ranges while `ends` says so of their last address.
fn close(open: &mut Vec<(u128, u32)>, stretches: &mut Vec<(u128, u32)>, nothing: u32, ends: impl Fn(u128) -> bool) {
    while let Some((last, _)) = open.pop_if(|(last, _)| ends(*last)) {
        let outer = open.last().map_or(nothing, |(_, set)| *set);
        if let Some(next) = last.checked_add(1) {
            begin(stretches, next, outer);
        }
    }
}

/// From `first` on it is `set`, whatever was said of it before.
fn begin(stretches: &mut Vec<(u128, u32)>, first: u128, set: u32) {
    match stretches.last_mut() {
        Some((at, own)) if *at == first => *own = set,
        _ => stretches.push((first, set)),
    }
}
