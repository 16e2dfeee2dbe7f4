//! HTTP/2 with upstreams.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::Reason;
use hyper::http::{HeaderMap, Response};
use rulec::proxy::Address;

use super::super::harness::{Gateway, admin_text, config, wait_until};
use super::peers::{Client, Server, get, http2_config, post, read_all, run, send_all, whole};

fn gateway(server: &Server) -> Gateway {
    Gateway::with(&server.rules("body forward max=100m; location / { proxy up; }"), &http2_config())
}

fn ok() -> Response<()> {
    Response::new(())
}

#[test]
fn requests_share_a_connection() {
    let server = Server::start(|_, request, mut respond| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let Ok(mut stream) = respond.send_response(ok(), false) else { return };
        drop(stream.send_data(Bytes::from(request.uri().path().to_owned()), true));
    });
    let gateway = gateway(&server);
    run(async {
        let client = Client::connect(gateway.address).await;
        let mut asked = Vec::new();
        for at in 0..80 {
            let request = get(&format!("/{at}"));
            asked.push(client.sender.clone().ready().await.unwrap().send_request(request, true).unwrap().0);
        }
        for (at, response) in asked.into_iter().enumerate() {
            assert_eq!(whole(response.await.unwrap()).await.unwrap().text(), format!("/{at}"));
        }
    });
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    assert!(gateway.stop().iter().all(|line| line["outcome"] == "proxy" && line["status"] == 200));
}

#[test]
fn http1_clients_reach_it_too() {
    let server = Server::echo();
    let gateway = Gateway::start(&server.rules("body forward; location / { proxy up; }"));
    let answer = gateway.ask("POST /a HTTP/1.1\r\nHost: b\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    assert_eq!(answer.header("x-path"), Some("/a"));
    assert_eq!(answer.header("x-host"), Some(format!("127.0.0.1:{}", server.port).as_str()));
}

#[test]
fn connections_and_failures_are_counted() {
    let server = Server::start(|number, _, mut respond| async move {
        if number == 3 {
            return respond.send_reset(Reason::INTERNAL_ERROR);
        }
        drop(respond.send_response(ok(), true));
    });
    let mut config = config();
    config.admin = Some(Address::Tcp("127.0.0.1:0".parse().expect("address")));
    let gateway = Gateway::with(&server.rules("location / { proxy up; }"), &config);
    let status = || gateway.ask("GET / HTTP/1.1\r\nHost: b\r\n\r\n").status;
    assert_eq!([status(), status(), status(), status()], [200, 200, 200, 502]);
    let handle = gateway.handle.as_ref().expect("runs");
    for sample in [
        "connections_total{upstream=\"up\"} 1",
        "reuses_total{upstream=\"up\"} 3",
        "idle_connections{upstream=\"up\"} 1",
        "failures_total{upstream=\"up\",code=\"upstream.http2.reset\"} 1",
    ] {
        wait_until(|| admin_text(handle, "/metrics").contains(&format!("\nrulec_upstream_{sample}\n")));
    }
}

#[test]
fn both_sides_send_at_once_and_trailers_pass() {
    let server = Server::echo();
    let gateway = gateway(&server);
    run(async {
        let client = Client::connect(gateway.address).await;
        let (response, mut stream) =
            client.sender.clone().ready().await.unwrap().send_request(post("/"), false).unwrap();
        let (_, mut body) = response.await.unwrap().into_parts();
        // Each part comes back before the next is sent: nothing is held.
        for part in ["one", "two", "three"] {
            assert!(send_all(&mut stream, Bytes::from(part), false).await);
            let data = body.data().await.unwrap().unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            assert_eq!(data, part);
        }
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        stream.send_trailers(trailers.clone()).unwrap();
        assert_eq!(read_all(&mut body).await.unwrap(), (Vec::new(), Some(trailers)));
        let large = Bytes::from(vec![b'x'; 5_000_000]);
        assert_eq!(client.send(post("/"), large.clone()).await.unwrap().body, large);
    });
}

#[test]
fn a_refused_stream_is_sent_again_whatever_it_is() {
    let bodies = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let seen = Arc::clone(&bodies);
    let server = Server::start(move |number, request, mut respond| {
        let seen = Arc::clone(&seen);
        async move {
            if number == 0 {
                return respond.send_reset(Reason::REFUSED_STREAM);
            }
            let (body, _) = read_all(&mut request.into_body()).await.unwrap();
            seen.lock().unwrap().push(body);
            respond.send_response(ok(), true).unwrap();
        }
    });
    let gateway = gateway(&server);
    run(async {
        let client = Client::connect(gateway.address).await;
        // The body is sent once the first attempt was refused: what was taken of one cannot be sent again.
        let (response, mut stream) =
            client.sender.clone().ready().await.unwrap().send_request(post("/"), false).unwrap();
        let requests = Arc::clone(&server.requests);
        tokio::task::spawn_blocking(move || wait_until(|| requests.load(Ordering::SeqCst) >= 2)).await.unwrap();
        send_all(&mut stream, Bytes::from("once"), true).await;
        assert_eq!(response.await.unwrap().status(), 200);
    });
    assert_eq!(*bodies.lock().unwrap(), [b"once"]);
}

#[test]
fn a_server_that_says_goodbye_loses_no_request() {
    let server = Server::start(|_, _, mut respond| async move {
        drop(respond.send_response(ok(), true));
    });
    let gateway = gateway(&server);
    run(async {
        let client = Client::connect(gateway.address).await;
        for _ in 0..20 {
            for path in ["/", "/goaway", "/"] {
                assert_eq!(client.ask(post(path)).await.unwrap().status, 200);
            }
        }
    });
    assert!(server.connections.load(Ordering::SeqCst) > 1);
    assert_eq!(server.requests.load(Ordering::SeqCst), 60);
}

#[test]
fn streams_that_a_server_resets_have_their_code() {
    let server = Server::start(|number, _, mut respond| async move {
        if number == 0 {
            return respond.send_reset(Reason::INTERNAL_ERROR);
        }
        let Ok(mut stream) = respond.send_response(ok(), false) else { return };
        drop(stream.send_data(Bytes::from("half"), false));
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.send_reset(Reason::INTERNAL_ERROR);
    });
    let gateway = gateway(&server);
    run(async {
        let client = Client::connect(gateway.address).await;
        let answer = client.ask(get("/")).await.unwrap();
        assert_eq!(answer.status, 502);
        assert!(answer.text().contains("upstream.http2.reset"), "{}", answer.text());
        let error = client.ask(get("/")).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
    });
    let codes: Vec<_> = gateway.stop().iter().map(|line| line["code"].clone()).collect();
    assert_eq!(codes, ["upstream.http2.reset", "upstream.http2.reset"]);
}

#[test]
fn a_stream_that_a_client_resets_is_reset_behind() {
    let reset = Arc::<Mutex<Option<Reason>>>::default();
    let seen = Arc::clone(&reset);
    let server = Server::start(move |_, _, mut respond| {
        let seen = Arc::clone(&seen);
        async move {
            let Ok(mut stream) = respond.send_response(ok(), false) else { return };
            let reason = core::future::poll_fn(|cx| stream.poll_reset(cx)).await;
            *seen.lock().unwrap() = reason.ok();
        }
    });
    let gateway = gateway(&server);
    run(async {
        let client = Client::connect(gateway.address).await;
        let (response, mut stream) = client.sender.clone().ready().await.unwrap().send_request(get("/"), true).unwrap();
        let (_, body) = response.await.unwrap().into_parts();
        stream.send_reset(Reason::CANCEL);
        drop(body);
        let reset = Arc::clone(&reset);
        tokio::task::spawn_blocking(move || wait_until(|| reset.lock().unwrap().is_some())).await.unwrap();
    });
    assert_eq!(*reset.lock().unwrap(), Some(Reason::CANCEL));
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn more_requests_than_a_server_takes_at_once_wait_or_go_on_another_connection() {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(2);
    let server = Server::with(builder, |_, _, mut respond| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(respond.send_response(ok(), true));
    });
    let gateway = gateway(&server);
    run(async {
        let client = Client::connect(gateway.address).await;
        let mut asked = Vec::new();
        for _ in 0..60 {
            asked.push(client.sender.clone().ready().await.unwrap().send_request(get("/"), true).unwrap().0);
        }
        for response in asked {
            assert_eq!(response.await.unwrap().status(), 200);
        }
    });
}
