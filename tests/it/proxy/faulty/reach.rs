//! Servers that are not reached: their names, and the way to them.

use core::net::SocketAddr;
use core::time::Duration;
use std::net::{TcpListener, TcpStream};

use super::rows::{CONNECT, DNS, Row, row};
use super::{Clients, Table};
use crate::proxy::identity::Authority;
use crate::proxy::names::{NameServer, Says};

/// A port whose queue is full, so that the kernel answers nobody more, as long as this lives.
struct Hole {
    address: SocketAddr,
    _socket: socket2::Socket,
    _queued: Vec<std::io::Result<TcpStream>>,
}

impl Hole {
    fn new() -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        socket.bind(&"127.0.0.1:0".parse::<SocketAddr>().expect("address").into()).expect("binds");
        socket.listen(0).expect("listens");
        let address = socket.local_addr().ok().and_then(|address| address.as_socket()).expect("an address");
        let queue = |_| TcpStream::connect_timeout(&address, Duration::from_millis(100));
        Self { address, _queued: (0..4).map(queue).collect(), _socket: socket }
    }
}

/// A port at which nobody listens.
fn closed() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    listener.local_addr().expect("address")
}

fn rows(hole: &Hole, names: &NameServer, words: &str) -> Vec<Row> {
    let to = |name, address: String, code, status, phase| row(name, Box::new(drop), code, status, phase).at(address);
    let mut rows = vec![
        to("refuses", closed().to_string(), "upstream.connect.refused", 502, "connect"),
        // The kernel says at once that TCP does not go there.
        to("no-way", "255.255.255.255:80".to_owned(), "upstream.connect.unreachable", 502, "connect"),
        // Without its interface this is no address to connect to.
        to("no-address", "[fe80::1]:80".to_owned(), "upstream.connect.failed", 502, "connect"),
        to("full", hole.address.to_string(), "upstream.connect.timeout", 504, "connect").timer(CONNECT),
        to("no-such-name", "gone.test:80".to_owned(), "upstream.dns.not_found", 502, "dns"),
        to("broken-names", "broken.test:80".to_owned(), "upstream.dns.server_failed", 502, "dns"),
        to("silent-names", "silent.test:80".to_owned(), "upstream.dns.timeout", 504, "dns").timer(DNS),
    ];
    for row in &mut rows {
        words.clone_into(&mut row.words);
        row.asks = Some(names.address);
    }
    rows
}

fn check(clients: Clients, words: &str) {
    let (authority, hole, names) = (Authority::new("reach"), Hole::new(), NameServer::start(Says::ByName));
    Table::start(rows(&hole, &names, words), &authority, clients, "").check();
}

#[test]
fn a_01_a_04_p_14_servers_that_are_not_reached_have_their_codes() {
    check(Clients::Http1, "");
}

#[test]
fn a_01_a_04_p_14_clients_of_http2_see_which_servers_are_not_reached() {
    check(Clients::Http2, "");
}

#[test]
fn a_01_a_04_p_14_servers_of_http2_that_are_not_reached_have_their_codes() {
    check(Clients::Http2Tls, "protocol http2;");
}
