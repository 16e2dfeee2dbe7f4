//! The answer, and what it says about Host.

use core::net::IpAddr;

use super::super::declared::Declared;
use super::super::report::{HttpReport, ServerReport};
use super::Findings;

pub(super) fn judge(upstream: &Declared, server: &ServerReport, findings: &mut Findings) {
    for http in server.addresses.iter().filter_map(|address| address.http.as_ref()) {
        if upstream.merged.tls.is_none() && http.speaks_tls {
            let what = "the server speaks TLS on this port, and the rules say clear text".to_owned();
            let why = "What it answers to a request in clear text is an error, or nothing.";
            findings.error("doctor.tls.missing", what, why, Some("`tls { }` in the upstream".to_owned()));
            continue;
        }
        if let Some(failure) = &http.failure {
            let what = format!("`{}` has no answer: {}", http.request, failure.detail);
            let why = format!("A request like it is answered with `{}`.", failure.code);
            findings.error("doctor.http.failed", what, why, None);
        }
        host(upstream, server, http, findings);
        status(upstream, http, findings);
    }
    contradiction(server, findings);
}

fn is_address(host: &str) -> bool {
    bare(host).parse::<IpAddr>().is_ok()
}

/// Without the port, and without the brackets of IPv6.
fn bare(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && !name.contains(':') => name,
        _ => host,
    }
}

fn host(upstream: &Declared, server: &ServerReport, http: &HttpReport, findings: &mut Findings) {
    let Some(status) = http.status else { return };
    let sent = &server.host_header;
    if status == 421 {
        let what = format!("421: the server does not serve `{sent}`, which Host says, on this connection");
        let why = "Each request is answered so.";
        findings.error("doctor.host.misdirected", what, why, Some("`host` with a name that it serves".to_owned()));
    } else if upstream.merged.host.is_none() && is_address(sent) && matches!(status, 400 | 403 | 404) {
        let what = format!("{status}, and Host says `{sent}`, an address");
        let why = "A server of several names cannot tell which is meant, and answers for none.";
        findings.warning("doctor.host.missing", what, why, Some("`host NAME;`".to_owned()));
    }
}

fn status(upstream: &Declared, http: &HttpReport, findings: &mut Findings) {
    let Some(status) = http.status else { return };
    let secure = http.location.as_deref().is_some_and(|location| location.starts_with("https://"));
    if upstream.merged.tls.is_none() && (300..400).contains(&status) && secure {
        let what =
            format!("{status}: the server sends clear text away to {}", http.location.as_deref().unwrap_or_default());
        let why = "A client that follows comes back to the gateway, which asks in clear text again.";
        let instead = "`tls { }` and the port of the server's TLS".to_owned();
        findings.warning("doctor.http.wants_tls", what, why, Some(instead));
    }
    if status >= 500 {
        let what = format!("`{}` is answered with {status}", http.request);
        let why = "The server is reached and does not do its work.";
        findings.warning("doctor.http.status", what, why, None);
    }
}

fn contradiction(server: &ServerReport, findings: &mut Findings) {
    let (Some(name), sent) = (&server.tls_name, bare(&server.host_header)) else { return };
    if name.eq_ignore_ascii_case(sent) || is_address(name) || is_address(sent) {
        return;
    }
    let what = format!("SNI says `{name}` and Host says `{sent}`");
    let why = "Servers that hold both against each other answer with 421 or 403.";
    let instead = "one name: `host NAME;` alone is said by both".to_owned();
    findings.warning("doctor.host.contradicts_sni", what, why, Some(instead));
}
