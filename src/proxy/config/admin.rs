//! `[admin]`: where health and metrics are told, and to whom.

use super::Config;
use super::address::{self, Address};
use super::plans::secret;
use super::section::Section;
use super::words::Secret;

/// `[admin]`
#[derive(Clone, Debug)]
pub(super) struct Admin {
    pub(super) address: Option<Address>,
    pub(super) token: Option<Secret>,
}

pub(super) fn admin(section: &Section<'_, '_>) -> Admin {
    section.only(&["address", "token"]);
    let token = section.section("token").and_then(|section| secret(&section));
    let address = address::read(section);
    let says_token = section.value_span("token").is_some();
    if let Some(problem) = address.as_ref().filter(|_| !says_token).and_then(open_to_others) {
        section.file.problem(&section.value_span("address").unwrap_or_default(), &problem);
    }
    Admin { address, token }
}

fn open_to_others(address: &Address) -> Option<String> {
    match address {
        Address::Tcp(tcp) if !tcp.ip().is_loopback() => {
            Some(format!("others can reach {tcp}: say `token`, or take a loopback address or `unix:PATH`"))
        }
        _ => None,
    }
}

impl Config {
    /// Why the admin address must not be opened: others could reach it, and nothing asks them who they are.
    pub fn admin_problem(&self) -> Option<String> {
        self.admin.as_ref().filter(|_| self.admin_token.is_none()).and_then(open_to_others)
    }
}
