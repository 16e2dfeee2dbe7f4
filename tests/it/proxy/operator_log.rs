//! How long the operator's log gets is nobody's to decide but the operator's.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::harness::{Client, PATIENCE, Upstream, artifact};
use super::identity::Authority;
use super::process::{Folder, Running};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// More lines than the gateway says of itself, and those that are limited.
const LINES_MAX: usize = 10;

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("short");
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Sends `octets` on a connection of its own and waits for its end.
fn throw(address: core::net::SocketAddr, octets: &[u8]) {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    // It is cut off while it sends, mostly.
    drop(stream.write_all(octets));
    drop(stream.shutdown(std::net::Shutdown::Write));
    drop(stream.read_to_end(&mut Vec::new()));
}

fn log_after(running: Running) -> String {
    let (status, _, messages) = running.terminate();
    assert_eq!(status, Some(0), "{messages}");
    let lines = messages.lines().count();
    assert!(lines <= LINES_MAX, "{lines} lines:\n{messages}");
    messages
}

#[test]
fn frames_of_clients_write_nothing() {
    let folder = Folder::new("frames");
    let policy = folder.write("policy.rulec", artifact("service all default { location / { return 200 ok; } }"));
    let config = folder.write(
        "proxy.toml",
        "[listener.a]\naddress = \"127.0.0.1:0\"\nhttp2 = \"prior_knowledge\"\n[log]\naccess = \"off\"\n",
    );
    let running = Running::start(&[&policy, "--config", &config, "--threads", "1"]);
    let get = b"\x82\x86\x84\x41\x01a";
    let floods = [
        // PING ACKs to PINGs that nobody sent, within what is let through and beyond it.
        frame(6, 1, 0, b"12345678").repeat(1_500),
        frame(6, 1, 0, b"12345678").repeat(5_000),
        // Blocks that are no HPACK, and lines that HTTP/2 forbids.
        frame(1, 5, 1, b"\xff\xff\xff\xff\xff\xff\xff"),
        frame(1, 5, 1, &[&get[..], b"\x00\x0aconnection\x05close"].concat()),
        // Frames of streams that are not, windows that overflow, SETTINGS that make no sense.
        frame(0, 0, 9, b"data"),
        [frame(1, 5, 1, get), frame(8, 0, 1, b"\x7f\xff\xff\xff").repeat(3)].concat(),
        frame(4, 0, 0, b"\0\x04\xff\xff\xff\xff"),
        // A trailer without an end, and data behind one.
        [frame(1, 4, 1, get), frame(1, 4, 1, get), frame(0, 1, 1, b"x")].concat(),
    ];
    for flood in &floods {
        for _ in 0..5 {
            throw(running.address, &[PREFACE, flood].concat());
        }
    }
    let messages = log_after(running);
    assert!(!messages.contains("PING"), "{messages}");
}

#[test]
fn handshakes_that_fail_are_one_line_a_minute() {
    let folder = Folder::new("handshakes");
    let authority = Authority::new("handshakes");
    authority.write("a", &["a.test"]);
    let policy = folder.write("policy.rulec", artifact("service all default { location / { return 200 ok; } }"));
    let text = "[listener.a]\naddress = \"127.0.0.1:0\"\ntls = [{ certificate = \"a.pem\", key = \"a.key\" }]\n[log]\naccess = \"off\"\n";
    let config = authority.folder.join("proxy.toml");
    std::fs::write(&config, text).expect("written");
    let running = Running::start(&[&policy, "--config", &config.to_string_lossy(), "--threads", "1"]);
    for octets in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"\x16\x03\x01\x00\x05hello",
        b"\x15\x03\x03\x00\x02\x02\x28",
        b"\x16\x03\x01\xff\xff",
        b"",
    ] {
        for _ in 0..40 {
            throw(running.address, octets);
        }
    }
    let messages = log_after(running);
    assert_eq!(messages.matches("a TLS handshake failed").count(), 1, "{messages}");
}

#[test]
fn what_upstreams_send_is_in_the_access_log_only() {
    let folder = Folder::new("garbage");
    let garbage = Upstream::start(|number, wire, seen| {
        if seen.read(wire).is_some() {
            let answers =
                ["nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 999\r\n\r\n", ""];
            wire.send(answers[number % answers.len()]);
        }
    });
    // HTTP/2, and then nothing of the kind.
    let frames = Upstream::start(|_, wire, _| {
        let mut begin = [0; 24];
        if wire.stream.read_exact(&mut begin).is_ok() {
            wire.send(frame(4, 0, 0, b""));
            wire.send(frame(6, 1, 0, b"12345678").repeat(500));
            wire.send(frame(1, 4, 1, b"\xff\xff\xff\xff"));
            wire.send(frame(7, 0, 0, b"\0\0\0\0\0\0\0\0"));
        }
    });
    let rules = format!(
        "upstream a {{ server 127.0.0.1:{}; server 127.0.0.1:{}; fail_timeout 1ms; }}
         upstream b {{ server 127.0.0.1:{}; protocol http2; }}
         service all default {{ location /a {{ proxy a; }} location /b {{ proxy b; }} }}",
        garbage.port, garbage.port, frames.port
    );
    let policy = folder.write("policy.rulec", artifact(&rules));
    let running = Running::start(&[&policy, "--listen", "127.0.0.1:0", "--access-log", "off", "--threads", "1"]);
    for _ in 0..100 {
        for path in ["/a", "/b"] {
            let mut client = Client::connect(running.address);
            client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
            assert_eq!(client.answer().status, 502);
        }
    }
    let (status, _, messages) = running.terminate();
    assert_eq!(status, Some(0), "{messages}");
    // Its two servers are taken out and come back again and again: twelve lines each.
    assert!(messages.lines().count() <= 24 + LINES_MAX, "{messages}");
    assert!(messages.contains("server is taken out") && !messages.contains("PING"), "{messages}");
}
