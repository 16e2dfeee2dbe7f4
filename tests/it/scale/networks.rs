//! Networks that nest, touch and repeat: an address is in those that the definition says.

use super::{Random, request, service};
use crate::engines::Engines;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses lie close together, so that networks nest and touch.
fn address(random: &mut Random) -> IpAddr {
    let [a, b, c] = [3, 4, 256].map(|bound| u8::try_from(random.below(bound)).expect("below 256"));
    let v4 = Ipv4Addr::new(10 + a % 2, a, b, c);
    match random.below(10) {
        0..5 => v4.into(),
        5 => v4.to_ipv6_mapped().into(),
        6 => IpAddr::V6(Ipv6Addr::from_bits(u128::from(random.below(4)))),
        7 => IpAddr::V6(Ipv6Addr::from_bits(0xFFFE_FFFF_FFFF + u128::from(random.below(4)))),
        _ => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, u16::from(a), u16::from(b), 0, 0, 0, u16::from(c))),
    }
}

/// A network that holds `address`, written with zeros behind the bits that count.
fn network(random: &mut Random, address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let bits = [0, 1, 8, 15, 16, 23, 24, 30, 31, 32][random.below(10) as usize];
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            format!("{}/{bits}", Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let bits = [0, 16, 32, 48, 64, 79, 80, 95, 120, 128][random.below(10) as usize];
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            format!("{}/{bits}", Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

#[test]
fn an_address_is_in_the_networks_that_the_definition_says() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let mut guards = String::new();
        for number in 0..=random.below(30) {
            let networks: Vec<String> = (0..=random.below(4))
                .map(|_| {
                    let address = address(&mut random);
                    network(&mut random, address)
                })
                .collect();
            let not = if random.below(4) == 0 { "not " } else { "" };
            let guard = format!("{not}client in {}", networks.join(" "));
            guards.push_str(&format!("when {guard} {{ set response header x-{number} yes; }}\n"));
        }
        let engines = Engines::new(&service(&format!("location / {{ {guards} return 200; }}")));
        for _ in 0..300 {
            let mut asked = request("/");
            asked.client = address(&mut random);
            engines.decide(&asked);
        }
    }
}

#[test]
fn ten_thousand_networks_are_a_table_as_long_as_they_are_many() {
    let mut random = Random(1);
    let networks: Vec<String> = (0..10_000)
        .map(|_| format!("{}.{}.{}.0/24", random.below(224), random.below(256), random.below(256)))
        .collect();
    let rules =
        service(&format!("location / {{ when client in {} {{ return 403; }} return 200; }}", networks.join(" ")));
    let compiled = super::compiled(&super::load(&rules)).expect("within the limits");
    assert!(compiled.bytes.len() < 10_000 * 2 * 24, "{} octets", compiled.bytes.len());
}
