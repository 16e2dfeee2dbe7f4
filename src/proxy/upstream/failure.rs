//! A fault with what the log says about it.

use core::net::SocketAddr;
use core::time::Duration;

use crate::proxy::fault::Fault;

/// An exchange with an upstream that failed.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Failure {
    pub(in crate::proxy) fault: Fault,
    /// In the words of the library that noticed; for the log only.
    pub(in crate::proxy) detail: Option<String>,
    pub(in crate::proxy) peer: Option<SocketAddr>,
    /// Of a kept connection: its age, and how long it had been idle.
    pub(in crate::proxy) reused: Option<(Duration, Duration)>,
    /// Octets of the request that were written to it.
    pub(in crate::proxy) sent: u64,
    /// Octets of the answer that were read from it.
    pub(in crate::proxy) received: u64,
}

impl Failure {
    pub(in crate::proxy) fn new(fault: impl Into<Fault>) -> Self {
        Self { fault: fault.into(), detail: None, peer: None, reused: None, sent: 0, received: 0 }
    }

    pub(super) fn detail(self, detail: String) -> Self {
        Self { detail: Some(detail), ..self }
    }

    pub(super) fn peer(self, peer: SocketAddr) -> Self {
        Self { peer: Some(peer), ..self }
    }
}
