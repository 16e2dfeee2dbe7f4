//! The client's side: its socket, guarded, and the heads that come through it.

mod connection;
mod desk;
mod guard;
mod head;

pub(super) use connection::serve;
pub(super) use desk::Desk;
pub(super) use head::{Head, decimal, members};
