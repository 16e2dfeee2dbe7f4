//! Listeners: what trusted hops may say, and clients that take their time.

use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use rulec::proxy::{ClientTimers, Config, Forwarded};

use super::harness::{Gateway, PATIENCE, Upstream, config, wait_until};

fn trusting(forwarded: Forwarded) -> Config {
    let mut config = config();
    config.listeners[0].trusted = vec!["127.0.0.0/8".parse().expect("network"), "10.0.0.0/8".parse().expect("network")];
    config.listeners[0].forwarded = forwarded;
    config
}

fn seen(gateway: &Gateway, fields: &str) -> String {
    gateway.ask(&format!("GET / HTTP/1.1\r\nHost: here.test\r\n{fields}\r\n")).text()
}

#[test]
fn m_13_x_forwarded_fields_count_from_trusted_hops_only() {
    let upstream = Upstream::echo();
    let rules = upstream.rules("location / { proxy up; }");
    let said = "X-Forwarded-For: 203.0.113.9, 198.51.100.2, 10.1.1.1\r\nX-Forwarded-Proto: https\r\n\
                X-Forwarded-Host: there.test\r\nForwarded: for=6.6.6.6;proto=http\r\nX-Real-IP: 5.5.5.5\r\n";
    let stranger = Gateway::start(&rules);
    let at_stranger = seen(&stranger, said);
    assert!(
        at_stranger
            .contains("X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: here.test\r\n")
    );
    assert!(!at_stranger.contains("6.6.6.6") && !at_stranger.contains("5.5.5.5"), "{at_stranger}");
    assert_eq!(stranger.stop()[0]["client"], "127.0.0.1");
    let trusted = Gateway::with(&rules, &trusting(Forwarded::XForwarded));
    let at_trusted = seen(&trusted, said);
    let expect = "X-Forwarded-For: 203.0.113.9, 198.51.100.2, 10.1.1.1, 127.0.0.1\r\nX-Forwarded-Proto: https\r\n\
                  X-Forwarded-Host: there.test\r\n";
    assert!(at_trusted.contains(expect), "{at_trusted}");
    // A hop that writes the one may hand the other on as its client sent it.
    assert!(!at_trusted.contains("6.6.6.6"), "{at_trusted}");
    let log = trusted.stop();
    assert_eq!((&log[0]["client"], &log[0]["scheme"]), (&"198.51.100.2".into(), &"https".into()));
}

#[test]
fn forwarded_counts_where_it_is_what_trusted_hops_write() {
    let upstream = Upstream::echo();
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &trusting(Forwarded::Standard));
    let text = seen(
        &gateway,
        "Forwarded: for=203.0.113.9;proto=http, for=\"[2001:db8::5]:99\"\r\nX-Forwarded-For: 6.6.6.6\r\n\
         Forwarded: for=10.2.2.2;proto=https;host=\"there.test\"\r\n",
    );
    let expect = "X-Forwarded-For: 203.0.113.9, [2001:db8::5]:99, 10.2.2.2, 127.0.0.1\r\nX-Forwarded-Proto: https\r\n\
                  X-Forwarded-Host: there.test\r\n";
    assert!(text.contains(expect) && !text.contains("6.6.6.6"), "{text}");
    let forwarded = "Forwarded: for=203.0.113.9;proto=http, for=\"[2001:db8::5]:99\", \
                     for=10.2.2.2;proto=https;host=\"there.test\", for=127.0.0.1;host=\"here.test\";proto=https\r\n";
    assert!(text.contains(forwarded), "{text}");
    // One that nobody can read says nothing and goes no further.
    let broken = seen(&gateway, "Forwarded: for=\"203.0.113.9\r\nForwarded: for=8.8.8.8;proto=https\r\n");
    assert!(
        broken.contains("X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n") && !broken.contains("8.8.8.8"),
        "{broken}"
    );
    let log = gateway.stop();
    assert_eq!((&log[0]["client"], &log[1]["client"]), (&"2001:db8::5".into(), &"127.0.0.1".into()));
}

fn timed(timers: impl Fn(&mut ClientTimers)) -> Config {
    let mut config = config();
    timers(&mut config.listeners[0].timeout);
    config
}

const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_head_that_trickles_is_cut_by_the_listeners_own_timer() {
    let config = timed(|timers| timers.header = Some(SHORT));
    let gateway = Gateway::with("service all default { location / { return 200 fine; } }", &config);
    let mut stream = TcpStream::connect(gateway.address).expect("connects");
    stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
    let began = Instant::now();
    // An octet at a time: each shows that somebody is there, none that it will ever end.
    let mut sent = 0;
    for octet in b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ".iter().chain(core::iter::repeat(&b'x')) {
        if stream.write_all(&[*octet]).is_err() || began.elapsed() > PATIENCE {
            break;
        }
        sent += 1;
        std::thread::sleep(Duration::from_millis(20));
        let mut answer = [0; 1];
        stream.set_nonblocking(true).expect("mode");
        let came = stream.read(&mut answer);
        stream.set_nonblocking(false).expect("mode");
        if came.is_ok() {
            break;
        }
    }
    assert!(began.elapsed() >= SHORT && began.elapsed() < PATIENCE, "{sent} octets in {:?}", began.elapsed());
    let log = gateway.stop();
    assert_eq!(log[0]["code"], "request.head_timeout");
}

#[test]
fn a_body_that_stops_is_cut_by_the_listeners_own_timer() {
    let upstream = Upstream::echo();
    let config = timed(|timers| timers.body = Some(SHORT));
    let gateway = Gateway::with(&upstream.rules("location / { body forward; proxy up; }"), &config);
    let mut client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome");
    let answer = client.answer();
    assert_eq!((answer.status, answer.code().as_str()), (408, "request.body_timeout"));
    assert!(client.is_closed());
    assert_eq!(upstream.seen.requests().len(), 0);
}

#[test]
fn a_reader_that_never_reads_is_cut_and_holds_little() {
    // Far more than all buffers on the way.
    const OCTETS: usize = 256 * 1024 * 1024;
    let upstream = Upstream::start(|_, wire, seen| {
        if seen.read(wire).is_some() {
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {OCTETS}\r\n\r\n"));
            let piece = vec![b'x'; 64 * 1024];
            for _ in 0..OCTETS / piece.len() {
                if wire.stream.write_all(&piece).is_err() {
                    seen.released.store(true, core::sync::atomic::Ordering::SeqCst);
                    return;
                }
            }
        }
    });
    let config = timed(|timers| timers.write = Some(SHORT));
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &config);
    let before = resident();
    let mut clients: Vec<_> = (0..4).map(|_| gateway.client()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    upstream.wait_for(4);
    // The upstream is let go of, too: nothing is read on for a client that is gone.
    wait_until(|| upstream.seen.released.load(core::sync::atomic::Ordering::SeqCst));
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 * 1024 * 1024, "{grown} octets");
    let log = gateway.stop();
    assert_eq!(log.len(), 4);
    assert!(log.iter().all(|line| line["outcome"] == "aborted"), "{log:#?}");
}

/// Octets of this process in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.split_whitespace().next().and_then(|number| number.parse::<usize>().ok()).expect("a number") * 1024
}

#[test]
fn an_idle_connection_is_closed_by_the_listeners_own_timer() {
    let config = timed(|timers| timers.idle = Some(SHORT));
    let gateway = Gateway::with("service all default { location / { return 200 fine; } }", &config);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().text(), "fine");
    let began = Instant::now();
    assert!(client.is_closed() && began.elapsed() < PATIENCE / 2);
}
