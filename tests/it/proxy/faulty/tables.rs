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

macro_rules! tables {
    ($($name:ident: $clients:ident, $servers:ident;)*) => {
        $(
            #[test]
            fn $name() {
                check(Clients::$clients, Servers::$servers);
            }
        )*
    };
}

tables! {
    a_01_a_04_http1_sees_every_fault_in_clear_text: Http1, Http1;
    a_01_a_04_http1_sees_every_fault_over_tls: Http1, Http1Tls;
    a_01_a_04_http1_sees_every_fault_of_http2: Http1, Http2;
    a_01_a_04_http1_sees_every_fault_of_http2_over_tls: Http1, Http2Tls;
    a_02_a_03_http1_sees_every_fault_of_a_handshake: Http1, Handshakes;
    a_01_a_04_http1_over_tls_sees_every_fault_in_clear_text: Http1Tls, Http1;
    a_01_a_04_http1_over_tls_sees_every_fault_over_tls: Http1Tls, Http1Tls;
    a_01_a_04_http1_over_tls_sees_every_fault_of_http2: Http1Tls, Http2;
    a_01_a_04_http1_over_tls_sees_every_fault_of_http2_over_tls: Http1Tls, Http2Tls;
    a_02_a_03_http1_over_tls_sees_every_fault_of_a_handshake: Http1Tls, Handshakes;
    a_01_a_04_http2_sees_every_fault_in_clear_text: Http2, Http1;
    a_01_a_04_http2_sees_every_fault_over_tls: Http2, Http1Tls;
    a_01_a_04_http2_sees_every_fault_of_http2: Http2, Http2;
    a_01_a_04_http2_sees_every_fault_of_http2_over_tls: Http2, Http2Tls;
    a_02_a_03_http2_sees_every_fault_of_a_handshake: Http2, Handshakes;
    a_01_a_04_http2_over_tls_sees_every_fault_in_clear_text: Http2Tls, Http1;
    a_01_a_04_http2_over_tls_sees_every_fault_over_tls: Http2Tls, Http1Tls;
    a_01_a_04_http2_over_tls_sees_every_fault_of_http2: Http2Tls, Http2;
    a_01_a_04_http2_over_tls_sees_every_fault_of_http2_over_tls: Http2Tls, Http2Tls;
    a_02_a_03_http2_over_tls_sees_every_fault_of_a_handshake: Http2Tls, Handshakes;
}
