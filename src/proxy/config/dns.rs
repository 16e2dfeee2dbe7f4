//! `[dns]`

use core::net::{IpAddr, SocketAddr};

use super::section::Section;

/// `servers = ["127.0.0.1:5353", "::1"]`
pub(super) fn dns(section: &Section<'_, '_>) -> Vec<SocketAddr> {
    section.only(&["servers"]);
    let server = |text: &str| {
        let bare = || text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
        text.parse().or_else(|_| bare()).map_err(|_| format!("`{text}` is no address like 127.0.0.1 or 127.0.0.1:53"))
    };
    section.all_parsed("servers", server).unwrap_or_default()
}
