//! Every fault of every kind of server, from every kind of client.

use std::sync::Arc;

use rustls::ServerConfig;

use super::rows::NAME;
use super::rows_http2::{of_agreements, of_http2};
use super::{Clients, Table, handshakes, rows};
use crate::proxy::identity::Authority;

/// The servers of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Servers {
    Http1,
    Http1Tls,
    Http2,
    Http2Tls,
    Handshakes,
}

fn check(clients: Clients, servers: Servers) {
    let (authority, other) = (Authority::new("table"), Authority::new("other"));
    let tls = |protocols: &[&[u8]]| -> Arc<ServerConfig> {
        let mut config = authority.certify(&[NAME], 2000, 2090).server(rustls::ALL_VERSIONS, None);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Arc::new(config)
    };
    let secure = format!("host {NAME}; tls {{ }}");
    let (rows, words) = match servers {
        Servers::Http1 => (rows::of_exchanges(None), String::new()),
        Servers::Http1Tls => (rows::of_exchanges(Some(&tls(&[]))), secure),
        Servers::Http2 => (of_http2(None), "protocol http2;".to_owned()),
        Servers::Http2Tls => (of_http2(Some(&tls(&[b"h2"]))), format!("{secure} protocol http2;")),
        Servers::Handshakes => {
            let mut rows = handshakes::of_handshakes(&authority, &other);
            rows.extend(of_agreements(&authority, &other));
            (rows, String::new())
        }
    };
    Table::start(rows, &authority, clients, &words).check();
}

#[test]
fn a_01_a_04_every_fault_in_clear_text_has_its_code_status_time_and_line() {
    check(Clients::Http1, Servers::Http1);
}

#[test]
fn a_01_a_04_every_fault_over_tls_has_its_code_status_time_and_line() {
    check(Clients::Http1, Servers::Http1Tls);
}

#[test]
fn a_02_a_03_every_fault_of_a_handshake_has_its_code_status_time_and_line() {
    check(Clients::Http1, Servers::Handshakes);
}

#[test]
fn a_01_a_04_every_fault_of_http2_has_its_code_status_time_and_line() {
    check(Clients::Http1, Servers::Http2);
}

#[test]
fn a_01_a_04_every_fault_of_http2_over_tls_has_its_code_status_time_and_line() {
    check(Clients::Http1, Servers::Http2Tls);
}

#[test]
fn a_01_a_04_clients_over_tls_see_every_fault_in_clear_text() {
    check(Clients::Http1Tls, Servers::Http1);
}

#[test]
fn a_01_a_04_clients_over_tls_see_every_fault_of_http2_over_tls() {
    check(Clients::Http1Tls, Servers::Http2Tls);
}

#[test]
fn a_01_a_04_clients_of_http2_see_every_fault_in_clear_text() {
    check(Clients::Http2, Servers::Http1);
}

#[test]
fn a_01_a_04_clients_of_http2_see_every_fault_of_http2() {
    check(Clients::Http2, Servers::Http2);
}

#[test]
fn a_01_a_04_clients_of_http2_over_tls_see_every_fault_over_tls() {
    check(Clients::Http2Tls, Servers::Http1Tls);
}

#[test]
fn a_01_a_04_clients_of_http2_over_tls_see_every_fault_of_http2_over_tls() {
    check(Clients::Http2Tls, Servers::Http2Tls);
}

#[test]
fn a_02_a_03_clients_of_http2_over_tls_see_every_fault_of_a_handshake() {
    check(Clients::Http2Tls, Servers::Handshakes);
}
