//! Handshakes and certificates.

use core::net::IpAddr;

use super::super::declared::Declared;
use super::super::report::{AddressReport, Certificate, Failure, Handshake, ServerReport, TlsReport, Verification};
use super::Findings;
use super::http::{CLIENT_CERTIFICATE, CLIENT_CERTIFICATE_FINDING, show_another};

/// Certificates are commonly renewed a month before their end: one that is nearer to it was forgotten.
const SOON_DAYS: i64 = 21;

/// The codes of certificates that are not accepted begin so.
const CERTIFICATE: &str = "upstream.tls.certificate";

/// What to do about one that ends.
const RENEW: &str =
    "a new certificate at the server; where it has been renewed, a reload of the server, which shows the old one";

pub(super) fn judge(upstream: &Declared, server: &ServerReport, findings: &mut Findings) {
    let Some(settings) = &upstream.merged.tls else { return };
    for address in &server.addresses {
        let Some(tls) = &address.tls else { continue };
        findings.address = Some(address.address.clone());
        let name = server.tls_name.as_deref().unwrap_or_default();
        let sends_sni = settings.sni && name.parse::<IpAddr>().is_err();
        let sni_told = sni(tls, name, sends_sni, findings);
        match &tls.as_configured.failure {
            None => {
                if !settings.verify {
                    unverified(tls.verification.as_ref(), findings);
                }
                expiry(&tls.as_configured.certificates, findings);
            }
            // With the right name it is another certificate.
            Some(_) if sni_told => {}
            Some(failure) if tls.verification.is_some() && failure.code.starts_with(CERTIFICATE) => {
                let before = findings.list.len();
                verification(tls, settings.sni, findings);
                if findings.list.len() == before {
                    other_certificate(failure, findings);
                }
            }
            Some(failure) => no_handshake(failure, address, upstream, findings),
        }
        if let Some("1.2") = tls.as_configured.version.as_deref()
            && settings.versions.iter().any(|version| version == "1.3")
        {
            let why = "It costs a round trip more for each new connection, and its last use ends one day.";
            let what = "TLS 1.2 is the newest that the server speaks".to_owned();
            let instead = Some("at the server: TLS 1.3 (nginx: `ssl_protocols TLSv1.2 TLSv1.3;`)".to_owned());
            findings.info("doctor.tls.old_version", what, why, instead);
        }
    }
    findings.address = None;
}

fn own(handshake: Option<&Handshake>) -> Option<&Certificate> {
    handshake?.certificates.first()
}

/// What depends on SNI; whether that is what keeps the gateway from speaking with the server.
fn sni(tls: &TlsReport, name: &str, sends_sni: bool, findings: &mut Findings) -> bool {
    let Some(without) = &tls.without_sni else { return false };
    let with = tls.with_sni.as_ref();
    let with_works = with.is_some_and(|with| with.failure.is_none());
    let what = match (&without.failure, own(Some(without)), own(with)) {
        (Some(failure), ..) if with_works => format!("without SNI the server ends the handshake: {}", failure.detail),
        (None, Some(other), Some(own)) if other.blake3 != own.blake3 => {
            format!("without SNI the server shows the certificate of {}", other.subject)
        }
        (Some(failure), ..) if with.is_none() && failure.code == "upstream.tls.sni_missing" => {
            format!(
                "the server ends the handshake, and `{name}`, an address, cannot be said by SNI: {}",
                failure.detail
            )
        }
        _ => return false,
    };
    if sends_sni {
        let why = "Clients that send none, such as scripts and health checks, fail here; the gateway sends it.";
        let instead =
            "nothing here; for those clients, SNI (`openssl s_client -servername NAME`, `curl --resolve`)".to_owned();
        findings.info("doctor.tls.needs_sni", what, why, Some(instead));
        return false;
    }
    let why = "The gateway sends none: one address serves several names, and the server cannot tell which is meant.";
    let instead = if with.is_some() { "take `sni off` away" } else { "`host NAME;`, or `tls { name NAME; }`" };
    findings.error("doctor.tls.sni_missing", what, why, Some(instead.to_owned()));
    true
}

/// Each reason why the certificate is not accepted.
fn verification(tls: &TlsReport, sends_sni: bool, findings: &mut Findings) {
    let Some(verdict) = &tls.verification else { return };
    let Some(own) = own(Some(&tls.as_configured)) else { return };
    if !verdict.name_fits {
        let names = if own.names.is_empty() { "no name".to_owned() } else { own.names.join(", ") };
        let what = format!("the certificate is not for {}: it holds for {names}", verdict.name);
        let why = "Each request is answered with `upstream.tls.certificate_name`.";
        let sni = if sends_sni { "" } else { ", or take `sni off` away" };
        let instead = format!("`host` or `tls {{ name }}` with a name that the certificate has{sni}");
        findings.error("doctor.tls.name", what, why, Some(instead));
    }
    if !verdict.in_time {
        time(&tls.as_configured.certificates, findings);
    }
    if !verdict.issuer_trusted {
        issuer(own, tls.as_configured.certificates.len(), verdict.problem.as_deref(), findings);
    }
}

fn time(chain: &[Certificate], findings: &mut Findings) {
    let why = "Each request is answered with `upstream.tls.certificate_expired`.";
    let ended: Vec<&Certificate> = chain.iter().filter(|certificate| certificate.days_left < 0).collect();
    for certificate in &ended {
        let what = format!(
            "the certificate of {} ended on {}, {} days ago",
            certificate.subject, certificate.not_after, -certificate.days_left
        );
        findings.error("doctor.tls.expired", what, why, Some(RENEW.to_owned()));
    }
    if ended.is_empty()
        && let Some(certificate) = chain.first()
    {
        let (from, to) = (&certificate.not_before, &certificate.not_after);
        let why = "Each request is answered with `upstream.tls.certificate_not_yet_valid`.";
        let what = format!("the certificate of {} holds from {from} to {to}, and not now", certificate.subject);
        findings.error("doctor.tls.expired", what, why, Some("check this machine's clock".to_owned()));
    }
}

fn issuer(own: &Certificate, length: usize, tls_problem: Option<&str>, findings: &mut Findings) {
    let what = format!("the certificate of {} is from {}, which nobody here trusts", own.subject, own.issuer);
    let why = "Each request is answered with `upstream.tls.certificate_issuer`.";
    let authority = tls_problem.is_some_and(|problem| problem.contains("CaUsedAsEndEntity"));
    let instead = if authority {
        "a certificate of the server's own: this one is an authority's (`CA:TRUE`), and no server's"
    } else if own.subject == own.issuer {
        "the certificate's own text as `tls = { ca = \"FILE\" }` in `proxy.toml`: it is self-signed"
    } else if length == 1 {
        "at the server, the certificate with those between it and its authority (it sends itself only); or the \
         authority as `tls = { ca = \"FILE\" }` in `proxy.toml`"
    } else {
        "the authority as `tls = { ca = \"FILE\" }` in `proxy.toml`"
    };
    findings.error("doctor.tls.issuer", what, why, Some(instead.to_owned()));
}

fn other_certificate(failure: &Failure, findings: &mut Findings) {
    let why = format!("Each request is answered with `{}`.", failure.code);
    let instead =
        "at the server: a certificate for servers (extended key usage), signed with SHA-256 or better, that is \
                   not an authority's"
            .to_owned();
    let what = format!("the certificate is not accepted: {}", failure.detail);
    findings.error("doctor.tls.certificate", what, why, Some(instead));
}

/// There is no handshake, whatever the certificate.
fn no_handshake(failure: &Failure, address: &AddressReport, upstream: &Declared, findings: &mut Findings) {
    let asks = address.tls.as_ref().is_some_and(|tls| tls.as_configured.asks_for_certificate);
    let detail = &failure.detail;
    let why = format!("Each request is answered with `{}`.", failure.code);
    let what = format!("no handshake with {}: {detail}", address.address);
    match failure.code.as_str() {
        "upstream.tls.no_application_protocol" => {}
        "upstream.tls.not_tls" => {
            let what = format!("{} does not speak TLS", address.address);
            let instead = "the port of the server's TLS, or no `tls { }` where clear text is meant".to_owned();
            findings.error("doctor.tls.not_spoken", what, why, Some(instead));
        }
        // A version and a suite were agreed on before the server asked: it is not that they have none.
        code if asks || code == CLIENT_CERTIFICATE => {
            let what = format!("the server wants a certificate of the gateway's: {detail}");
            findings.error(CLIENT_CERTIFICATE_FINDING, what, why, Some(show_another(upstream)));
        }
        "upstream.tls.nothing_in_common" | "upstream.tls.version" => {
            let versions = upstream.merged.tls.as_ref().map(|tls| tls.versions.join(" or ")).unwrap_or_default();
            let instead = format!(
                "at the server: TLS {versions}, a suite with ECDHE and AES-GCM or ChaCha20-Poly1305, and X25519, P-256 \
                 or P-384",
            );
            findings.error("doctor.tls.nothing_in_common", what, why, Some(instead));
        }
        code => {
            let instead = match code {
                "upstream.tls.handshake_timeout" => {
                    "a look at the server: it accepts connections and says nothing (the wrong port, a PROXY header that \
                     it waits for, workers that are all busy)"
                }
                "upstream.tls.closed" | "upstream.tls.reset" => {
                    "the server's log of this moment; a firewall or a proxy between that does not let TLS through; a PROXY \
                     header that the server waits for"
                }
                _ => "the server's log of this moment, which names its reason",
            };
            findings.error("doctor.tls.failed", what, why, Some(instead.to_owned()));
        }
    }
}

fn unverified(verification: Option<&Verification>, findings: &mut Findings) {
    let Some(verdict) = verification else { return };
    let why = "Whoever stands between the gateway and the server can answer in its place.";
    match &verdict.problem {
        None => {
            let what = "`verify off`, and verification would succeed".to_owned();
            findings.warning("doctor.tls.unverified", what, why, Some("take `verify off` away".to_owned()));
        }
        Some(problem) => {
            let what = format!("`verify off`; with it on, the gateway would say: {problem}");
            let instead =
                "the authority as `tls = { ca = \"FILE\" }` and the certificate's name as `tls { name NAME; }`";
            findings.warning("doctor.tls.unverified", what, why, Some(instead.to_owned()));
        }
    }
}

fn expiry(chain: &[Certificate], findings: &mut Findings) {
    for certificate in chain.iter().filter(|certificate| (0..SOON_DAYS).contains(&certificate.days_left)) {
        let (subject, end, days) = (&certificate.subject, &certificate.not_after, certificate.days_left);
        let what = format!("the certificate of {subject} ends on {end}: {days} days are left");
        let why = "From then on each request is answered with `upstream.tls.certificate_expired`.";
        findings.warning("doctor.tls.expires_soon", what, why, Some(RENEW.to_owned()));
    }
}
