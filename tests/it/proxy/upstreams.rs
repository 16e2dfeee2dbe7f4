//! What upstreams do wrong, and what clients see of it.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::io::Read;
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use super::harness::{Answer, Gateway, Upstream};

const PROXY: &str = "location / { proxy up; }";

fn get(upstream: &Upstream) -> Answer {
    Gateway::start(&upstream.rules(PROXY)).ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
}

#[test]
fn connections_are_kept_and_reused() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules(PROXY));
    for _ in 0..5 {
        assert_eq!(gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
    }
    assert_eq!(upstream.connections(), 1);
}

#[test]
fn answers_of_every_framing_are_relayed() {
    for (answer, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nT: 1\r\n\r\n", "hello"),
        ("HTTP/1.1 200 OK\r\n\r\nhello", "hello"),
        ("HTTP/1.0 200 OK\r\n\r\nhello", "hello"),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "hello",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ""),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
    ] {
        let got = get(&Upstream::fixed(answer));
        assert!(got.whole && got.text() == body && got.status < 400, "{answer:?}: {got:?}");
    }
}

#[test]
fn answers_that_could_be_cut_in_two_ways_are_502() {
    for (answer, code) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "framing"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "framing"),
        ("HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\nContent-Length: 0\r\n\r\n", "malformed"),
        ("HTTP/1.1 200 OK\nContent-Length: 0\n\n", "malformed"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "unasked_upgrade"),
        ("HTTP/1.1 999 Odd\r\n\r\n", "malformed"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "malformed"),
    ] {
        let got = get(&Upstream::fixed(answer));
        assert_eq!((got.status, got.code()), (502, format!("upstream.response.{code}")), "{answer:?}");
    }
    let endless = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100);
    assert_eq!(get(&Upstream::fixed(endless)).code(), "upstream.response.interim_endless");
    let bomb = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    assert_eq!(get(&Upstream::fixed(bomb)).code(), "upstream.response.head_too_large");
}

#[test]
fn a_04_a_truncated_answer_breaks_off_at_the_client() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nX\r\n",
    ] {
        let upstream = Upstream::fixed(answer);
        let gateway = Gateway::start(&upstream.rules(PROXY));
        let mut client = gateway.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let got = client.read_answer(false);
        assert!(got.as_ref().is_none_or(|got| !got.whole), "{answer:?}: {got:?}");
        let log = gateway.stop();
        assert!(log[0]["code"].as_str().is_some_and(|code| code.starts_with("upstream.body.")), "{log:?}");
    }
}

#[test]
fn a_04_every_way_of_closing_has_its_code() {
    let code = |answer: &'static str| {
        let got = get(&Upstream::fixed(answer));
        assert_eq!(got.status, 502);
        got.code()
    };
    assert_eq!(code(""), "upstream.closed_before_header");
    assert_eq!(code("HTTP/1.1 200 OK\r\nX:"), "upstream.closed_in_header");
    let refused =
        Gateway::start("upstream up { server 127.0.0.1:1; } service all default { location / { proxy up; } }");
    assert_eq!(refused.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").code(), "upstream.connect.refused");
    let unknown = Gateway::start(
        "upstream up { server no-such-name.invalid:80; } service all default { location / { proxy up; } }",
    );
    assert_eq!(unknown.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").code(), "upstream.dns.not_found");
}

/// The first connection answers one request and closes as the second arrives; later ones answer all.
fn closes_on_reuse() -> Upstream {
    Upstream::start(|number, wire, seen| {
        let mut served = 0;
        while seen.read(wire).is_some() {
            if number == 0 && served > 0 {
                return;
            }
            served += 1;
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    })
}

#[test]
fn b_02_a_reused_connection_that_dies_is_replaced_for_what_may_be_done_twice() {
    for (method, status) in [("GET", 200), ("DELETE", 200), ("POST", 502), ("PATCH", 502), ("BREW", 502)] {
        let upstream = closes_on_reuse();
        let gateway = Gateway::start(&upstream.rules(PROXY));
        let mut client = gateway.client();
        client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().status, 200);
        client.send(format!("{method} /second HTTP/1.1\r\nHost: a\r\n\r\n"));
        let got = client.answer();
        assert_eq!(got.status, status, "{method}");
        let sent = upstream.seen.requests().iter().filter(|request| request.contains("/second")).count();
        if status == 502 {
            assert_eq!((sent, got.code().as_str()), (1, "upstream.reused_connection_closed"), "{method}");
        } else {
            assert_eq!(sent, 2, "{method}");
        }
    }
}

#[test]
fn b_02_a_sent_post_is_never_sent_twice() {
    let upstream = closes_on_reuse();
    let gateway = Gateway::start(&upstream.rules(PROXY));
    let mut client = gateway.client();
    for _ in 0..2 {
        client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
        client.answer();
    }
    let sent = upstream.seen.requests().len();
    assert_eq!(sent, 2);
}

#[test]
fn b_02_a_connection_that_was_closed_while_idle_is_not_used() {
    let upstream = Upstream::start(|_, wire, seen| {
        if seen.read(wire).is_some() {
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gateway = Gateway::start(&upstream.rules(PROXY));
    for _ in 0..5 {
        let got = gateway.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
        assert_eq!(got.status, 200, "{got:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn b_01_the_announced_idle_time_less_a_margin_is_kept_to() {
    let upstream = Upstream::start(|_, wire, seen| {
        while seen.read(wire).is_some() {
            wire.send("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let gateway = Gateway::start(&upstream.rules(PROXY));
    for _ in 0..3 {
        assert_eq!(gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
    }
    assert_eq!(upstream.connections(), 3, "a second less a second is not at all");
}

#[test]
fn b_06_upstreams_that_close_at_random_times_cost_no_get_and_double_no_post() {
    let dice = AtomicUsize::new(7);
    let upstream = Upstream::start(move |_, wire, seen| {
        loop {
            let number = dice.fetch_add(12_345, Ordering::SeqCst);
            if seen.read(wire).is_none() {
                return;
            }
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            if number.is_multiple_of(3) {
                thread::sleep(Duration::from_micros(number as u64 % 700));
                return;
            }
        }
    });
    let gateway = Gateway::start(&upstream.rules(PROXY));
    let mut client = gateway.client();
    for number in 0..300 {
        client.send(format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(client.answer().status, 200, "{number}");
        client.send(format!("POST /post-{number}- HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"));
        client.answer();
    }
    let requests = upstream.seen.requests();
    for number in 0..300 {
        let sent = requests.iter().filter(|request| request.contains(&format!("/post-{number}-"))).count();
        assert!(sent <= 1, "{number} was sent {sent} times");
    }
}

#[test]
fn a_01_each_phase_has_its_timer() {
    let silent = Upstream::start(|_, wire, seen| {
        seen.read(wire);
        thread::sleep(Duration::from_secs(5));
    });
    let stalls = Upstream::start(|_, wire, seen| {
        seen.read(wire);
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        thread::sleep(Duration::from_secs(5));
    });
    // Its queue is full, so the kernel answers nobody more.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("socket");
    full.bind(&"127.0.0.1:0".parse::<SocketAddr>().expect("address").into()).expect("binds");
    full.listen(0).expect("listens");
    let hole = full.local_addr().ok().and_then(|address| address.as_socket()).expect("address");
    let queued: Vec<_> = (0..4).map(|_| TcpStream::connect_timeout(&hole, Duration::from_millis(100))).collect();
    let gateway = Gateway::start(&format!(
        "upstream silent {{ server 127.0.0.1:{}; timeout response=200ms; }}
         upstream stalls {{ server 127.0.0.1:{}; timeout idle=200ms; }}
         upstream hole {{ server 127.0.0.1:{}; timeout connect=200ms; }}
         service all default {{
            location /silent {{ proxy silent; }}
            location /stalls {{ proxy stalls; }}
            location /hole {{ proxy hole; }}
         }}",
        silent.port,
        stalls.port,
        hole.port()
    ));
    let began = Instant::now();
    let got = gateway.ask("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((got.status, got.code().as_str()), (504, "upstream.response.timeout"));
    assert!(!gateway.ask("GET /stalls HTTP/1.1\r\nHost: a\r\n\r\n").whole);
    let got = gateway.ask("GET /hole HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((got.status, got.code().as_str()), (504, "upstream.connect.timeout"), "{queued:?}");
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[test]
fn an_answer_that_comes_before_the_body_is_done_is_relayed() {
    let upstream = Upstream::start(|_, wire, _| {
        let mut octet = [0; 1];
        drop(wire.stream.read(&mut octet));
        wire.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        thread::sleep(Duration::from_millis(300));
    });
    let gateway = Gateway::start(&upstream.rules("location / { body forward; proxy up; }"));
    let mut client = gateway.client();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
    client.send(vec![b'x'; 100_000]);
    let got = client.answer();
    assert_eq!((got.status, got.text().as_str()), (403, "no"));
}

#[test]
fn servers_take_turns_by_weight_and_one_that_refuses_is_passed_over() {
    let (heavy, light) = (Upstream::echo(), Upstream::echo());
    let gateway = Gateway::start(&format!(
        "upstream up {{ server 127.0.0.1:{} weight=3; server 127.0.0.1:{}; }}
         upstream half {{ server 127.0.0.1:1; server 127.0.0.1:{}; }}
         service all default {{ location / {{ proxy up; }} location /half {{ proxy half; }} }}",
        heavy.port, light.port, light.port
    ));
    for _ in 0..8 {
        assert_eq!(gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
    }
    assert_eq!((heavy.seen.requests().len(), light.seen.requests().len()), (6, 2));
    for _ in 0..4 {
        assert_eq!(gateway.ask("POST /half HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").status, 200);
    }
}

#[test]
fn interim_answers_are_relayed_and_an_unasked_101_is_not() {
    let upstream = Upstream::fixed(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let gateway = Gateway::start(&upstream.rules(PROXY));
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let hints = client.read_any(false).expect("hints");
    assert_eq!((hints.status, hints.header("link"), hints.header("x-hop")), (103, Some("</a.css>"), None));
    assert_eq!(client.answer().status, 200);
    // HTTP/1.0 knows no interim answers.
    client = gateway.client();
    client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    assert_eq!(client.read_any(false).expect("an answer").status, 200);
}

#[test]
fn k_15_another_protocol_is_tunnelled_only_after_a_real_101() {
    let upstream = Upstream::start(|_, wire, seen| {
        let Some(request) = seen.read(wire) else { return };
        if !String::from_utf8_lossy(&request).contains("Connection: upgrade\r\nUpgrade: tcp\r\n") {
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
            return;
        }
        wire.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: TCP\r\n\r\nhello ");
        let mut octets = [0; 64];
        while let Ok(read @ 1..) = wire.stream.read(&mut octets) {
            wire.send(&octets[..read]);
        }
    });
    let gateway = Gateway::start(&upstream.rules(PROXY));
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    let switched = client.answer();
    assert_eq!((switched.status, switched.header("upgrade")), (101, Some("TCP")));
    client.send("GET /smuggled HTTP/1.1\r\n\r\n");
    client.finish();
    assert_eq!(String::from_utf8_lossy(&client.rest()), "hello GET /smuggled HTTP/1.1\r\n\r\n");
    // HTTP/2 in clear text would go past the rules; what follows a refused upgrade is the next request.
    client = gateway.client();
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_eq!((client.answer().status, client.answer().status), (200, 200));
    let log = gateway.stop();
    assert_eq!(log[0]["octets_out"], 32, "{log:?}");
}
