//! Names, connections, and whether the timers leave enough time.

use super::super::declared::{Declared, time};
use super::super::report::{Failure, Resolution, ServerReport, Severity};
use super::Findings;

pub(super) fn judge(upstream: &Declared, server: &ServerReport, findings: &mut Findings) {
    if let Some(failure) = &server.resolution.failure {
        name(&server.host, &server.resolution, failure, findings);
    }
    let failed: Vec<(&str, &Failure)> = server
        .addresses
        .iter()
        .filter_map(|address| Some((address.address.as_str(), address.failure.as_ref()?)))
        .collect();
    let all = failed.len() == server.addresses.len();
    for (address, failure) in failed {
        findings.address = Some(address.to_owned());
        let to = if server.resolution.source == "address" { String::new() } else { format!(" to {address}") };
        let what = format!("no connection{to}: {}", failure.detail);
        let instead = Some(remedy(&failure.code).to_owned());
        if all {
            let why = format!("A request for it is answered with `{}`.", failure.code);
            findings.error("doctor.connect.failed", what, why, instead);
        } else {
            let why = "The gateway goes on to the next address, and has lost the time until then.";
            let refused = failure.code == "upstream.connect.refused";
            let severity = if refused { Severity::Info } else { Severity::Warning };
            findings.add(severity, "doctor.connect.failed", what, why, instead);
        }
    }
    findings.address = None;
    timers(upstream, server, findings);
}

fn name(host: &str, resolution: &Resolution, failure: &Failure, findings: &mut Findings) {
    let asked = if resolution.name_servers.is_empty() {
        "nobody: this machine has no name servers".to_owned()
    } else {
        resolution.name_servers.join(", ")
    };
    let what = format!("`{host}` has no address here: {} (asked: {asked})", failure.detail);
    let why = format!("A request for it is answered with `{}`.", failure.code);
    let instead = if !resolution.only_system.is_empty() {
        format!(
            "the address; or the name in /etc/hosts or in DNS: only the system's own resolver finds {} by it, which the \
             gateway does not ask",
            resolution.only_system.join(", ")
        )
    } else if failure.code == "upstream.dns.not_found" {
        "a name that these servers know (`dig NAME`), others in `[dns] servers` of `proxy.toml`, or an address"
            .to_owned()
    } else {
        "name servers that answer: look at port 53 (UDP and TCP) between here and there, or name others in \
         `[dns] servers` of `proxy.toml`"
            .to_owned()
    };
    findings.error("doctor.dns.failed", what, why, Some(instead));
}

fn remedy(code: &str) -> &'static str {
    match code {
        "upstream.connect.refused" => {
            "start the server, or the right port: nothing listens there (`ss -ltn` at the server shows what does, and \
             whether only on 127.0.0.1)"
        }
        "upstream.connect.timeout" => {
            "an address that can be reached from here: a firewall or a security group that drops, or a machine that is off"
        }
        "upstream.connect.unreachable" => "a route to it: this machine's network has none (`ip route get ADDRESS`)",
        _ => "an address and a port that this machine may connect to",
    }
}

/// What took longer than the rules allow was waited for nevertheless.
fn timers(upstream: &Declared, server: &ServerReport, findings: &mut Findings) {
    let timers = &upstream.merged.timeouts;
    let (resolution, whose) = (&server.resolution, server.host.as_str());
    if resolution.source == "dns" && resolution.failure.is_none() {
        timer(upstream, ("dns", resolution.milliseconds, timers.dns_ms), whose, findings);
    }
    for address in &server.addresses {
        findings.address = Some(address.address.clone());
        let tls = address.tls.as_ref().map(|tls| &tls.as_configured).filter(|tls| tls.failure.is_none());
        let http = address.http.as_ref().filter(|http| http.failure.is_none());
        for (word, took, allowed) in [
            ("connect", address.connect_milliseconds, timers.connect_ms),
            ("tls", tls.map(|tls| tls.milliseconds), timers.tls_ms),
            ("response", http.map(|http| http.milliseconds), timers.response_ms),
        ] {
            if let Some(took) = took {
                timer(upstream, (word, took, allowed), &address.address, findings);
            }
        }
    }
    findings.address = None;
}

fn timer(upstream: &Declared, measured: (&str, f64, u64), whose: &str, findings: &mut Findings) {
    let (word, took, allowed) = measured;
    #[expect(clippy::cast_precision_loss, reason = "timers are at most a year: far below 2^52 milliseconds")]
    let (most, half) = (allowed as f64, allowed as f64 / 2.0);
    let whence = upstream.whence(&format!("timeout {word}"));
    let what = format!("`timeout {word}={}` ({whence}), and {whose} took {took} ms", time(allowed));
    let instead = Some(format!("`timeout {word}={}`, or a faster server", time(roomy(took))));
    if took > most {
        let why = "The gateway gives up before the server is ready.";
        findings.error("doctor.timer.too_short", what, why, instead);
    } else if took > half && took > 100.0 {
        let why = "A little more load, and the gateway gives up.";
        findings.warning("doctor.timer.too_short", what, why, instead);
    }
}

/// Three times as long, in whole seconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a measured time, of hours at most")]
fn roomy(took: f64) -> u64 {
    (took.max(0.0) * 3.0 / 1_000.0).ceil() as u64 * 1_000
}
