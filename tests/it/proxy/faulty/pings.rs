//! A server of HTTP/2 that is there no more: it takes octets and says nothing.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rulec::proxy::Config;
use rustls::ServerConfig;

use super::frames::{Then, http2};
use super::rows::NAME;
use super::server::Server;
use crate::proxy::harness::Gateway;
use crate::proxy::http2::peers::{Client, post, runtime};
use crate::proxy::identity::Authority;

fn silent(tls: Option<&Arc<ServerConfig>>) -> Server {
    Server::start(http2(tls, &[], |frames, _| {
        frames.ignore_pings();
        Then::Next
    }))
}

fn gateway(clear: &Server, secured: &Server, authority: &Authority) -> Gateway {
    let rules = format!(
        "upstream clear {{ server 127.0.0.1:{}; protocol http2; timeout response=2m; }}
        upstream secured {{ server 127.0.0.1:{}; host {NAME}; tls {{ }} protocol http2; timeout response=2m; }}
        service all default {{
            body forward;
            location /clear {{ proxy clear; }}
            location /secured {{ proxy secured; }}
        }}",
        clear.port, secured.port
    );
    let text = "[listener.a]\naddress = \"127.0.0.1:0\"\nhttp2 = \"prior_knowledge\"\n\
        [upstream.secured]\ntls = { ca = \"ca.pem\" }\n";
    Gateway::with(&rules, &Config::parse(text, &authority.folder.join("proxy.toml")).expect("config"))
}

#[test]
fn a_04_pings_that_nobody_answers_end_every_request_of_a_connection() {
    let authority = Authority::new("pings");
    let mut tls = authority.certify(&[NAME], 2000, 2090).server(rustls::ALL_VERSIONS, None);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let (clear, secured) = (silent(None), silent(Some(&Arc::new(tls))));
    let gateway = gateway(&clear, &secured, &authority);
    let began = Instant::now();
    runtime().block_on(async {
        let client = Client::connect(gateway.address).await;
        let asked: Vec<_> = ["/clear", "/secured"]
            .into_iter()
            .cycle()
            .take(2 * super::REPETITIONS)
            .map(|path| {
                let client = Client { sender: client.sender.clone() };
                tokio::spawn(async move { client.send(post(path), Bytes::from("once")).await })
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
        let name = (line["target"] == "/secured").then_some(NAME);
        assert_eq!(line["failure"]["server_name"].as_str(), name, "{line:#}");
    }
}
