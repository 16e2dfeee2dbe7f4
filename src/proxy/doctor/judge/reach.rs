//! Names, connections, and whether the timers leave enough time.

use super::super::declared::{Declared, time};
use super::super::report::{Failure, ServerReport, Severity};
use super::Findings;

pub(super) fn judge(upstream: &Declared, server: &ServerReport, findings: &mut Findings) {
    if let Some(failure) = &server.resolution.failure {
        let what = format!("`{}` has no address here: {}", server.host, failure.detail);
        let why = format!("A request for it is answered with `{}`.", failure.code);
        let instead = "a name that this machine's resolver knows, or an address".to_owned();
        findings.error("doctor.dns.failed", what, why, Some(instead));
    }
    let failed: Vec<(&str, &Failure)> = server
        .addresses
        .iter()
        .filter_map(|address| Some((address.address.as_str(), address.failure.as_ref()?)))
        .collect();
    let all = failed.len() == server.addresses.len();
    for (address, failure) in failed {
        let what = format!("{address}: {}", failure.detail);
        if all {
            let why = format!("A request for it is answered with `{}`.", failure.code);
            let instead = "check port, firewall, and that the server listens on this address".to_owned();
            findings.error("doctor.connect.failed", what, why, Some(instead));
        } else {
            let why = "The gateway goes on to the next address, and has lost the time until then.";
            let refused = failure.code == "upstream.connect.refused";
            let severity = if refused { Severity::Info } else { Severity::Warning };
            findings.add(severity, "doctor.connect.failed", what, why, None);
        }
    }
    timers(upstream, server, findings);
}

/// What took longer than the rules allow was waited for nevertheless.
fn timers(upstream: &Declared, server: &ServerReport, findings: &mut Findings) {
    let timers = &upstream.merged.timeouts;
    for address in &server.addresses {
        let tls = address.tls.as_ref().map(|tls| &tls.as_configured).filter(|tls| tls.failure.is_none());
        let http = address.http.as_ref().filter(|http| http.failure.is_none());
        for (word, took, allowed) in [
            ("connect", address.connect_milliseconds, timers.connect_ms),
            ("tls", tls.map(|tls| tls.milliseconds), timers.tls_ms),
            ("response", http.map(|http| http.milliseconds), timers.response_ms),
        ] {
            let Some(took) = took else { continue };
            // Timers are far below 2^52 milliseconds.
            #[expect(clippy::cast_precision_loss, reason = "timers are at most a year")]
            let (most, half) = (allowed as f64, allowed as f64 / 2.0);
            let what = format!("`timeout {word}={}`, and {} took {took} ms", time(allowed), address.address);
            if took > most {
                let why = "The gateway gives up before the server is ready.";
                findings.error("doctor.timer.too_short", what, why, Some("a longer timer".to_owned()));
            } else if took > half && took > 100.0 {
                let why = "A little more load, and the gateway gives up.";
                findings.warning("doctor.timer.too_short", what, why, Some("a longer timer".to_owned()));
            }
        }
    }
}
