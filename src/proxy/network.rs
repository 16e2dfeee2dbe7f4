//! Networks of addresses, and what a hop within them may say about a client.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use std::borrow::Cow;

/// An address, or all that share its first bits: `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether `address` lies in it; an IPv4 address written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (have, want, width) = match (address.to_canonical(), self.address) {
            (IpAddr::V4(have), IpAddr::V4(want)) => (u128::from(have.to_bits()), u128::from(want.to_bits()), 32),
            (IpAddr::V6(have), IpAddr::V6(want)) => (have.to_bits(), want.to_bits(), 128),
            _ => return false,
        };
        let ignored = width - u32::from(self.bits);
        have.checked_shr(ignored).unwrap_or(0) == want.checked_shr(ignored).unwrap_or(0)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr =
            address.parse().map_err(|_| format!("`{text}` is no address or network like 10.0.0.0/8"))?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => width,
            Some(bits) => bits
                .parse()
                .ok()
                .filter(|bits| *bits <= width)
                .ok_or_else(|| format!("`{text}`: the number of bits is at most {width}"))?,
        };
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The client: the last of the hops that no trusted one spoke for.
///
/// `hops` are those before the peer, the nearest last. They count only as far as, from there, every hop that added one is
/// trusted; what stands left of an untrusted hop's address is its own invention.
pub(super) fn client(peer: IpAddr, trusted: &[Network], hops: &[Cow<'_, [u8]>]) -> IpAddr {
    let mut client = peer.to_canonical();
    for hop in hops.iter().rev() {
        if !is_trusted(client, trusted) {
            break;
        }
        let Some(address) = address(hop) else { break };
        client = address.to_canonical();
    }
    client
}

/// Whether a hop counts.
pub(super) fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = core::str::from_utf8(hop).ok()?;
    let plain = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let bare = plain.parse().ok();
    let with_port = || hop.parse::<core::net::SocketAddr>().ok().map(|address| address.ip());
    bare.or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded_for: &str, expect: &str) {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let hops: Vec<_> = forwarded_for.split(", ").map(|hop| Cow::Borrowed(hop.as_bytes())).collect();
        let got = client(peer.parse().unwrap(), &trusted, &hops);
        assert_eq!(got, expect.parse::<IpAddr>().unwrap(), "{peer} {forwarded_for}");
    }

    #[test]
    fn only_trusted_hops_speak_for_a_client() {
        check("192.0.2.9", "203.0.113.1", "192.0.2.9");
        check("10.0.0.1", "203.0.113.1", "203.0.113.1");
        check("10.0.0.1", "198.51.100.7, 203.0.113.1", "203.0.113.1");
        check("10.0.0.1", "203.0.113.1, 10.0.0.2", "203.0.113.1");
        check("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3");
        check("10.0.0.1", "nonsense", "10.0.0.1");
        check("10.0.0.1", "", "10.0.0.1");
        check("::1", "[2001:db8::1]:80", "2001:db8::1");
        check("::ffff:10.0.0.1", "203.0.113.1:99", "203.0.113.1");
    }

    #[test]
    fn networks_are_read_and_compared_by_their_bits() {
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("192.0.2.1".parse().unwrap()) && !all.contains("::1".parse().unwrap()));
        let wide: Network = "::/0".parse().unwrap();
        assert!(wide.contains("2001:db8::1".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<Network>().is_err() && "ten".parse::<Network>().is_err());
    }
}
