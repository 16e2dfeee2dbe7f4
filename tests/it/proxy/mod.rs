//! The proxy on real sockets: raw clients in front of it, scripted upstreams behind it.

mod as_nginx;
mod bodies;
mod corpus;
mod framing;
mod harness;
mod headers;
mod hostile;
mod lifecycle;
mod pages;
mod plans;
mod process;
mod tls;
mod upstreams;
