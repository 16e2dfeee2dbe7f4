//! The PROXY protocol, versions 1 and 2: a balancer's word for who is at the other end, before anything else.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::proxy::limits::PROXY_HEADER_OCTETS_MAX;

/// Begins a header of version 2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// A line of version 1 with its end, as long as the longest addresses make it.
const LINE_OCTETS_MAX: usize = 107;

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A client of the balancer.
    Address(IpAddr),
    /// The balancer itself, or somebody that it says nothing about.
    Unsaid,
}

/// Why the octets are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

/// Reads the header and not an octet more.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Source, Malformed> {
    const ENDED: Malformed = Malformed("the connection ended within it");
    // Shorter than any header of either version.
    let mut begin = [0; SIGNATURE.len()];
    stream.read_exact(&mut begin).await.map_err(|_| ENDED)?;
    if begin != SIGNATURE {
        return read_line(stream, &begin).await;
    }
    let mut rest = [0; 4];
    stream.read_exact(&mut rest).await.map_err(|_| ENDED)?;
    let [version_command, family, high, low] = rest;
    let octets = usize::from(u16::from_be_bytes([high, low]));
    if octets > PROXY_HEADER_OCTETS_MAX {
        return Err(Malformed("too long"));
    }
    let mut addresses = vec![0; octets];
    stream.read_exact(&mut addresses).await.map_err(|_| ENDED)?;
    binary(version_command, family, &addresses)
}

async fn read_line<S: AsyncRead + Unpin>(stream: &mut S, begin: &[u8]) -> Result<Source, Malformed> {
    if !begin.starts_with(b"PROXY ") {
        return Err(Malformed("it begins otherwise"));
    }
    let mut line = begin.to_vec();
    // What follows the line belongs to others: it is read octet by octet.
    while !line.ends_with(b"\r\n") {
        if line.len() >= LINE_OCTETS_MAX {
            return Err(Malformed("too long"));
        }
        line.push(stream.read_u8().await.map_err(|_| Malformed("the connection ended within it"))?);
    }
    text(&line)
}

/// `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443`
fn text(line: &[u8]) -> Result<Source, Malformed> {
    let line = core::str::from_utf8(line).ok().and_then(|line| line.strip_suffix("\r\n"));
    let mut words = line.ok_or(Malformed("not text"))?.split(' ');
    if words.next() != Some("PROXY") {
        return Err(Malformed("it begins otherwise"));
    }
    let family = words.next();
    if family == Some("UNKNOWN") {
        // Whatever else the line says is to be ignored.
        return Ok(Source::Unsaid);
    }
    let mut address = || words.next().and_then(|word| word.parse::<IpAddr>().ok()).ok_or(Malformed("no address"));
    let (source, destination) = (address()?, address()?);
    let is_right = match family {
        Some("TCP4") => source.is_ipv4() && destination.is_ipv4(),
        Some("TCP6") => source.is_ipv6() && destination.is_ipv6(),
        _ => return Err(Malformed("neither TCP4, TCP6 nor UNKNOWN")),
    };
    let is_port = |word: Option<&str>| {
        word.is_some_and(|word| word.bytes().all(|octet| octet.is_ascii_digit()) && word.parse::<u16>().is_ok())
    };
    if is_right && is_port(words.next()) && is_port(words.next()) && words.next().is_none() {
        Ok(Source::Address(source))
    } else {
        Err(Malformed("addresses and ports are not as its family wants them"))
    }
}

/// What stands behind the signature; `addresses` are the octets that the length counts, what follows addresses in them
/// (TLVs) is for others.
fn binary(version_command: u8, family: u8, addresses: &[u8]) -> Result<Source, Malformed> {
    let short = Malformed("its length is too short for its family");
    match (version_command, family) {
        (0x21, 0x11 | 0x12) if addresses.len() < 12 => Err(short),
        (0x21, 0x11 | 0x12) => {
            let source: [u8; 4] = *addresses.first_chunk().ok_or(short)?;
            Ok(Source::Address(Ipv4Addr::from(source).into()))
        }
        (0x21, 0x21 | 0x22) if addresses.len() < 36 => Err(short),
        (0x21, 0x21 | 0x22) => {
            let source: [u8; 16] = *addresses.first_chunk().ok_or(short)?;
            Ok(Source::Address(Ipv6Addr::from(source).into()))
        }
        (0x21, 0x31 | 0x32) if addresses.len() < 216 => Err(short),
        // LOCAL: the balancer speaks for itself, a health check mostly. And a Unix socket at the other end of the balancer
        // has no address of the kind that rules ask for.
        (0x20, _) | (0x21, 0x00 | 0x31 | 0x32) => Ok(Source::Unsaid),
        (0x21, _) => Err(Malformed("an unknown family")),
        _ => Err(Malformed("an unknown version or command")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is said, and how many octets are left.
    fn parse(mut octets: &[u8]) -> (Result<Source, Malformed>, usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let source = runtime.block_on(read(&mut octets));
        (source, octets.len())
    }

    fn check(octets: &[u8], expect: Option<&str>) {
        let expect = expect.map_or(Source::Unsaid, |address| Source::Address(address.parse().unwrap()));
        let mut sent = octets.to_vec();
        sent.extend_from_slice(b"GET / HTTP/1.1\r\n");
        assert_eq!(parse(&sent), (Ok(expect), 16), "{}", octets.escape_ascii());
    }

    fn check_malformed(octets: &[u8]) {
        assert!(parse(octets).0.is_err(), "{}", octets.escape_ascii());
    }

    fn header(version_command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[version_command, family], &length, addresses].concat()
    }

    #[test]
    fn version_1_is_a_line() {
        check(b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", Some("192.0.2.1"));
        check(b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", Some("2001:db8::1"));
        check(b"PROXY UNKNOWN\r\n", None);
        check(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", None);
        for line in [
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n",
            "PROXY TCP4 192.0.2.1 198.51.100.1 +1 443\r\n",
            "PROXY TCP4 ::1 ::1 1 1\r\n",
            "PROXY TCP6 192.0.2.1 192.0.2.1 1 1\r\n",
            "PROXY TCP4  192.0.2.1 198.51.100.1 1 1\r\n",
            "PROXY UDP4 192.0.2.1 198.51.100.1 1 1\r\n",
            "proxy TCP4 192.0.2.1 198.51.100.1 1 1\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            check_malformed(line.as_bytes());
        }
        check_malformed(format!("PROXY UNKNOWN {}\r\n", "x".repeat(200)).as_bytes());
    }

    #[test]
    fn version_2_is_binary_and_what_follows_the_addresses_is_skipped() {
        let four = [192, 0, 2, 1, 198, 51, 100, 1, 0xDC, 4, 1, 0xBB];
        check(&header(0x21, 0x11, &four), Some("192.0.2.1"));
        check(&header(0x21, 0x11, &[&four[..], &[3, 0, 4, 1, 2, 3, 4]].concat()), Some("192.0.2.1"));
        let mut six = [0; 36];
        six[15] = 1;
        check(&header(0x21, 0x21, &six), Some("::1"));
        check(&header(0x20, 0x00, &[]), None);
        check(&header(0x20, 0x11, &four), None);
        check(&header(0x21, 0x00, &[]), None);
        check(&header(0x21, 0x31, &[b'a'; 216]), None);
        check_malformed(&header(0x21, 0x11, &four[..11]));
        check_malformed(&header(0x21, 0x21, &six[..35]));
        check_malformed(&header(0x21, 0x31, &[0; 215]));
        check_malformed(&header(0x22, 0x11, &four));
        check_malformed(&header(0x11, 0x11, &four));
        check_malformed(&header(0x21, 0x41, &four));
        check_malformed(&header(0x21, 0x11, &[0; PROXY_HEADER_OCTETS_MAX + 1]));
        check_malformed(&header(0x21, 0x11, &four)[..20]);
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic_or_read_beyond_its_bound(
            start in prop_oneof![Just(&b""[..]), Just(&SIGNATURE[..]), Just(&b"PROXY "[..]), Just(&b"PROXY TCP4 1.1.1.1 "[..])],
            tail in proptest::collection::vec(any::<u8>(), 0..4096),
        ) {
            let octets = [start, &tail].concat();
            let (_, left) = parse(&octets);
            prop_assert!(octets.len() - left <= PROXY_HEADER_OCTETS_MAX + 16);
        }

        #[test]
        fn the_same_client_comes_out_of_both_versions(address: [u8; 4], ports: [u16; 2]) {
            let [source, destination] = ports;
            let client = Ipv4Addr::from(address);
            let line = format!("PROXY TCP4 {client} 10.0.0.1 {source} {destination}\r\n");
            let [high, low] = source.to_be_bytes();
            let binary = header(0x21, 0x11, &[&address[..], &[10, 0, 0, 1, high, low, 0, 80]].concat());
            prop_assert_eq!(parse(line.as_bytes()), (Ok(Source::Address(client.into())), 0));
            prop_assert_eq!(parse(&binary), (Ok(Source::Address(client.into())), 0));
        }
    }
}
