//! Upstreams: HTTP/1 spoken by hand, in the task that serves the client.

mod connect;
mod connection;
mod exchange;
mod failure;
mod pool;
mod relay;
mod sender;
mod target;
pub(super) mod tls;

pub(super) use exchange::Asked;
pub(super) use failure::Failure;
pub(super) use pool::{Answer, Outgoing, Pool, Then, Tunnel};
pub(super) use relay::Relay;
pub(super) use sender::Upload;
pub(super) use target::Upstream;
