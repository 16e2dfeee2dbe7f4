//! Clients that leave, or take nothing, within an answer: no upstream's fault.

use core::time::Duration;

use bytes::Bytes;
use rulec::proxy::{Config, Http2};
use serde_json::Value;

use super::frames::{Then, http2};
use super::server::Server;
use crate::proxy::harness::{Gateway, PATIENCE, Upstream, config};
use crate::proxy::http2::peers::{Client, get, post, run};

/// Octets that no buffers between an upstream and a client hold.
const OCTETS: usize = 64 << 20;

fn with(http2: Http2, patience: Duration) -> Config {
    let mut config = config();
    config.listeners[0].http2 = http2;
    config.limits.client_write_idle_max = patience;
    config
}

/// It answers with as much as is taken.
fn gateway(http2: Http2, leaves: bool) -> Gateway {
    let upstream = Upstream::start(|_, wire, seen| {
        if seen.read(wire).is_some() {
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {OCTETS}\r\n\r\n"));
            let part = vec![b'x'; 1 << 20];
            (0..OCTETS >> 20).for_each(|_| wire.send(&part));
        }
    });
    let patience = if leaves { PATIENCE } else { Duration::from_millis(300) };
    Gateway::with(&upstream.rules("location / { proxy up; }"), &with(http2, patience))
}

fn ended(gateway: Gateway, requests: usize) -> Vec<Value> {
    let lines = gateway.stop();
    assert_eq!(lines.len(), requests);
    lines
}

fn check(lines: &[Value], code: &str) {
    for line in lines {
        assert_eq!((&line["code"], &line["status"]), (&code.into(), &200.into()), "{line:#}");
        assert!(line["failure"].is_null(), "no upstream failed: {line:#}");
    }
}

#[test]
fn clients_of_http1_that_leave_or_take_nothing_have_their_codes() {
    for (leaves, code) in [(true, "request.client_left"), (false, "request.answer_timeout")] {
        let gateway = gateway(Http2::Off, leaves);
        let clients: Vec<_> = (0..super::REPETITIONS)
            .map(|_| {
                let mut client = gateway.client();
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                client.some();
                client
            })
            .collect();
        let stay = (!leaves).then_some(clients);
        // The gateway stops once all of them are given up.
        check(&ended(gateway, super::REPETITIONS), code);
        drop(stay);
    }
}

#[test]
fn clients_of_http2_that_leave_or_take_nothing_have_their_codes() {
    for (leaves, code) in [(true, "request.client_left"), (false, "request.answer_timeout")] {
        let gateway = gateway(Http2::PriorKnowledge, leaves);
        run(async {
            let client = Client::connect(gateway.address).await;
            let mut asked = Vec::new();
            for _ in 0..super::REPETITIONS {
                let (response, stream) =
                    client.sender.clone().ready().await.unwrap().send_request(get("/"), true).unwrap();
                asked.push((response.await.unwrap().into_body(), stream));
            }
            let mut leaving = tokio::task::JoinSet::new();
            for (mut body, mut stream) in asked {
                if leaves {
                    // Each by itself: the room that one gives up is another one's.
                    leaving.spawn(async move {
                        let data = body.data().await.unwrap().unwrap();
                        body.flow_control().release_capacity(data.len()).unwrap();
                        stream.send_reset(h2::Reason::CANCEL);
                    });
                    continue;
                }
                // What is there is read, and no room given for more.
                let error = loop {
                    match body.data().await {
                        Some(Ok(data)) => drop::<Bytes>(data),
                        Some(Err(error)) => break error,
                        None => panic!("it ended as if it were whole"),
                    }
                };
                assert_eq!(error.reason(), Some(h2::Reason::CANCEL));
            }
            leaving.join_all().await;
            if leaves {
                // They are all heard of before the connection ends.
                let (response, _) = client.sender.clone().ready().await.unwrap().send_request(get("/"), true).unwrap();
                drop(response.await.unwrap());
            }
        });
        let lines = ended(gateway, super::REPETITIONS + usize::from(leaves));
        check(&lines[..super::REPETITIONS], code);
    }
}

#[test]
fn clients_of_http2_that_stop_within_a_body_have_their_code() {
    let http1 = Upstream::start(|_, wire, seen| drop(seen.read(wire)));
    let http2 = Server::start(http2(None, &[], |_, _| Then::Next));
    for (port, protocol) in [(http1.port, "http1"), (http2.port, "http2")] {
        let rules = format!(
            "upstream up {{ server 127.0.0.1:{port}; protocol {protocol}; }}
            service all default {{ body forward; location / {{ proxy up; }} }}"
        );
        let mut config = with(Http2::PriorKnowledge, PATIENCE);
        config.limits.client_body_idle_max = Duration::from_millis(300);
        let gateway = Gateway::with(&rules, &config);
        run(async {
            let client = Client::connect(gateway.address).await;
            let mut asked = Vec::new();
            for _ in 0..super::REPETITIONS {
                let (response, mut stream) =
                    client.sender.clone().ready().await.unwrap().send_request(post("/"), false).unwrap();
                stream.send_data(Bytes::from("half"), false).unwrap();
                asked.push((response, stream));
            }
            for (response, _stream) in asked {
                assert_eq!(response.await.unwrap().status(), 408);
            }
        });
        for line in ended(gateway, super::REPETITIONS) {
            assert_eq!((&line["code"], &line["status"]), (&"request.body_timeout".into(), &408.into()), "{line:#}");
        }
    }
}

#[test]
fn requests_that_nobody_could_answer_have_their_codes() {
    let gateway = gateway(Http2::Off, true);
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(8 * 1024));
    for (request, status, code) in [
        (
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n",
            417,
            "request.expectation_failed",
        ),
        (&long, 414, "request.target_too_long"),
    ] {
        let answer = gateway.ask(request);
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
}
