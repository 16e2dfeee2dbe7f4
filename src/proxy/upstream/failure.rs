//! A fault with what the log says about it.

use core::net::SocketAddr;
use core::ops::{Deref, DerefMut};
use core::time::Duration;

use serde::Serialize;

use crate::proxy::fault::{Fault, Phase, UpstreamFault};

/// An exchange with an upstream that failed. It is as large as a pointer: results that carry it are seldom failures.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Failure(Box<Facts>);

/// What is known of it.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Facts {
    pub(in crate::proxy) fault: Fault,
    /// What was being done: some faults are met at more than one time.
    pub(in crate::proxy) phase: Phase,
    /// In the words of the library that noticed; for the log only.
    pub(in crate::proxy) detail: Option<String>,
    pub(in crate::proxy) peer: Option<SocketAddr>,
    /// The name that TLS asked for or verified.
    pub(in crate::proxy) server_name: Option<String>,
    /// How long the phase had lasted.
    pub(in crate::proxy) elapsed: Option<Duration>,
    /// Of a kept connection: its age, and how long it had been idle.
    pub(in crate::proxy) reused: Option<(Duration, Duration)>,
    /// How long idle connections are kept, and how long the server said that it would.
    pub(in crate::proxy) kept_for: Option<Duration>,
    pub(in crate::proxy) announced: Option<Duration>,
    /// Octets of the request that were written to it.
    pub(in crate::proxy) sent: u64,
    /// Octets of the answer that were read from it.
    pub(in crate::proxy) received: u64,
    /// What was tried before.
    pub(in crate::proxy) attempts: Vec<Attempt>,
}

/// Of a detail, so much goes into the operator's log: servers choose some of its words, such as names in certificates.
const REASON_CHARACTERS_MAX: usize = 200;

/// A server that was tried in vain.
#[derive(Clone, Debug, Serialize)]
pub(in crate::proxy) struct Attempt {
    pub(in crate::proxy) peer: Option<String>,
    pub(in crate::proxy) code: &'static str,
}

impl Failure {
    pub(in crate::proxy) fn new(fault: impl Into<Fault>) -> Self {
        let fault = fault.into();
        Self(Box::new(Facts {
            fault,
            phase: fault.phase(),
            detail: None,
            peer: None,
            server_name: None,
            elapsed: None,
            reused: None,
            kept_for: None,
            announced: None,
            sent: 0,
            received: 0,
            attempts: Vec::new(),
        }))
    }

    pub(in crate::proxy) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(in crate::proxy) fn peer(mut self, peer: SocketAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    pub(super) fn elapsed(mut self, elapsed: Duration) -> Self {
        self.elapsed = Some(elapsed);
        self
    }

    /// This failure as one of several attempts.
    pub(in crate::proxy) fn attempt(&self) -> Attempt {
        Attempt { peer: self.peer.map(|peer| peer.to_string()), code: self.fault.code() }
    }
}

impl Facts {
    /// The code with the words of who noticed, as a line of the operator's log has room for.
    pub(super) fn reason(&self) -> String {
        let Some(detail) = &self.detail else { return self.fault.code().to_owned() };
        let short: String = detail.chars().take(REASON_CHARACTERS_MAX).collect();
        format!("{}: {short}", self.fault.code())
    }

    /// What the operator may do; with the figures, where it is figures that have to fit.
    pub(in crate::proxy) fn hint(&self) -> Option<String> {
        let hint = self.fault.hint()?;
        let reused = self.fault == Fault::Upstream(UpstreamFault::ReusedConnectionClosed);
        let (true, Some((_, idle)), Some(kept_for)) = (reused, self.reused, self.kept_for) else {
            return Some(hint.to_owned());
        };
        let announced = match self.announced {
            Some(time) => format!("the upstream announces `Keep-Alive: timeout={}`", time.as_secs()),
            None => "the upstream announces no time of its own".to_owned(),
        };
        let (idle, kept_for) = (idle.as_secs_f64(), kept_for.as_secs_f64());
        Some(format!(
            "It had been idle for {idle:.3} s; connections are kept for {kept_for:.3} s, and {announced}. {hint}"
        ))
    }
}

impl Deref for Failure {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Facts {
        &mut self.0
    }
}
