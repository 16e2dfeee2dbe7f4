//! Connections of clients.

mod answer_writer;
mod connection;
mod http1;
mod output;
mod stream;
mod tunnel;
mod wire;

pub(super) use connection::{Client, serve};
pub(super) use stream::Stream;
pub(super) use wire::Wire;
