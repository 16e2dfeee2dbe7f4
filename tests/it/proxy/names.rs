//! Names of servers, resolved at run time by a name server of our own.

use core::net::Ipv4Addr;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use super::harness::{Gateway, Upstream, config, wait_until};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// What a name server answers to questions for an IPv4 address; it has no others.
#[derive(Clone)]
pub(crate) enum Says {
    Addresses(Vec<Ipv4Addr>, u32),
    /// A response code: 2 is SERVFAIL, 3 NXDOMAIN.
    Code(u8),
    Nothing,
    /// As the name says: `broken` and `silent` are, all others do not exist.
    ByName,
}

/// A name server on a free port.
pub(crate) struct NameServer {
    pub(crate) address: core::net::SocketAddr,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    pub(crate) fn start(says: Says) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("binds");
        let address = socket.local_addr().expect("address");
        let (says, asked) = (Arc::new(Mutex::new(says)), Arc::new(AtomicUsize::new(0)));
        let server = Self { address, says: Arc::clone(&says), asked: Arc::clone(&asked) };
        thread::spawn(move || {
            let mut octets = [0; 1500];
            while let Ok((length, peer)) = socket.recv_from(&mut octets) {
                asked.fetch_add(1, Ordering::SeqCst);
                let says = says.lock().expect("says").clone();
                if let Some(reply) = reply(&octets[..length], &says) {
                    drop(socket.send_to(&reply, peer));
                }
            }
        });
        server
    }

    fn says(&self, says: Says) {
        *self.says.lock().expect("says") = says;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A gateway that asks it for `app.test`.
    fn gateway(&self, port: u16, words: &str) -> Gateway {
        let mut config = config();
        config.dns = vec![self.address];
        let rules = format!(
            "upstream up {{ server app.test:{port}; {words} }} service all default {{ location / {{ proxy up; }} }}"
        );
        Gateway::with(&rules, &config)
    }
}

/// The reply to a query (RFC 1035, 4.1).
fn reply(query: &[u8], says: &Says) -> Option<Vec<u8>> {
    let question = &query[12..];
    let name = question.iter().position(|octet| *octet == 0)? + 1;
    let is_four = question[name..name + 2] == [0, 1];
    let (code, addresses, ttl) = match says {
        Says::Addresses(addresses, ttl) if is_four => (0, addresses.as_slice(), *ttl),
        Says::Addresses(..) => (0, [].as_slice(), 0),
        Says::Code(code) => (*code, [].as_slice(), 0),
        Says::ByName if question.starts_with(b"\x06broken") => (2, [].as_slice(), 0),
        Says::ByName if !question.starts_with(b"\x06silent") => (3, [].as_slice(), 0),
        Says::Nothing | Says::ByName => return None,
    };
    let mut reply =
        vec![query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, u8::try_from(addresses.len()).ok()?, 0, 0, 0, 0];
    reply.extend_from_slice(&question[..name + 4]);
    for address in addresses {
        reply.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1]);
        reply.extend_from_slice(&ttl.to_be_bytes());
        reply.extend_from_slice(&[0, 4]);
        reply.extend_from_slice(&address.octets());
    }
    Some(reply)
}

/// Answers on a connection that is not kept, so that each request needs an address.
fn once() -> Upstream {
    Upstream::fixed("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
}

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Nobody listens there.
const NOWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

#[test]
fn p_13_an_address_that_has_moved_is_followed() {
    let (names, upstream) = (NameServer::start(Says::Addresses(vec![NOWHERE], 1)), once());
    let gateway = names.gateway(upstream.port, "");
    assert_eq!(gateway.ask(GET).code(), "upstream.connect.refused");
    names.says(Says::Addresses(vec![HERE], 1));
    wait_until(|| gateway.ask(GET).status == 200);
}

#[test]
fn every_address_of_a_name_is_used() {
    let (names, upstream) = (NameServer::start(Says::Addresses(vec![NOWHERE, HERE], 60)), once());
    let gateway = names.gateway(upstream.port, "");
    for _ in 0..4 {
        assert_eq!(gateway.ask(GET).status, 200);
    }
}

#[test]
fn p_13_the_last_good_answer_is_kept_while_names_fail_or_flap() {
    let (names, upstream) = (NameServer::start(Says::Addresses(vec![HERE], 0)), once());
    let gateway = names.gateway(upstream.port, "timeout dns=200ms;");
    assert_eq!(gateway.ask(GET).status, 200);
    for says in
        [Says::Code(2), Says::Code(3), Says::Addresses(Vec::new(), 1), Says::Nothing, Says::Addresses(vec![HERE], 0)]
    {
        names.says(says);
        let before = names.asked();
        wait_until(|| {
            assert_eq!(gateway.ask(GET).status, 200);
            names.asked() > before + 2
        });
    }
}

#[test]
fn a_name_that_may_not_be_kept_is_asked_for_once_a_second() {
    let (names, upstream) = (NameServer::start(Says::Addresses(vec![HERE], 0)), once());
    let gateway = names.gateway(upstream.port, "");
    let began = Instant::now();
    for _ in 0..100 {
        assert_eq!(gateway.ask(GET).status, 200);
    }
    // One question is two, for IPv4 and IPv6.
    let most = 2 * (began.elapsed().as_secs() + 2);
    assert!(names.asked() as u64 <= most, "{} questions in {:?}", names.asked(), began.elapsed());
}

#[test]
fn p_14_a_name_that_is_nobodys_has_its_code() {
    let names = NameServer::start(Says::Code(3));
    let gateway = names.gateway(80, "");
    let got = gateway.ask(GET);
    assert_eq!((got.status, got.code().as_str()), (502, "upstream.dns.not_found"));
    let broken = NameServer::start(Says::Code(2));
    let got = broken.gateway(80, "").ask(GET);
    assert_eq!((got.status, got.code().as_str()), (502, "upstream.dns.server_failed"));
    let upstream = once();
    let gateway = names.gateway(upstream.port, "");
    assert_eq!(gateway.ask(GET).status, 502);
    names.says(Says::Addresses(vec![HERE], 60));
    wait_until(|| gateway.ask(GET).status == 200);
}

#[test]
fn a_01_a_name_server_that_is_silent_has_its_timer() {
    let names = NameServer::start(Says::Nothing);
    let gateway = names.gateway(80, "timeout dns=200ms;");
    let began = Instant::now();
    let got = gateway.ask(GET);
    assert_eq!((got.status, got.code().as_str()), (504, "upstream.dns.timeout"));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn names_of_the_hosts_file_are_not_asked_for() {
    let (names, upstream) = (NameServer::start(Says::Nothing), once());
    let mut config = config();
    config.dns = vec![names.address];
    let rules = format!(
        "upstream up {{ server localhost:{}; timeout dns=5s; }} service all default {{ location / {{ proxy up; }} }}",
        upstream.port
    );
    assert_eq!(Gateway::with(&rules, &config).ask(GET).status, 200);
    assert_eq!(names.asked(), 0);
}
