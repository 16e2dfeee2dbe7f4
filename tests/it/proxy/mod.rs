//! The proxy on real sockets: raw clients in front of it, scripted upstreams behind it.

mod activation;
mod as_nginx;
mod balancing;
mod bodies;
mod corpus;
mod faulty;
mod framing;
mod harness;
mod headers;
mod hostile;
mod http2;
mod identity;
mod lifecycle;
mod listener_tls;
mod listeners;
mod made_values;
pub(crate) mod names;
mod operation;
mod pages;
mod plans;
mod process;
mod proxy_protocol;
mod races;
mod redirects;
mod reloads;
mod tls;
mod upstreams;
