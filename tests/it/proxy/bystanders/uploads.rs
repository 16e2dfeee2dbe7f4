//! Uploads that their upstream does not read, and others that share a connection with them.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::thread;

use bytes::Bytes;
use h2::client::ResponseFuture;
use hyper::http::Response;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::servers::Server;
use super::{AT_ONCE, narrow, stand_by};
use crate::proxy::harness::{Client, Gateway, PATIENCE, Upstream, config, wait_until};
use crate::proxy::http2::peers::{self, http2_config, post, read_all, run, send_all};

/// An upload that no buffers hold.
const BIG: usize = 16 << 20;

static PART: &[u8] = &[b'x'; 64 * 1024];

const SMALL: &str = "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

/// Two servers of HTTP/1: `holding` reads no body and has no room for one, `up` reads all.
struct Servers {
    up: Upstream,
    holding: Upstream,
}

impl Servers {
    fn start() -> Self {
        let up = Upstream::start(|_, wire, _| {
            while wire.request().is_some() {
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall");
            }
        });
        let holding = Upstream::narrow(|_, wire, _| {
            wire.head();
            // Longer than anybody waits for it.
            thread::sleep(PATIENCE);
        });
        Self { up, holding }
    }

    /// What is held goes to `held`.
    fn rules(&self, held: &str) -> String {
        let locations = format!("body forward; location /hold {{ proxy {held}; }} location / {{ proxy up; }}");
        format!("upstream holding {{ server 127.0.0.1:{}; }}\n{}", self.holding.port, self.up.rules(&locations))
    }
}

/// Sends as much of an upload as there is room for, for as long as the test lasts.
async fn stall(uploads: &mut JoinSet<()>, client: &peers::Client, part: usize) -> ResponseFuture {
    let (response, mut stream) =
        client.sender.clone().ready().await.unwrap().send_request(post("/hold"), false).unwrap();
    uploads.spawn(async move {
        for _ in 0..BIG / part {
            if !send_all(&mut stream, Bytes::from_static(&PART[..part]), false).await {
                return;
            }
        }
    });
    response
}

/// On one connection so many uploads stall, sent in parts of so many octets, and one that is read gets its answer.
fn check(gateway: &Gateway, count: usize, part: usize, patience: Duration) {
    run(async {
        let client = peers::Client::connect(gateway.address).await;
        let (mut uploads, mut responses) = (JoinSet::new(), Vec::new());
        for _ in 0..count {
            responses.push(stall(&mut uploads, &client, part).await);
        }
        for _ in 0..40 {
            let sent = client.send(post("/small"), Bytes::from(vec![b'x'; 100_000]));
            let answer = timeout(patience, sent).await.expect("at once").unwrap();
            assert_eq!((answer.status, answer.text().as_str()), (200, "small"));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

#[test]
fn uploads_of_one_client_of_http2_stall() {
    let servers = Servers::start();
    let rules = servers.rules("holding");
    for count in [1, 16, 40, 100] {
        check(&Gateway::with(&rules, &http2_config()), count, 16 * 1024, AT_ONCE);
    }
}

#[test]
fn uploads_in_small_frames_stall() {
    // The library counts those that nobody takes. All frames go by one connection: only that it lasts is held here.
    let servers = Servers::start();
    let gateway = Gateway::with(&servers.rules("holding"), &http2_config());
    check(&gateway, 3, 1, PATIENCE);
}

#[test]
fn uploads_stall_while_their_upstream_is_connected_to() {
    // The name server says nothing.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("binds");
    let servers = Servers::start();
    let mut config = http2_config();
    config.dns = vec![silent.local_addr().expect("address")];
    let nowhere = "upstream nowhere { server nowhere.test:80; timeout dns=20s; }";
    let rules = format!("{nowhere}\n{}", servers.rules("nowhere"));
    check(&Gateway::with(&rules, &config), 40, 16 * 1024, AT_ONCE);
}

/// Clients of HTTP/1 whose uploads fill what there is of room.
fn stalled(gateway: &Gateway, path: &str, count: usize) -> Vec<thread::JoinHandle<()>> {
    let begun = |_| {
        let mut client = narrow(gateway.address);
        client.send(format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {BIG}\r\n\r\n"));
        // It ends when the gateway lets go of it.
        thread::spawn(move || (0..BIG / PART.len()).for_each(|_| client.send(PART)))
    };
    (0..count).map(begun).collect()
}

#[test]
fn uploads_of_many_clients_stall_before_one_server_of_http2() {
    let server = Server::node(1000);
    for count in [1, 16, 100] {
        let mut config = config();
        config.limits.stop_time_max = Duration::from_millis(100);
        let gateway = Gateway::with(&server.rules("body forward; location / { proxy up; }"), &config);
        let uploads = stalled(&gateway, "/hold", count);
        stand_by(&gateway, SMALL, "small");
        drop(gateway);
        for upload in uploads {
            upload.join().expect("ends");
        }
    }
}

#[test]
fn uploads_whose_answers_nobody_reads_give_their_room_back() {
    // Node gives one window of 64 KiB to all uploads of a connection: what is asked for and not used is others'.
    let server = Server::node(1000);
    let mut config = config();
    config.limits.stop_time_max = Duration::from_millis(100);
    let gateway = Gateway::with(&server.rules("body forward; location / { proxy up; }"), &config);
    let uploads = stalled(&gateway, "/echo", 16);
    stand_by(&gateway, SMALL, "small");
    drop(gateway);
    for upload in uploads {
        upload.join().expect("ends");
    }
}

#[test]
fn an_upload_that_a_server_does_not_read_keeps_its_window_from_no_later_one() {
    // This server gives room on the connection only for what was read, and has 64 KiB of it.
    static HELD: AtomicUsize = AtomicUsize::new(0);
    let server = peers::Server::start(|_, request, mut respond| async move {
        let (parts, mut body) = request.into_parts();
        if parts.uri.path() == "/hold" {
            while let Some(Ok(data)) = body.data().await {
                HELD.fetch_add(data.len(), Ordering::SeqCst);
            }
            return;
        }
        if read_all(&mut body).await.is_ok()
            && let Ok(mut stream) = respond.send_response(Response::new(()), false)
        {
            drop(stream.send_data(Bytes::from_static(b"small"), true));
        }
    });
    let mut config = config();
    config.limits.stop_time_max = Duration::from_millis(100);
    let gateway = Gateway::with(&server.rules("body forward; location / { proxy up; }"), &config);
    let uploads = stalled(&gateway, "/hold", 3);
    // They have used up what there was.
    wait_until(|| HELD.load(Ordering::SeqCst) >= 65_535);
    stand_by(&gateway, SMALL, "small");
    assert!(server.connections.load(Ordering::SeqCst) > 1);
    drop(gateway);
    for upload in uploads {
        upload.join().expect("ends");
    }
}

#[test]
fn a_client_that_reads_nothing_before_it_has_sent_all_gets_its_echo() {
    // More than the buffers between here and there hold, both ways.
    let server = peers::Server::start(|_, request, mut respond| async move {
        let mut body = request.into_body();
        let Ok(mut stream) = respond.send_response(Response::new(()), false) else { return };
        let Ok((all, _)) = read_all(&mut body).await else { return };
        send_all(&mut stream, Bytes::from(all), true).await;
    });
    let gateway = Gateway::start(&server.rules("body forward; location / { proxy up; }"));
    let mut client: Client = narrow(gateway.address);
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {BIG}\r\n\r\n"));
    client.send(vec![b'x'; BIG]);
    assert_eq!(client.answer().body.len(), BIG);
}
