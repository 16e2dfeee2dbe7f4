//! HTTP/2 with clients and with upstreams.

mod clients;
mod grpc;
mod peers;
mod upstreams;
