//! HTTP/2 with clients and with upstreams.

mod clients;
mod grpc;
pub(in crate::proxy) mod peers;
mod upstreams;
