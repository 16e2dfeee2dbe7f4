//! Connections of clients.

mod answer_writer;
mod connection;
mod held;
mod http1;
mod http2;
mod linger;
mod output;
mod peer;
mod socket;
mod stream;
mod tunnel;
mod wire;

pub(super) use connection::{Client, serve};
pub(super) use held::Held;
pub(super) use http2::{Body as Http2Body, Respond};
pub(super) use peer::{Peer, Protocol};
pub(super) use stream::Stream;
pub(super) use wire::Wire;
