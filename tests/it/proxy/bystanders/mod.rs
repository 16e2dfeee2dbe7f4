//! Clients that stop reading, or whose uploads stop, and others beside them, who share connections with them.

mod readers;
mod servers;
mod uploads;

use core::net::SocketAddr;
use core::time::Duration;
use std::time::Instant;

use super::harness::{Client, Gateway};

/// What a bystander may wait for while two cores do all this; nobody else's timer is as short.
const AT_ONCE: Duration = Duration::from_secs(3);

/// The others come to a stop meanwhile, at the latest.
const MEANWHILE: Duration = Duration::from_secs(1);

/// A bystander asks again and again: each answer is whole, and comes at once.
fn stand_by(gateway: &Gateway, request: &str, answer: &str) {
    let began = Instant::now();
    while began.elapsed() < MEANWHILE {
        let asked = Instant::now();
        let got = gateway.ask(request);
        assert_eq!((got.status, got.whole, got.text().as_str()), (200, true, answer), "{request}");
        assert!(asked.elapsed() < AT_ONCE, "{request}: {:?}", asked.elapsed());
    }
}

/// A client that holds back nobody but itself: the kernel keeps next to nothing for it.
fn narrow(address: SocketAddr) -> Client {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(2048).expect("a small buffer");
    socket.connect(&address.into()).expect("connects");
    let stream: std::net::TcpStream = socket.into();
    stream.set_read_timeout(Some(super::harness::PATIENCE)).expect("timeout");
    Client::over(stream)
}
