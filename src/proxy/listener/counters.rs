//! What happens at the door, in numbers.

use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;

use crate::proxy::log_limit::LogLimit;

/// Connections before their first request, and the certificates that they are shown.
#[derive(Debug, Default)]
pub(in crate::proxy) struct DoorCounters {
    /// TLS handshakes done.
    pub(super) handshakes: AtomicU64,
    /// Of them: those that went on with an earlier session.
    pub(super) resumed: AtomicU64,
    /// TLS handshakes that failed.
    pub(super) handshakes_failed: AtomicU64,
    /// Handshakes, and PROXY headers, that took too long.
    pub(super) handshakes_late: AtomicU64,
    /// Handshakes that made room for newer ones.
    pub(super) handshakes_evicted: AtomicU64,
    /// Connections of HTTP/2 that were cut off for what their frames were.
    pub(in crate::proxy) http2_cut: AtomicU64,
    /// Lines about handshakes that failed, and about PROXY headers.
    pub(super) handshake_lines: LogLimit,
    pub(super) proxy_protocol_lines: LogLimit,
    /// Connections that came from somebody who may not speak for others, or spoke badly.
    pub(super) proxy_protocol_refused: AtomicU64,
    /// New certificates that serve.
    pub(super) certificates_loaded: AtomicU64,
    /// New certificates that could not be used.
    pub(super) certificates_failed: AtomicU64,
}

impl DoorCounters {
    /// All of them by name.
    pub(in crate::proxy) fn all(&self) -> BTreeMap<&'static str, u64> {
        let all = [
            ("handshakes", &self.handshakes),
            ("handshakes_resumed", &self.resumed),
            ("handshakes_failed", &self.handshakes_failed),
            ("handshakes_timed_out", &self.handshakes_late),
            ("handshakes_evicted", &self.handshakes_evicted),
            ("http2_cut_off", &self.http2_cut),
            ("proxy_protocol_refused", &self.proxy_protocol_refused),
            ("certificate_reloads", &self.certificates_loaded),
            ("certificate_reload_failures", &self.certificates_failed),
        ];
        all.into_iter().map(|(name, counter)| (name, counter.load(Ordering::Relaxed))).collect()
    }
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
