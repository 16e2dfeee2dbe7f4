//! HTTP/2 with upstreams: a few connections a core and server, each with many requests at once.

mod exchange;
mod note;
mod relay;
mod request;
mod sender;
mod sessions;

pub(in crate::proxy) use exchange::classify;
pub(super) use exchange::{Refused, Sending, send};
pub(super) use relay::Relay;
pub(super) use sessions::Sessions;
pub(in crate::proxy) use sessions::not_spoken;
