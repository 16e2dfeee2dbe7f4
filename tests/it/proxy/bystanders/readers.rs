//! Clients that ask for much and stop reading: their streams share connections to HTTP/2 servers with everybody's.

use core::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::ResponseFuture;
use hyper::http::Response;

use super::servers::Server;
use super::{narrow, stand_by};
use crate::proxy::harness::{Client, Gateway, config};
use crate::proxy::http2::peers::{self, get, http2_config, run};

const BIG: &str = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
const SMALL: &str = "GET /small HTTP/1.1\r\nHost: a\r\n\r\n";

/// As many clients of HTTP/1 as `count` that have the head of an answer and read no more of it.
fn stopped(gateway: &Gateway, count: usize) -> Vec<Client> {
    let mut clients: Vec<_> = (0..count).map(|_| narrow(gateway.address)).collect();
    for client in &mut clients {
        client.send(BIG);
    }
    clients.iter_mut().for_each(Client::some);
    clients
}

fn check(server: &Server) {
    for count in [1, 16, 100] {
        let gateway = Gateway::start(&server.rules("location / { proxy up; }"));
        let clients = stopped(&gateway, count);
        stand_by(&gateway, SMALL, "small");
        drop(clients);
    }
}

#[test]
fn clients_of_http1_stop_reading_from_node() {
    check(&Server::node(1000));
}

#[test]
fn clients_of_http1_stop_reading_from_nghttpd() {
    check(&Server::nghttpd(100));
}

#[test]
fn streams_are_taken_by_readers_that_stop_and_the_next_go_on_another_connection() {
    let server = Server::node(3);
    let gateway = Gateway::start(&server.rules("location / { proxy up; }"));
    // More than eight connections' worth.
    let clients = stopped(&gateway, 40);
    stand_by(&gateway, SMALL, "small");
    drop(clients);
}

/// Streams of one client whose answers have begun, and are not read on.
async fn stopped_streams(client: &peers::Client, count: usize) -> Vec<(Response<RecvStream>, ResponseFuture)> {
    let mut held = Vec::new();
    for _ in 0..count {
        let (response, _) = client.sender.clone().ready().await.unwrap().send_request(get("/big"), true).unwrap();
        let (spare, _) = client.sender.clone().ready().await.unwrap().send_request(get("/small"), true).unwrap();
        held.push((response.await.unwrap(), spare));
    }
    held
}

#[test]
fn clients_of_http2_stop_reading() {
    for server in [Server::node(1000), Server::nghttpd(100)] {
        for count in [1, 16, 60] {
            let gateway = Gateway::with(&server.rules("location / { proxy up; }"), &http2_config());
            run(async {
                let stopping = peers::Client::connect(gateway.address).await;
                let held = stopped_streams(&stopping, count).await;
                let bystander = peers::Client::connect(gateway.address).await;
                for _ in 0..50 {
                    assert_eq!(bystander.ask(get("/small")).await.unwrap().text(), "small");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                drop(held);
            });
        }
    }
}

#[test]
fn readers_of_small_events_stop() {
    // Each event is a frame of its own: the library counts those that nobody takes.
    let server = peers::Server::start(|_, request, mut respond| async move {
        let Ok(mut stream) = respond.send_response(Response::new(()), false) else { return };
        if request.uri().path() == "/small" {
            drop(stream.send_data(Bytes::from_static(b"small"), true));
            return;
        }
        // More than all windows and buffers hold.
        loop {
            stream.reserve_capacity(1);
            let Some(Ok(_)) = core::future::poll_fn(|cx| stream.poll_capacity(cx)).await else { return };
            if stream.send_data(Bytes::from_static(b"."), false).is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    let gateway = Gateway::with(&server.rules("location / { proxy up; }"), &config());
    let clients = stopped(&gateway, 3);
    for _ in 0..3 {
        stand_by(&gateway, SMALL, "small");
    }
    drop(clients);
    let log = gateway.stop();
    assert!(log.iter().all(|line| line["code"].is_null() || line["code"] == "request.client_left"), "{log:#?}");
}
