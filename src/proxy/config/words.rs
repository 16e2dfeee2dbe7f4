//! The small words of `proxy.toml`: servers, times, secrets.

use core::time::Duration;
use std::fmt;
use std::path::{Path, PathBuf};

use super::ServerWords;
use crate::proxy::keys::read_bounded;

/// `host`, `host:port`, `[::1]:port`, each also with `weight=N`, `backup`, `max_fails=N`, `fail_timeout=TIME`.
pub(super) fn server(text: &str) -> Result<ServerWords, String> {
    let mut words = text.split_whitespace();
    let address = words.next().unwrap_or_default();
    let (host, port) =
        host_and_port(address).ok_or_else(|| format!("`{text}` is no server like `words.internal:8080`"))?;
    let mut server = ServerWords { host: host.to_owned(), port, weight: 1, ..ServerWords::default() };
    for word in words {
        let wrong =
            || format!("`{word}` is none of `weight=N` (1 to 65535), `backup`, `max_fails=N`, `fail_timeout=TIME`");
        match word.split_once('=') {
            None if word == "backup" => server.backup = true,
            Some(("weight", number)) => {
                let weight = number.parse().ok().filter(|weight| (1..=65_535).contains(weight));
                server.weight = weight.ok_or_else(wrong)?;
            }
            Some(("max_fails", number)) => server.max_fails = Some(number.parse().map_err(|_| wrong())?),
            Some(("fail_timeout", time)) => server.fail_timeout_ms = Some(milliseconds(time).map_err(|_| wrong())?),
            _ => return Err(wrong()),
        }
    }
    Ok(server)
}

fn host_and_port(address: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if address.parse::<core::net::Ipv6Addr>().is_ok() {
        (address, None)
    } else if let Some(rest) = address.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<core::net::Ipv6Addr>().ok()?;
        (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
    } else {
        address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port)))
    };
    let is_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:".contains(&octet);
    if host.is_empty() || !host.bytes().all(is_name) {
        return None;
    }
    let port = port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(())).transpose().ok()?;
    Some((host, port))
}

/// `500ms`, `30s`, `5m`, `1h30m`: milliseconds, more than none.
pub(super) fn milliseconds(text: &str) -> Result<u64, String> {
    let problem = || format!("`{text}` is no time like 500ms, 30s, 5m or 1h30m");
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at_checked(digits).ok_or_else(problem)?;
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at_checked(letters).ok_or_else(problem)?;
        let unit: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(problem()),
        };
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(problem)?;
        total = total.checked_add(part).ok_or_else(problem)?;
        rest = tail;
    }
    // A year: beyond it a timer is a mistake, and its arithmetic could wrap.
    if (1..=31_536_000_000).contains(&total) { Ok(total) } else { Err(problem()) }
}

/// A version that rustls speaks.
pub(super) fn tls_version(text: &str) -> Result<String, String> {
    match text {
        "1.2" | "1.3" => Ok(text.to_owned()),
        _ => Err(format!("TLS {text} is not spoken, only 1.2 and 1.3")),
    }
}

/// A time such as `500ms` or `1h30m`.
///
/// # Errors
/// Says what a time looks like.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    milliseconds(text).map(Duration::from_millis)
}

/// Where a secret is to be found; the secret itself never stands in `proxy.toml`.
#[derive(Clone, Debug)]
pub(in crate::proxy) enum Secret {
    File(PathBuf),
    Environment(String),
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Environment(name) => write!(f, "environment variable {name}"),
        }
    }
}

impl Secret {
    /// The secret itself.
    pub(in crate::proxy) fn read(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::File(path) => read_bounded(path).map_err(|error| format!("{self}: {error}")),
            Self::Environment(name) => {
                std::env::var(name).map(String::into_bytes).map_err(|_| format!("the environment has no {name}"))
            }
        }
    }

    /// The file, where it is one.
    pub(in crate::proxy) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Environment(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_hosts_with_ports_and_weights() {
        let check = |text: &str, host: &str, port, weight| {
            let words = ServerWords { host: host.to_owned(), port, weight, ..ServerWords::default() };
            assert_eq!(server(text), Ok(words), "{text}");
        };
        check("words.internal", "words.internal", None, 1);
        check("10.0.0.1:81 weight=3", "10.0.0.1", Some(81), 3);
        check("[::1]:81", "::1", Some(81), 1);
        check("::1", "::1", None, 1);
        let words = server("a backup max_fails=0 fail_timeout=5s").unwrap();
        assert_eq!((words.backup, words.max_fails, words.fail_timeout_ms), (true, Some(0), Some(5_000)));
        for text in ["", "a:0", "a:65536", "a:b", "a b", "a weight=0", "http://a", "[a]:1", "a:1:2"] {
            assert!(server(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_add_up() {
        assert_eq!(milliseconds("1h30m"), Ok(5_400_000));
        assert_eq!(milliseconds("500ms"), Ok(500));
        for text in ["", "5", "s", "0s", "5x", "99999999999999999999s", "400d"] {
            assert!(milliseconds(text).is_err(), "{text}");
        }
    }
}
