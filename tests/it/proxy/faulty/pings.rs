//! A server of HTTP/2 that is there no more: it takes octets and says nothing.

use std::time::Instant;

use bytes::Bytes;

use super::frames::{Then, http2};
use super::server::Server;
use crate::proxy::harness::Gateway;
use crate::proxy::http2::peers::{Client, http2_config, post, runtime};

#[test]
fn a_04_pings_that_nobody_answers_end_every_request_of_a_connection() {
    let server = Server::start(http2(None, &[], |frames, _| {
        frames.ignore_pings();
        Then::Next
    }));
    let rules = format!(
        "upstream up {{ server 127.0.0.1:{}; protocol http2; timeout response=2m; }}
        service all default {{ body forward; location / {{ proxy up; }} }}",
        server.port
    );
    let gateway = Gateway::with(&rules, &http2_config());
    let began = Instant::now();
    runtime().block_on(async {
        let client = Client::connect(gateway.address).await;
        let asked: Vec<_> = (0..super::REPETITIONS)
            .map(|_| {
                let client = Client { sender: client.sender.clone() };
                tokio::spawn(async move { client.send(post("/"), Bytes::from("once")).await })
            })
            .collect();
        for one in asked {
            let answer = one.await.expect("asked").expect("an answer");
            assert_eq!(answer.status, 504);
            assert!(answer.text().contains("upstream.http2.ping_timeout"), "{}", answer.text());
        }
    });
    let took = began.elapsed().as_secs();
    assert!((40..50).contains(&took), "{took} s");
    for line in gateway.stop() {
        assert_eq!(line["code"], "upstream.http2.ping_timeout", "{line:#}");
        assert!(line["failure"]["phase_ms"].as_f64().is_some_and(|took| took > 39_000.0), "{line:#}");
    }
}
