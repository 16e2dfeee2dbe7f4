//! Which server a request goes to, and what happens where one fails.

use core::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use rulec::proxy::Policy;

use super::harness::{Answer, Gateway, Upstream, artifact, config, wait_until};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";

/// One upstream `up` as `words` say, for every path.
fn rules(words: &str) -> String {
    format!("upstream up {{ {words} }} service all default {{ location / {{ proxy up; }} }}")
}

/// Reads a request and closes without an answer.
fn closes() -> Upstream {
    Upstream::start(|_, wire, seen| {
        seen.read(wire);
    })
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[test]
fn a_backup_takes_requests_while_no_other_server_can() {
    let spare = Upstream::echo();
    let gateway = Gateway::start(&rules(&format!("server 127.0.0.1:1; server 127.0.0.1:{} backup;", spare.port)));
    for _ in 0..4 {
        assert_eq!(gateway.ask(POST).status, 200);
    }
    let own = Upstream::echo();
    let gateway =
        Gateway::start(&rules(&format!("server 127.0.0.1:{}; server 127.0.0.1:{} backup;", own.port, spare.port)));
    for _ in 0..4 {
        assert_eq!(gateway.ask(GET).status, 200);
    }
    assert_eq!((own.seen.requests().len(), spare.seen.requests().len()), (4, 4));
}

#[test]
fn where_every_server_is_taken_out_the_code_says_so() {
    let gateway = Gateway::start(&rules("server 127.0.0.1:1; server 127.0.0.1:2; fail_timeout 1h; host a;"));
    assert_eq!(code(&gateway.ask(GET)), (502, "upstream.connect.refused".to_owned()), "both were tried");
    assert_eq!(code(&gateway.ask(GET)), (502, "upstream.no_server_available".to_owned()));
    // What is known of servers outlives a reload that keeps them.
    let same = rules("server 127.0.0.1:1; server 127.0.0.1:2; fail_timeout 2h; host a;");
    gateway.handle.as_ref().expect("runs").replace(Policy::new(artifact(&same), &config()).expect("policy"));
    assert_eq!(code(&gateway.ask(GET)), (502, "upstream.no_server_available".to_owned()));
    let other = rules("server 127.0.0.1:3; server 127.0.0.1:4; host a;");
    gateway.handle.as_ref().expect("runs").replace(Policy::new(artifact(&other), &config()).expect("policy"));
    assert_eq!(code(&gateway.ask(GET)), (502, "upstream.connect.refused".to_owned()));
}

#[test]
fn p_11_a_server_that_is_taken_out_is_tried_again_after_its_time() {
    let works = Upstream::echo();
    let broken = closes();
    let said = format!(
        "server 127.0.0.1:{}; server 127.0.0.1:{}; max_fails 1; fail_timeout 200ms; host a;",
        works.port, broken.port
    );
    let gateway = Gateway::start(&rules(&said));
    let failures = || broken.seen.requests().len();
    for _ in 0..10 {
        assert_eq!(gateway.ask(GET).status, 200);
    }
    let before = failures();
    assert!((1..10).contains(&before), "{before}");
    wait_until(|| {
        assert_eq!(gateway.ask(GET).status, 200);
        failures() > before
    });
}

#[test]
fn p_09_what_may_be_done_twice_is_tried_at_another_server_and_nothing_else_is() {
    let (one, other) = (closes(), closes());
    let words = |retries| {
        format!(
            "server 127.0.0.1:{}; server 127.0.0.1:{}; max_fails 0; host a; retries {retries};",
            one.port, other.port
        )
    };
    let sent = || one.seen.requests().len() + other.seen.requests().len();
    let gateway = Gateway::start(&rules(&words(1)));
    assert_eq!(code(&gateway.ask(GET)), (502, "upstream.closed_before_header".to_owned()));
    assert_eq!(sent(), 2);
    assert_eq!(code(&gateway.ask(POST)), (502, "upstream.closed_before_header".to_owned()));
    assert_eq!(sent(), 3, "a POST is sent once");
    let gateway = Gateway::start(&rules(&words(0)));
    gateway.ask(GET);
    assert_eq!(sent(), 4);
}

#[test]
fn retries_keep_to_their_budget() {
    let (one, other) = (closes(), closes());
    let gateway = Gateway::start(&rules(&format!(
        "server 127.0.0.1:{}; server 127.0.0.1:{}; max_fails 0; host a; retries 1 budget=0%;",
        one.port, other.port
    )));
    for _ in 0..60 {
        gateway.ask(GET);
    }
    let sent = one.seen.requests().len() + other.seen.requests().len();
    // Were this to take longer than the ten seconds that count, there would be more.
    assert!((90..=100).contains(&sent), "{sent}");
}

#[test]
fn equal_texts_go_to_the_same_server() {
    let servers: Vec<_> = (0..4).map(|_| Upstream::echo()).collect();
    let names: Vec<_> = servers.iter().map(|server| format!("server 127.0.0.1:{};", server.port)).collect();
    let names = names.join(" ");
    let gateway = Gateway::start(&rules(&format!("{names} host a; balance hash \"$arg_user\";")));
    let mut used = BTreeSet::new();
    for user in 0..40 {
        for _ in 0..3 {
            assert_eq!(gateway.ask(&format!("GET /?user=u{user}- HTTP/1.1\r\nHost: a\r\n\r\n")).status, 200);
        }
        let own = |server: &Upstream| {
            server.seen.requests().iter().filter(|request| request.contains(&format!("u{user}-"))).count()
        };
        let counts: Vec<usize> = servers.iter().map(own).collect();
        let owner = counts.iter().position(|count| *count == 3);
        assert!(owner.is_some() && counts.iter().sum::<usize>() == 3, "{user}: {counts:?}");
        used.extend(owner);
    }
    assert_eq!(used.len(), 4, "all of them have some");
}

#[test]
fn the_server_with_the_fewest_requests_in_flight_is_chosen() {
    let waits = || {
        Upstream::start(|_, wire, seen| {
            while let Some(request) = seen.read(wire) {
                if request.starts_with(b"GET /wait") {
                    wait_until(|| seen.released.load(Ordering::SeqCst));
                }
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        })
    };
    let (one, other) = (waits(), waits());
    let gateway = Gateway::start(&rules(&format!(
        "server 127.0.0.1:{}; server 127.0.0.1:{}; host a; balance least_conn;",
        one.port, other.port
    )));
    let mut waiting = gateway.client();
    waiting.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_until(|| one.seen.requests().len() + other.seen.requests().len() == 1);
    let (busy, free) = if one.seen.requests().is_empty() { (&other, &one) } else { (&one, &other) };
    for _ in 0..5 {
        assert_eq!(gateway.ask(GET).status, 200);
    }
    assert_eq!((busy.seen.requests().len(), free.seen.requests().len()), (1, 5));
    busy.seen.released.store(true, Ordering::SeqCst);
    assert_eq!(waiting.answer().status, 200);
    for _ in 0..4 {
        assert_eq!(gateway.ask(GET).status, 200);
    }
    assert!(busy.seen.requests().len() > 1, "it is as free as the other again");
}

#[test]
fn checks_take_a_server_out_and_bring_it_back() {
    let status = Arc::new(AtomicU16::new(200));
    let checks = Arc::new(AtomicUsize::new(0));
    let (said, counted) = (Arc::clone(&status), Arc::clone(&checks));
    let upstream = Upstream::start(move |_, wire, _| {
        while let Some(request) = wire.request() {
            let is_check = request.starts_with(b"GET /healthz?full=1 ");
            counted.fetch_add(usize::from(is_check), Ordering::SeqCst);
            let status = if is_check { said.load(Ordering::SeqCst) } else { 200 };
            wire.send(format!("HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n\r\nok"));
        }
    });
    let gateway = Gateway::start(&rules(&format!(
        "server 127.0.0.1:{}; health /healthz?full=1 interval=20ms timeout=1s rise=2 fall=2;",
        upstream.port
    )));
    wait_until(|| checks.load(Ordering::SeqCst) > 2);
    assert_eq!(gateway.ask(GET).status, 200);
    status.store(503, Ordering::SeqCst);
    wait_until(|| gateway.ask(GET).status == 502);
    assert_eq!(code(&gateway.ask(GET)), (502, "upstream.no_server_available".to_owned()));
    status.store(204, Ordering::SeqCst);
    wait_until(|| gateway.ask(GET).status == 200);
}

#[test]
fn a_01_the_time_for_a_whole_request_has_its_code() {
    let silent = Upstream::start(|_, wire, seen| {
        seen.read(wire);
        thread::sleep(Duration::from_secs(5));
    });
    let trickles = Upstream::start(|_, wire, seen| {
        seen.read(wire);
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        for _ in 0..1000 {
            wire.send("x");
            thread::sleep(Duration::from_millis(5));
        }
    });
    let gateway = |upstream: &Upstream| {
        Gateway::start(&rules(&format!("server 127.0.0.1:{}; timeout request=200ms;", upstream.port)))
    };
    assert_eq!(code(&gateway(&silent).ask(GET)), (504, "upstream.request_timeout".to_owned()));
    let gateway = gateway(&trickles);
    assert!(!gateway.ask(GET).whole);
    assert_eq!(gateway.stop()[0]["code"], "upstream.request_timeout");
}
