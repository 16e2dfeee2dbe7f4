//! Times that have to fit from hop to hop.

use super::super::declared::{Declared, time};
use super::super::report::ListenerReport;
use super::Findings;

/// Clocks and wires differ by less.
const HOP_MARGIN_MS: u64 = 5_000;

/// The hop nearer to the client must be the one that lets go first.
pub(super) fn listener(listener: &ListenerReport, findings: &mut Findings) {
    let Some(balancer) = listener.load_balancer_idle_milliseconds else { return };
    let own = listener.idle_milliseconds;
    let instead =
        Some(format!("a listener that keeps idle connections for {} or longer", time(balancer + HOP_MARGIN_MS)));
    let what = format!(
        "the listener lets go of idle connections after {}, the load balancer after {}",
        time(own),
        time(balancer)
    );
    if own <= balancer {
        let why = "The load balancer sends a request on a connection that is being closed, and answers with 502.";
        findings.error("doctor.listener.idle_too_short", what, why, instead);
    } else if own < balancer + HOP_MARGIN_MS {
        let why = "A request and the close can meet on the way.";
        findings.warning("doctor.listener.idle_too_close", what, why, instead);
    }
}

/// Timers of an upstream that something else always beats.
pub(super) fn timers(upstream: &Declared, listeners: &[ListenerReport], findings: &mut Findings) {
    let timers = &upstream.merged.timeouts;
    if let Some(request) = timers.request_ms {
        let inner = [
            ("dns", timers.dns_ms),
            ("connect", timers.connect_ms),
            ("tls", timers.tls_ms),
            ("response", timers.response_ms),
        ];
        let idle: Vec<_> = inner.into_iter().filter(|(_, own)| *own >= request).collect();
        if !idle.is_empty() {
            let words: Vec<String> = idle.iter().map(|(word, own)| format!("{word}={}", time(*own))).collect();
            let what = format!("`timeout {}`: not below `request={}`", words.join(" "), time(request));
            let why = "The timer of the whole request ends it first, and the code says less.";
            let instead = format!("times below `request={}`, or a longer `request=`", time(request));
            findings.warning("doctor.timer.never_fires", what, why, Some(instead));
        }
    }
    let balancers = listeners.iter().filter_map(|own| Some((&own.name, own.load_balancer_idle_milliseconds?)));
    if let Some((listener, balancer)) = balancers.min_by_key(|(_, balancer)| *balancer)
        && timers.response_ms >= balancer
    {
        let what = format!(
            "`timeout response={}`, and the load balancer before `{listener}` gives up after {} of silence",
            time(timers.response_ms),
            time(balancer)
        );
        let why = "The timer can never fire there: the client gets the load balancer's 504, and no code and no page \
                   of the gateway's.";
        let instead = format!(
            "`timeout response={}`, or a longer idle time there",
            time(balancer.saturating_sub(HOP_MARGIN_MS).max(1_000))
        );
        findings.warning("doctor.timer.never_fires", what, why, Some(instead));
    }
}
