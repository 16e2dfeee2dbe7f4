//! Upstreams: HTTP/1 spoken by hand, in the task that serves the client.

mod connect;
mod connection;
mod exchange;
mod failure;
mod pool;
mod relay;
mod response;
mod sender;
mod target;
pub(super) mod tls;

pub(super) use failure::Failure;
pub(super) use pool::{Answer, Outgoing, Pool};
pub(super) use relay::Relay;
pub(super) use response::ResponseHead;
pub(super) use sender::Upload;
pub(super) use target::Upstream;
