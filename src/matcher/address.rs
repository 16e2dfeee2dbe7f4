//! The class of an address: a search among the stretches of addresses that rules tell apart.

use crate::artifact::Table;
use crate::artifact::format::Addresses;
use core::net::IpAddr;

/// The class of `address`: that of the last stretch that does not begin behind it.
pub(super) fn class(addresses: Table<'_, Addresses>, address: IpAddr) -> u32 {
    // An IPv4 address is its mapped IPv6 address.
    let number = match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    };
    // Invariant: a stretch that begins at `number` or before it stands before `behind`, none from `end` on does.
    let (mut behind, mut end) = (0, u32::try_from(addresses.len()).unwrap_or(u32::MAX));
    while behind < end {
        let middle = behind.midpoint(end);
        if addresses.row(middle).first() <= number {
            behind = middle + 1;
        } else {
            end = middle;
        }
    }
    // The first one begins at 0; one behind the last is none.
    addresses.row(behind.wrapping_sub(1)).class
}
