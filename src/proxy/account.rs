//! What the log tells of an exchange with an upstream that failed.

use core::time::Duration;

use serde::Serialize;

use super::upstream::{Attempt, Failure};

/// What the line says of an exchange with an upstream that failed.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    phase: &'static str,
    /// How long the phase had lasted.
    phase_ms: Option<f64>,
    /// What TLS asked for.
    server_name: Option<String>,
    reused: bool,
    /// Of a kept connection.
    age_ms: Option<f64>,
    idle_ms: Option<f64>,
    /// Octets written to and read from it.
    sent: u64,
    received: u64,
    /// Every server that was tried, this one last.
    attempts: Vec<Attempt>,
    hint: Option<String>,
}

impl Account {
    pub(super) fn of(failure: &Failure) -> Self {
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let mut attempts = failure.attempts.clone();
        attempts.push(failure.attempt());
        Self {
            phase: failure.phase.name(),
            phase_ms: failure.elapsed.map(ms),
            server_name: failure.server_name.clone(),
            reused: failure.reused.is_some(),
            age_ms: failure.reused.map(|(age, _)| ms(age)),
            idle_ms: failure.reused.map(|(_, idle)| ms(idle)),
            sent: failure.sent,
            received: failure.received,
            attempts,
            hint: failure.hint(),
        }
    }
}
