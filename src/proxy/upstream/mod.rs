//! Upstreams: HTTP/1 spoken by hand, in the task that serves the client; HTTP/2 by h2.

mod any_certificate;
mod balance;
pub(super) mod check;
mod connect;
mod connection;
mod dns;
mod exchange;
mod failure;
mod health;
pub(super) mod http2;
mod incoming;
mod kept;
mod pool;
mod relay;
mod retry;
mod sender;
mod target;
pub(super) mod tls;
mod upload;

pub(super) use any_certificate::AnyCertificate;
pub(super) use connect::by_kind;
pub(super) use dns::{Names, lookup, name_servers};
pub(super) use exchange::Asked;
pub(super) use failure::{Attempt, Failure};
pub(super) use health::ServerState;
pub(super) use incoming::Relay;
pub(super) use pool::{Answer, Outgoing, Pool, Then, Tunnel};
pub(super) use target::{Server, Upstream};
pub(super) use upload::Upload;
