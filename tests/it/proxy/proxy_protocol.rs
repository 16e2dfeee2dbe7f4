//! The PROXY protocol on real sockets.

use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rulec::proxy::{Address, Config};

use super::harness::{Answer, Client, Gateway, PATIENCE, Upstream, config};
use super::identity::{Authority, handshake_on};

const ASK: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

fn behind(trusted: &str) -> Config {
    let mut config = config();
    config.listeners[0].proxy_protocol = true;
    config.listeners[0].trusted = vec![trusted.parse().expect("network")];
    config
}

/// Version 2; `tail` stands behind the addresses.
fn binary(source: [u8; 4], tail: &[u8]) -> Vec<u8> {
    let addresses = [&source[..], &[10, 0, 0, 1, 0x30, 0x39, 0, 80], tail].concat();
    let length = u16::try_from(addresses.len()).expect("short").to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n\x21\x11", &length[..], &addresses].concat()
}

fn answer(gateway: &Gateway, header: &[u8]) -> Option<Answer> {
    let mut client = gateway.client();
    client.send(header);
    client.send(ASK);
    client.read_answer(false)
}

#[test]
fn the_client_is_whom_the_balancer_says() {
    let upstream = Upstream::echo();
    let rules = upstream.rules("location / { proxy up; }");
    let gateway = Gateway::with(&rules, &behind("127.0.0.1"));
    let seen = |header: &[u8]| answer(&gateway, header).expect("an answer").text();
    for header in [
        b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 80\r\n".to_vec(),
        binary([192, 0, 2, 7], b""),
        binary([192, 0, 2, 7], &[2, 0, 3, b'a', b'.', b'b', 4, 0, 1, 0]),
    ] {
        // What the client says of others counts no more: it is none of the trusted hops.
        assert!(seen(&header).contains("X-Forwarded-For: 192.0.2.7\r\n"), "{}", header.escape_ascii());
    }
    // A health check of the balancer's own.
    assert!(seen(b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00").contains("X-Forwarded-For: 127.0.0.1\r\n"));
    assert!(seen(b"PROXY UNKNOWN\r\n").contains("X-Forwarded-For: 127.0.0.1\r\n"));
    let log = gateway.stop();
    assert_eq!(log[0]["client"], "192.0.2.7");
}

#[test]
fn what_begins_otherwise_or_comes_from_somebody_else_is_closed_without_an_answer() {
    let upstream = Upstream::echo();
    let rules = upstream.rules("location / { proxy up; }");
    let gateway = Gateway::with(&rules, &behind("127.0.0.1"));
    for header in [
        &b""[..],
        b"PROXY TCP4 192.0.2.7 10.0.0.1 12345\r\n",
        b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 80 and more, until it is longer than any such line may be, \
          and then even more of it, for good measure\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xFF\xFF",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\x00\x00",
    ] {
        assert_eq!(answer(&gateway, header), None, "{}", header.escape_ascii());
    }
    let gateway = Gateway::with(&rules, &behind("192.0.2.0/24"));
    assert_eq!(answer(&gateway, b"PROXY TCP4 192.0.2.7 10.0.0.1 12345 80\r\n"), None);
    assert_eq!(upstream.seen.requests().len(), 0);
}

#[test]
fn a_header_that_does_not_come_is_not_waited_for() {
    let mut config = behind("127.0.0.1");
    config.limits.handshake_time_max = Duration::from_millis(200);
    let gateway = Gateway::with("service all default { location / { return 200 fine; } }", &config);
    for begin in [&b""[..], b"PROXY TCP4 192.0.2.7", b"\r\n\r\n\0\r\nQUIT\n\x21"] {
        let mut client = gateway.client();
        client.send(begin);
        assert!(client.is_closed());
    }
}

#[test]
fn it_goes_before_tls_and_comes_over_unix_sockets_too() {
    let authority = Authority::new("proxied");
    authority.write("a", &["a.test"]);
    let text =
        "[listener.default]\naddress = \"127.0.0.1:0\"\ntrusted = [\"127.0.0.1\"]\nproxy_protocol = true
         tls = [{ certificate = \"a.pem\", key = \"a.key\" }]
         [listener.local]\naddress = \"unix:local.sock\"\nmode = \"0600\"\ntrusted = [\"127.0.0.1\"]\nproxy_protocol = true\n";
    let mut config = Config::parse(text, &authority.folder.join("proxy.toml")).expect("config");
    config.threads = 2;
    let upstream = Upstream::echo();
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &config);
    let mut stream = TcpStream::connect(gateway.address).expect("connects");
    stream.write_all(&binary([192, 0, 2, 8], b"")).expect("sent");
    let mut stream = handshake_on(stream, "a.test", &Arc::new(authority.client_config())).expect("handshake");
    stream.write_all(ASK.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    assert!(answer.contains("X-Forwarded-For: 192.0.2.8\r\nX-Forwarded-Proto: https\r\n"), "{answer}");
    let addresses = gateway.handle.as_ref().expect("runs").addresses();
    let local =
        addresses.iter().find_map(|(_, address)| if let Address::Unix(path) = address { Some(path) } else { None });
    let local = local.expect("a path").clone();
    let mode = std::os::unix::fs::PermissionsExt::mode(&local.metadata().expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o600);
    // More than one, so that each core has its turn.
    for _ in 0..8 {
        let mut stream = UnixStream::connect(&local).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
        stream.write_all(b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n").expect("sent");
        stream.write_all(ASK.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("read");
        assert!(answer.contains("X-Forwarded-For: 2001:db8::7\r\n"), "{answer}");
    }
}

#[test]
fn curl_speaks_it() {
    let upstream = Upstream::echo();
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &behind("127.0.0.1"));
    let output = std::process::Command::new("curl")
        .args(["-sS", "--haproxy-protocol", &format!("http://{}/", gateway.address)])
        .output()
        .expect("curl runs");
    let seen = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(seen.contains("X-Forwarded-For: 127.0.0.1\r\n"), "{output:?}");
    drop(Client::connect(gateway.address));
}
