//! TLS towards clients.

mod handshake;
mod identities;
mod identity;
mod termination;
mod watch;

pub(super) use handshake::handshake;
pub(in crate::proxy) use termination::Termination;
pub(in crate::proxy) use watch::{Watch, watch};
