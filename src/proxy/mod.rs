//! The data plane: sockets around the matcher.
//!
//! Each core has its own runtime, listeners, upstream connections and timers; shared is only the policy and what is
//! counted. HTTP/1 is spoken by hand, with clients and with upstreams; hyper serves the admin address.

mod access_log;
mod account;
mod admin;
mod client;
mod config;
mod descriptors;
pub mod doctor;
mod exchange;
mod fault;
mod http1;
mod http2;
mod hygiene;
pub mod keys;
mod limits;
mod listener;
mod log_limit;
mod metrics;
mod network;
mod plans;
mod policy;
mod rare;
mod record;
mod reload;
mod resident;
mod serve;
mod shared;
mod shortage;
mod timer;
mod upstream;
mod verdict;
mod watch;
mod worker;

pub use access_log::{AccessLog, Format, OperatorLog};
pub use config::{
    Address, BalanceWord, CertificateWords, ClientCertificates, ClientTimers, Config, Forwarded, Http2, Listener,
    ListenerTls, LoadError, LogPlace, LogWords, PlansWords, ServerWords, TimeoutWords, TlsWords, UpstreamWords,
    parse_address, parse_log_place, parse_time,
};
pub use limits::Limits;
pub use network::Network;
pub use plans::{Lookup, PlanSource};
pub use policy::Policy;
pub use serve::{Handle, StartError, serve};
pub use watch::Watch;
