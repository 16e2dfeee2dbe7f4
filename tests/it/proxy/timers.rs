//! Each timer measures one thing, from when it begins to when it is gone.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use rulec::proxy::{Config, parse_address};

use super::harness::{Client, Gateway, PATIENCE, Upstream, config};
use super::http2::peers::http2_config;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const RULES: &str = "service all default { location / { return 200 ok; } }";

/// A head has 2 s, a connection without one 5 s: more than a busy machine may stand still.
fn patient() -> Config {
    let mut config = config();
    config.limits.head_time_max = Duration::from_secs(2);
    config.limits.client_idle_max = Duration::from_secs(5);
    config
}

fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

/// Sends `parts` with 200 ms between them; what comes until the connection ends, and after how long.
fn until_closed(gateway: &Gateway, parts: &[&str]) -> (String, Duration) {
    let mut stream = TcpStream::connect(gateway.address).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    stream.set_nodelay(true).expect("nodelay");
    let began = Instant::now();
    for part in parts {
        stream.write_all(part.as_bytes()).expect("sent");
        pause(200);
    }
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an end");
    (text, began.elapsed())
}

#[test]
fn empty_lines_are_no_head_and_end_with_the_idle_time() {
    let gateway = Gateway::with(RULES, &patient());
    let nothing: [&[&str]; 6] =
        [&["\r", "\n"], &["\r\n"], &["\r"], &["\r\n\r"], &["\r", "\n\r", "\n", "\r"], &["\r\n\r\n\r\n"]];
    thread::scope(|scope| {
        for parts in nothing {
            let gateway = &gateway;
            scope.spawn(move || {
                let (text, took) = until_closed(gateway, parts);
                assert_eq!(text, "", "{parts:?}");
                assert!(took >= Duration::from_millis(4_900), "{parts:?} after {took:?}");
            });
        }
    });
    let (text, took) = until_closed(&gateway, &[GET, "\r", "\n"]);
    assert!(text.starts_with("HTTP/1.1 200") && !text.contains("408"), "{text}");
    assert!(took >= Duration::from_millis(4_900), "after {took:?}");
}

#[test]
fn a_head_behind_empty_lines_has_its_whole_time() {
    let gateway = Gateway::with(RULES, &patient());
    for before in [&["\r", "\n"][..], &["\r\n", "\r\n"], &["\r"]] {
        let mut client = gateway.client();
        for part in before {
            client.send(part);
            pause(100);
        }
        // Longer than a head may take.
        pause(2_300);
        let rest = if before == ["\r"] { "\n" } else { "" };
        client.send(format!("{rest}GET / HT"));
        pause(900);
        client.send("TP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().status, 200, "{before:?}");
    }
}

#[test]
fn a_head_that_has_begun_is_late_after_its_own_time() {
    let gateway = Gateway::with(RULES, &patient());
    for (parts, least) in
        [(&["G"][..], 1_900), (&["\r\n", "G"], 2_100), (&["\r", "G"], 2_100), (&[GET, "GET / HT"], 2_100)]
    {
        let (text, took) = until_closed(&gateway, parts);
        assert!(text.contains("HTTP/1.1 408"), "{parts:?}: {text}");
        assert!(took >= Duration::from_millis(least), "{parts:?} after {took:?}");
        assert!(took < Duration::from_millis(4_900), "{parts:?} after {took:?}");
    }
}

#[test]
fn a_body_that_is_stripped_may_take_long_and_not_pause_for_long() {
    let upstream = Upstream::echo();
    let rules = upstream.rules("location / { body strip; proxy up; }");
    let mut patient = config();
    patient.limits.client_body_idle_max = Duration::from_secs(2);
    let gateway = Gateway::with(&rules, &patient);
    let parts: [&[&str]; 2] =
        [&["h", "e", "l", "l", "o", "!"], &["1\r\nh\r\n", "1\r\n", "e\r\n", "1\r\nl\r\n", "0\r\n\r\n"]];
    for (framing, parts) in ["Content-Length: 6", "Transfer-Encoding: chunked"].into_iter().zip(parts) {
        let mut client = gateway.client();
        client.send(format!("DELETE / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n"));
        for part in parts {
            pause(500);
            client.send(part);
        }
        assert_eq!(client.answer().status, 200, "{framing}");
        let mut client = gateway.client();
        client.send(format!("DELETE / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{}", parts[0]));
        assert_eq!(client.answer().code(), "request.body_timeout", "{framing}");
    }
}

/// What a client may pause is not what an upstream may take to read.
#[test]
fn an_upload_pauses_as_long_as_clients_may_whatever_an_upstream_may() {
    let upstream = Upstream::echo();
    let rules = format!(
        "upstream up {{ server 127.0.0.1:{}; timeout send=1s; }}
         service all default {{ location / {{ body forward max=1m; proxy up; }} }}",
        upstream.port
    );
    let gateway = Gateway::with(&rules, &config());
    let mut client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100003\r\n\r\n");
    client.send(vec![b'x'; 100_000]);
    for part in ["a", "b", "c"] {
        pause(1_400);
        client.send(part);
    }
    assert_eq!(client.answer().status, 200);
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("short");
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// The reason of the GOAWAY, and when it came.
fn goaway(gateway: &Gateway, parts: &[Vec<u8>]) -> (Option<u32>, Duration) {
    let mut stream = TcpStream::connect(gateway.address).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    stream.write_all(PREFACE).expect("sent");
    let began = Instant::now();
    for part in parts {
        if stream.write_all(part).is_err() {
            break;
        }
        pause(300);
    }
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return (None, began.elapsed());
        }
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut payload).expect("a whole frame");
        if head[3] == 7 {
            let reason = payload[4..8].try_into().map(u32::from_be_bytes).expect("a reason");
            return (Some(reason), began.elapsed());
        }
    }
}

#[test]
fn a_header_block_of_http2_has_the_time_of_a_head() {
    let mut config = http2_config();
    config.limits.head_time_max = Duration::from_secs(1);
    config.limits.client_idle_max = Duration::from_secs(10);
    let gateway = Gateway::with(RULES, &config);
    let get = b"\x82\x86\x84\x41\x01a";
    let mut cut = frame(1, 5, 1, get);
    cut.truncate(12);
    let nothing_of_it = frame(1, 5, 1, get)[..9].to_vec();
    let trickle: Vec<Vec<u8>> =
        core::iter::once(frame(1, 1, 1, get)).chain((0..6).map(|_| frame(9, 0, 1, b"\x00\x01x\x01y"))).collect();
    for parts in [
        vec![frame(1, 1, 1, get)],
        vec![cut],
        vec![nothing_of_it],
        trickle,
        // Trailers, of a request that waits for them.
        vec![frame(1, 4, 1, b"\x83\x86\x84\x41\x01a"), frame(1, 1, 1, b"\x00\x01x\x01y")],
    ] {
        let (reason, took) = goaway(&gateway, &parts);
        assert_eq!(reason, Some(11), "{parts:?}");
        assert!(took >= Duration::from_millis(900) && took < Duration::from_secs(4), "{parts:?} after {took:?}");
    }
}

/// Blocks one behind the other, none of which comes at once: each has its own time.
#[test]
fn blocks_that_come_in_parts_do_not_add_up() {
    let mut config = http2_config();
    config.limits.head_time_max = Duration::from_secs(2);
    let gateway = Gateway::with(RULES, &config);
    let mut stream = TcpStream::connect(gateway.address).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    stream.set_nodelay(true).expect("nodelay");
    stream.write_all(PREFACE).expect("sent");
    let blocks: Vec<Vec<u8>> = (0..12).map(|at| frame(1, 5, 1 + 2 * at, b"\x82\x86\x84\x41\x01a")).collect();
    let all = blocks.concat();
    // Each part ends within a block.
    for part in all.chunks(blocks[0].len() + 1) {
        stream.write_all(part).expect("sent");
        pause(250);
    }
    let mut ended = 0;
    while ended < 12 {
        let mut head = [0; 9];
        stream.read_exact(&mut head).expect("a frame");
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut payload).expect("a whole frame");
        assert_ne!(head[3], 7, "GOAWAY");
        ended += usize::from(head[3] == 0 && head[4] & 1 == 1);
    }
}

#[test]
fn whoever_opens_connections_to_the_admin_address_keeps_no_probe_out() {
    let mut config = config();
    config.admin = Some(parse_address("127.0.0.1:0").expect("address"));
    let gateway = Gateway::with(RULES, &config);
    let handle = gateway.handle.as_ref().expect("runs");
    let Some(rulec::proxy::Address::Tcp(admin)) = handle.admin() else { panic!("no admin") };
    let mut crowd: Vec<Client> = (0..200).map(|_| Client::connect(*admin)).collect();
    for client in crowd.iter_mut().skip(100) {
        // Some say half a request.
        client.send("GET /metr");
    }
    for _ in 0..5 {
        let mut probe = Client::connect(*admin);
        probe.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(probe.answer().status, 200);
    }
    // The oldest had to go.
    assert!(crowd[0].is_closed());
}
