//! Whether the protocol of the rules is the server's.

use super::super::declared::Declared;
use super::super::report::{AddressReport, ServerReport};
use super::Findings;
use crate::contract::manifest::Protocol;

pub(super) fn judge(upstream: &Declared, server: &ServerReport, findings: &mut Findings) {
    for address in &server.addresses {
        findings.address = Some(address.address.clone());
        if upstream.merged.protocol == Protocol::Http2 {
            if let Some(code) = not_offered(address) {
                let what = "the rules say HTTP/2, and the server does not speak it here".to_owned();
                let why = format!("Each request is answered with `{code}`.");
                let instead = if address.tls.is_some() {
                    "`protocol http1;`, or at the server HTTP/2 over TLS (nginx: `http2 on;`, before 1.25 `listen 443 ssl http2;`)"
                } else {
                    "`protocol http1;`, or at the server HTTP/2 in clear text by prior knowledge (h2c), or `tls { }` \
                     where it speaks HTTP/2 over TLS only"
                };
                findings.error("doctor.http2.not_offered", what, why, Some(instead.to_owned()));
            }
        } else if is_required(address) {
            let what = "the server speaks HTTP/2 only, and the rules say HTTP/1.1".to_owned();
            let why = "Each request fails; servers of gRPC are commonly so.";
            findings.error("doctor.http2.required", what, why, Some("`protocol http2;`".to_owned()));
        } else if is_chosen(address) && address.tls.as_ref().is_some_and(|tls| tls.as_configured.failure.is_none()) {
            let what = "the server offers HTTP/2, and the gateway speaks HTTP/1.1 with it".to_owned();
            let why =
                "HTTP/1.1 costs both sides less, and is right here unless this is gRPC, or many answers are slow.";
            let instead = Some("nothing; for gRPC `protocol http2;`".to_owned());
            findings.info("doctor.http2.unused", what, why, instead);
        }
    }
    findings.address = None;
}

/// Offered HTTP/2 by ALPN, the server chose it.
fn is_chosen(address: &AddressReport) -> bool {
    let Some(tls) = &address.tls else { return false };
    let looks = [tls.with_sni.as_ref(), tls.without_sni.as_ref(), Some(&tls.as_configured)];
    looks.into_iter().flatten().any(|seen| seen.alpn.as_deref() == Some("h2"))
}

/// The code that requests get where HTTP/2 is not spoken. Where nothing is known of it, it is not said.
fn not_offered(address: &AddressReport) -> Option<&str> {
    const NOT_OFFERED: &str = "upstream.http2.not_offered";
    if let Some((http, failure)) = address.http.as_ref().and_then(|http| Some((http, http.failure.as_ref()?))) {
        return (http.speaks_http1 || failure.code == NOT_OFFERED).then_some(failure.code.as_str());
    }
    let tls = address.tls.as_ref()?;
    match &tls.as_configured.failure {
        Some(failure) if is_refused(&failure.code) => Some(&failure.code),
        Some(_) => None,
        None => (!is_chosen(address)).then_some(NOT_OFFERED),
    }
}

/// The server ends the handshake because of the protocols that are offered.
fn is_refused(code: &str) -> bool {
    code == "upstream.tls.no_application_protocol"
}

fn is_required(address: &AddressReport) -> bool {
    let by_tls = address.tls.as_ref().and_then(|tls| tls.as_configured.failure.as_ref());
    let in_answer = address.http.as_ref().is_some_and(|http| http.speaks_http2);
    in_answer || by_tls.is_some_and(|failure| is_refused(&failure.code))
}
