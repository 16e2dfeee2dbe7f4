//! Where a socket is.

use core::fmt;
use core::net::SocketAddr;
use std::path::PathBuf;

use super::section::Section;

/// `127.0.0.1:8080`, `unix:/run/rulec.sock` or `fd:public`
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an interface that others write")]
pub enum Address {
    /// An address and a port; port 0 is any free one.
    Tcp(SocketAddr),
    /// The path of a socket.
    Unix(PathBuf),
    /// A socket that systemd hands over: its name, or its number from 0.
    Inherited(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Inherited(name) => write!(f, "fd:{name}"),
        }
    }
}

/// `127.0.0.1:8080`, `[::1]:8080`, `:8080` (all addresses), `unix:/run/rulec.sock` or `fd:public`.
///
/// # Errors
/// Says what an address looks like.
pub fn parse_address(text: &str) -> Result<Address, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return if path.is_empty() {
            Err("a path belongs after `unix:`".to_owned())
        } else {
            Ok(Address::Unix(PathBuf::from(path)))
        };
    }
    if let Some(name) = text.strip_prefix("fd:") {
        return if name.is_empty() {
            Err("the name of a socket belongs after `fd:`, or its number".to_owned())
        } else {
            Ok(Address::Inherited(name.to_owned()))
        };
    }
    let full =
        if text.starts_with(':') { format!("0.0.0.0{text}") } else { text.replacen("localhost:", "127.0.0.1:", 1) };
    full.parse()
        .map(Address::Tcp)
        .map_err(|_| format!("`{text}` is no address like 127.0.0.1:8080 or unix:/run/rulec.sock"))
}

/// `address` of a section, which must say one.
pub(super) fn read(section: &Section<'_, '_>) -> Option<Address> {
    if section.value_span("address").is_none() {
        section.file.problem(&section.span(), "`address` is missing");
    }
    let address = section.parsed("address", parse_address)?;
    Some(match address {
        Address::Unix(path) => Address::Unix(section.file.relative(&path.to_string_lossy())),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_tcp_or_unix() {
        assert_eq!(parse_address("unix:/run/a.sock"), Ok(Address::Unix("/run/a.sock".into())));
        assert_eq!(parse_address(":80").unwrap().to_string(), "0.0.0.0:80");
        assert_eq!(parse_address("[::1]:80").unwrap().to_string(), "[::1]:80");
        assert_eq!(parse_address("fd:public"), Ok(Address::Inherited("public".to_owned())));
        assert!(parse_address("80").is_err() && parse_address("fd:").is_err() && parse_address("unix:").is_err());
    }
}
