//! `[listener.NAME]`: where clients connect to.

use super::address;
use super::address::Address;
use super::section::Section;
use crate::proxy::network::Network;

/// `[listener.NAME]`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listener {
    /// Its name in the rules.
    pub name: String,
    /// Where it listens.
    pub address: Address,
    /// Hops whose X-Forwarded-For and X-Forwarded-Proto count. A Unix socket's peer counts as 127.0.0.1.
    pub trusted: Vec<Network>,
}

impl Listener {
    /// A listener that trusts no hop.
    pub fn new(name: &str, address: Address) -> Self {
        Self { name: name.to_owned(), address, trusted: Vec::new() }
    }
}

/// Reads one; None where it says no address.
pub(super) fn listener(name: &str, section: &Section<'_, '_>) -> Option<Listener> {
    section.only(&["address", "trusted", "tls"]);
    if let Some(span) = section.value_span("tls") {
        section.file.problem(&span, "TLS towards clients is not supported yet: let a trusted hop in front do it");
    }
    let trusted = section.all_parsed("trusted", str::parse).unwrap_or_default();
    Some(Listener { name: name.to_owned(), address: address::read(section)?, trusted })
}
