//! The answer, and what it says about Host.

use core::net::IpAddr;

use super::super::declared::Declared;
use super::super::report::{AddressReport, Failure, HttpReport, ServerReport};
use super::Findings;

/// What the gateway answers with where its certificate is not accepted.
pub(super) const CLIENT_CERTIFICATE: &str = "upstream.tls.client_certificate";
/// What the doctor says of it.
pub(super) const CLIENT_CERTIFICATE_FINDING: &str = "doctor.tls.client_certificate";

pub(super) fn judge(upstream: &Declared, server: &ServerReport, findings: &mut Findings) {
    for (address, http) in server.addresses.iter().filter_map(|address| Some((address, address.http.as_ref()?))) {
        findings.address = Some(address.address.clone());
        if upstream.merged.tls.is_none() && http.speaks_tls {
            let what = "the server speaks TLS on this port, and the rules say clear text".to_owned();
            let why = "What it answers to a request in clear text is an error, or nothing.";
            findings.error("doctor.tls.missing", what, why, Some("`tls { }` in the upstream".to_owned()));
            continue;
        }
        if client_certificate(upstream, address, http, findings) {
            continue;
        }
        if let Some(failure) = &http.failure {
            no_answer(failure, http, findings);
        }
        host(upstream, server, http, findings);
        status(upstream, http, findings);
    }
    findings.address = None;
    contradiction(server, findings);
}

fn no_answer(failure: &Failure, http: &HttpReport, findings: &mut Findings) {
    // It is told as what it is.
    if http.speaks_http1 || http.speaks_http2 || failure.code == "upstream.http2.not_offered" {
        return;
    }
    let what = format!("`{}` has no answer: {}", http.request, failure.detail);
    let why = format!("A request like it is answered with `{}`.", failure.code);
    if http.version == "2" && failure.code == "upstream.http2.reset" {
        let why = format!("{why} HTTP/2 itself is spoken: a server of gRPC alone may refuse HEAD and nothing else.");
        let instead = Some("nothing where this is gRPC; else `--path` with one that answers HEAD".to_owned());
        findings.warning("doctor.http.failed", what, why, instead);
        return;
    }
    let instead = match failure.code.as_str() {
        "upstream.response.timeout" => {
            "a look at the server: it accepts connections and does not answer (all workers busy, \
                                        or stopped); `--path` with one that is quick"
        }
        "upstream.response.malformed" => {
            "the port of HTTP: what listens there speaks something else (TLS, a PROXY header, \
                                          a database)"
        }
        _ => {
            "the server's own log of this moment: it took the connection and closed it (a crash, an allow-list, TLS or a \
              PROXY header expected)"
        }
    };
    findings.error("doctor.http.failed", what, why, Some(instead.to_owned()));
}

/// Whether the server does not answer for want of the gateway's certificate, or for the one that it got.
fn client_certificate(
    upstream: &Declared,
    address: &AddressReport,
    http: &HttpReport,
    findings: &mut Findings,
) -> bool {
    let asks = address.tls.as_ref().is_some_and(|tls| tls.as_configured.asks_for_certificate);
    // Where it has asked, any alert behind a good handshake is about what it got.
    let is_about_it = |code: &str| code == CLIENT_CERTIFICATE || asks && code == "upstream.tls.alert";
    let refused = http.failure.as_ref().filter(|failure| is_about_it(&failure.code));
    let said = match (refused, http.status) {
        (Some(failure), _) => failure.detail.clone(),
        // nginx says it so, behind a handshake that is good.
        (None, Some(status @ (400 | 401 | 403))) if asks => format!("it asks for one, and answers with {status}"),
        _ => return false,
    };
    let what = if upstream.has_certificate() {
        format!("the server does not accept the gateway's certificate: {said}")
    } else {
        format!("the server wants a certificate of the gateway's, which has none: {said}")
    };
    let why = match refused {
        Some(failure) => format!("Each request is answered with `{}`.", failure.code),
        None => "Each request is answered so.".to_owned(),
    };
    findings.error(CLIENT_CERTIFICATE_FINDING, what, why, Some(show_another(upstream)));
    true
}

/// What to write where a server does not take the gateway's certificate, or there is none.
pub(super) fn show_another(upstream: &Declared) -> String {
    if upstream.has_certificate() {
        return "one from an authority that the server trusts, not expired, for clients: the server's log says which of it"
            .to_owned();
    }
    let name = &upstream.merged.name;
    format!("in `proxy.toml`, `[upstream.{name}]`: `tls = {{ certificate = \"FILE\", key = \"FILE\" }}`")
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
        let instead = match status {
            502..=504 => "a look behind the server: it is a gateway itself, and what it asks is down",
            _ => "the server's own log; `--path` with one that it answers, such as its health check",
        };
        findings.warning("doctor.http.status", what, why, Some(instead.to_owned()));
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
