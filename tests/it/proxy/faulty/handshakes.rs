//! What goes wrong in a handshake.

use std::io::Write as _;
use std::sync::Arc;

use rustls::{ALL_VERSIONS, ServerConfig};

use super::rows::{NAME, Row, TLS, answers, row};
use super::server::{Serve, hello, reset, wait_for_end};
use crate::proxy::identity::Authority;

pub(super) fn of_handshakes(authority: &Authority, other: &Authority) -> Vec<Row> {
    let mut rows = of_hellos();
    rows.extend(of_certificates(authority, other));
    rows
}

const PHASE: &str = "tls";

/// The handshake ends before a certificate is seen.
fn of_hellos() -> Vec<Row> {
    let named = format!("host {NAME}; tls {{ }}");
    let mut rows = vec![
        row("never-answers", raw(wait_for_end), "upstream.tls.handshake_timeout", 504, PHASE)
            .timer(TLS)
            .says("the connect timer had nothing to do with it"),
        row(
            "broken-hello",
            raw(|socket| say(socket, &[22, 3, 3, 0, 4, 2, 0, 0, 0])),
            "upstream.tls.handshake_failed",
            502,
            PHASE,
        ),
        row("closes-in-handshake", raw(drop_it), "upstream.tls.closed", 502, PHASE),
        row("resets-in-handshake", raw(|socket| reset(socket)), "upstream.tls.reset", 502, PHASE),
        row(
            "speaks-http",
            raw(|socket| say(socket, b"HTTP/1.1 400 Bad Request\r\n\r\n")),
            "upstream.tls.not_tls",
            502,
            PHASE,
        ),
        row("speaks-ssh", raw(|socket| say(socket, b"SSH-2.0-OpenSSH_9.2p1\r\n")), "upstream.tls.not_tls", 502, PHASE),
        row(
            "half-a-hello",
            raw(|socket| {
                say(socket, &[22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3]);
                wait_for_end(socket);
            }),
            "upstream.tls.handshake_timeout",
            504,
            PHASE,
        )
        .timer(TLS),
        row(
            "half-a-hello-closes",
            raw(|socket| say(socket, &[22, 3, 3, 0, 90, 2, 0])),
            "upstream.tls.closed",
            502,
            PHASE,
        ),
    ];
    for (name, alert, code, says) in [
        ("handshake-failure", 40, "upstream.tls.nothing_in_common", "A server name was sent"),
        ("insufficient-security", 71, "upstream.tls.nothing_in_common", ""),
        ("protocol-version", 70, "upstream.tls.version", ""),
        ("unrecognized-name", 112, "upstream.tls.unrecognized_name", ""),
        ("certificate-required", 116, "upstream.tls.client_certificate", ""),
        ("no-protocol", 120, "upstream.tls.no_application_protocol", ""),
        ("internal-error", 80, "upstream.tls.alert", ""),
    ] {
        rows.push(row(name, alerts(alert), code, 502, PHASE).says(says));
    }
    for row in &mut rows {
        row.words.clone_from(&named);
    }
    for (name, alert) in [("failure-without-sni", 40), ("unrecognized-without-sni", 112)] {
        let row = row(name, alerts(alert), "upstream.tls.sni_missing", 502, PHASE);
        rows.push(row.words("host 127.0.0.1; tls { }").says("say `host NAME;`"));
    }
    rows
}

/// One side does not take the other's certificate, or its version.
fn of_certificates(authority: &Authority, other: &Authority) -> Vec<Row> {
    let named = format!("host {NAME}; tls {{ }}");
    let mut rows = Vec::new();
    let only_13: &[_] = &[&rustls::version::TLS13];
    let good = authority.certify(&[NAME], 2000, 2090);
    let ok =
        |config: ServerConfig| answers(Some(&Arc::new(config)), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", drop);
    for (name, identity, code) in [
        ("expired", authority.certify(&[NAME], 2000, 2020), "upstream.tls.certificate_expired"),
        ("not-yet", authority.certify(&[NAME], 2080, 2090), "upstream.tls.certificate_not_yet_valid"),
        ("wrong-name", authority.certify(&["elsewhere.test"], 2000, 2090), "upstream.tls.certificate_name"),
        ("unknown-issuer", other.certify(&[NAME], 2000, 2090), "upstream.tls.certificate_issuer"),
    ] {
        rows.push(row(name, ok(identity.server(ALL_VERSIONS, None)), code, 502, PHASE).words(&named));
    }
    let modern = ok(good.server(only_13, None));
    rows.push(
        row("too-modern", modern, "upstream.tls.version", 502, PHASE)
            .words(&format!("host {NAME}; tls {{ versions 1.2; }}")),
    );
    for (name, version) in [("mutual-1.2", &rustls::version::TLS12), ("mutual-1.3", &rustls::version::TLS13)] {
        let mutual = ok(good.server(&[version], Some(other)));
        let row = row(name, mutual, "upstream.tls.client_certificate", 502, PHASE).words(&named);
        // Of TLS 1.3 the server says so when the request is on its way.
        rows.push(if name == "mutual-1.3" { row.sent() } else { row });
    }
    rows
}

/// Reads the `ClientHello` and does `then`.
fn raw(then: impl Fn(&mut std::net::TcpStream) + Send + Sync + 'static) -> Serve {
    Box::new(move |mut socket| {
        if hello(&mut socket) {
            then(&mut socket);
        }
    })
}

fn drop_it(_: &mut std::net::TcpStream) {}

fn say(socket: &mut std::net::TcpStream, octets: &[u8]) {
    drop(socket.write_all(octets));
}

/// A fatal alert, as a record of its own.
fn alerts(alert: u8) -> Serve {
    raw(move |socket| {
        say(socket, &[21, 3, 3, 0, 2, 2, alert]);
        wait_for_end(socket);
    })
}
