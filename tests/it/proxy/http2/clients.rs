//! HTTP/2 with clients, HTTP/1 behind.

use std::process::Command;

use bytes::Bytes;
use hyper::http::Request;
use rulec::proxy::Config;

use super::super::harness::{Gateway, Upstream, wait_until};
use super::super::identity::Authority;
use super::peers::{Client, get, http2_config, post, read_all, run, send_all, whole};

fn gateway(upstream: &Upstream) -> Gateway {
    Gateway::with(&upstream.rules("body forward max=100m; location / { proxy up; }"), &http2_config())
}

#[test]
fn a_20_pseudo_fields_become_the_head_of_a_request() {
    let upstream = Upstream::echo();
    let gateway = gateway(&upstream);
    run(async {
        let client = Client::connect(gateway.address).await;
        let request = Request::get("https://a.test:81/b?c=d").header("cookie", "e=1").header("cookie", "f=2");
        let answer = client.ask(request.header("te", "trailers").body(()).unwrap()).await.unwrap();
        assert_eq!((answer.status, answer.headers.contains_key("date")), (200, true));
        let text = answer.text();
        assert!(text.starts_with("GET /b?c=d HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("cookie: e=1; f=2\r\n") && text.contains("X-Forwarded-Host: a.test:81\r\n"), "{text}");
        // What scheme a client says counts for nothing.
        assert!(text.contains("X-Forwarded-Proto: http\r\n") && !text.to_lowercase().contains("\r\nte:"), "{text}");
    });
    let log = gateway.stop();
    assert_eq!((&log[0]["outcome"], &log[0]["host"]), (&"proxy".into(), &"a.test:81".into()));
}

#[test]
fn names_that_an_upstream_may_take_for_others_are_left_out() {
    let upstream = Upstream::echo();
    let rules = upstream.rules("location / { drop request header X-Role; proxy up; }");
    let rules = rules
        + "service on { server_name on.test; underscores on; location / { drop request header X-Role; proxy up; } }";
    let gateway = Gateway::with(&rules, &http2_config());
    run(async {
        let client = Client::connect(gateway.address).await;
        for (host, keeps) in [("a.test", false), ("on.test", true)] {
            let request = Request::get(format!("https://{host}/")).header("x_role", "admin").header("x.role", "admin");
            let answer = client.ask(request.header("x_trace", "1").body(()).unwrap()).await.unwrap();
            let text = answer.text();
            assert!(answer.status == 200 && !text.contains("admin"), "{text}");
            assert_eq!(text.contains("x_trace"), keeps, "{text}");
        }
    });
}

#[test]
fn requests_of_a_connection_do_not_wait_for_each_other() {
    let upstream = Upstream::start(|_, wire, seen| {
        while let Some(request) = seen.read(wire) {
            let text = String::from_utf8_lossy(&request).into_owned();
            if text.starts_with("GET /slow") {
                wait_until(|| seen.requests().len() > 50);
            }
            let path = text.split(' ').nth(1).unwrap().to_owned();
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len()));
        }
    });
    let gateway = gateway(&upstream);
    run(async {
        let client = Client::connect(gateway.address).await;
        let paths: Vec<String> =
            core::iter::once("/slow".to_owned()).chain((0..50).map(|at| format!("/{at}"))).collect();
        let mut asked = Vec::new();
        for path in &paths {
            let (response, _) = client.sender.clone().ready().await.unwrap().send_request(get(path), true).unwrap();
            asked.push(response);
        }
        for (response, path) in asked.into_iter().zip(&paths) {
            assert_eq!(&whole(response.await.unwrap()).await.unwrap().text(), path);
        }
    });
}

#[test]
fn large_bodies_go_both_ways_as_there_is_room() {
    let upstream = Upstream::echo();
    let gateway = gateway(&upstream);
    let body = Bytes::from(vec![b'x'; 1_000_000]);
    run(async {
        let client = Client::connect(gateway.address).await;
        let answer = client.send(post("/"), body.clone()).await.unwrap();
        // In chunks, since no length was said.
        assert!(answer.status == 200 && answer.body.len() > body.len());
        let request = Request::post("http://a.test/").header("content-length", "1000000").body(()).unwrap();
        let answer = client.send(request, body.clone()).await.unwrap();
        assert!(answer.body.ends_with(&body) && answer.headers.contains_key("content-length"));
    });
}

#[test]
fn trailers_and_interim_answers_arrive() {
    let upstream = Upstream::fixed(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
         HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nContent-Length: 3\r\n\r\n",
    );
    let gateway = gateway(&upstream);
    run(async {
        let client = Client::connect(gateway.address).await;
        let (mut response, _) = client.sender.clone().ready().await.unwrap().send_request(get("/"), true).unwrap();
        let interim = core::future::poll_fn(|cx| response.poll_informational(cx)).await.unwrap().unwrap();
        assert_eq!((interim.status().as_u16(), &interim.headers()["link"]), (103, &"</a>".parse().unwrap()));
        let answer = whole(response.await.unwrap()).await.unwrap();
        let trailers = answer.trailers.unwrap();
        assert_eq!((answer.body, &trailers["x-sum"], trailers.len()), (b"ok".to_vec(), &"1".parse().unwrap(), 1));
    });
}

#[test]
fn an_answer_that_breaks_off_does_not_end_as_if_it_were_whole() {
    let upstream = Upstream::fixed("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    let gateway = gateway(&upstream);
    run(async {
        let client = Client::connect(gateway.address).await;
        let error = client.ask(get("/")).await.unwrap_err();
        assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR));
    });
    assert_eq!(gateway.stop()[0]["code"], "upstream.body.truncated");
}

#[test]
fn a_request_that_is_given_up_is_given_up_behind() {
    let upstream = Upstream::start(|_, wire, seen| {
        seen.read(wire);
        // The end of the connection.
        assert!(wire.request().is_none());
        seen.released.store(true, core::sync::atomic::Ordering::SeqCst);
    });
    let gateway = gateway(&upstream);
    run(async {
        let client = Client::connect(gateway.address).await;
        let (response, mut stream) = client.sender.clone().ready().await.unwrap().send_request(get("/"), true).unwrap();
        tokio::task::spawn_blocking({
            let seen = upstream.seen.clone();
            move || wait_until(|| seen.requests().len() == 1)
        })
        .await
        .unwrap();
        stream.send_reset(h2::Reason::CANCEL);
        drop(response);
        let seen = upstream.seen.clone();
        let released = move || seen.released.load(core::sync::atomic::Ordering::SeqCst);
        tokio::task::spawn_blocking(move || wait_until(released)).await.unwrap();
    });
    assert_eq!(gateway.stop()[0]["outcome"], "aborted");
}

#[test]
fn a_request_in_flight_ends_before_the_gateway_does() {
    let upstream = Upstream::start(|_, wire, seen| {
        seen.read(wire);
        wait_until(|| seen.released.load(core::sync::atomic::Ordering::SeqCst));
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    let gateway = gateway(&upstream);
    run(async {
        let mut client = Client::connect(gateway.address).await;
        let (response, _) = client.sender.clone().ready().await.unwrap().send_request(get("/"), true).unwrap();
        let seen = upstream.seen.clone();
        tokio::task::spawn_blocking(move || wait_until(|| seen.requests().len() == 1)).await.unwrap();
        let stopping = tokio::task::spawn_blocking(move || gateway.stop());
        // The client is told to send no more, while its request is still open.
        while client.sender.clone().ready().await.is_ok() {
            tokio::time::sleep(core::time::Duration::from_millis(5)).await;
        }
        client.sender.clone().ready().await.map(drop).unwrap_err();
        upstream.seen.released.store(true, core::sync::atomic::Ordering::SeqCst);
        assert_eq!(whole(response.await.unwrap()).await.unwrap().text(), "ok");
        client.sender = client.sender.clone();
        assert_eq!(stopping.await.unwrap()[0]["outcome"], "proxy");
    });
}

#[test]
fn a_body_beyond_its_bound_is_refused_while_it_comes() {
    let upstream = Upstream::echo();
    let gateway = Gateway::with(&upstream.rules("body forward max=1k; location / { proxy up; }"), &http2_config());
    run(async {
        let client = Client::connect(gateway.address).await;
        let (response, mut stream) =
            client.sender.clone().ready().await.unwrap().send_request(post("/"), false).unwrap();
        send_all(&mut stream, Bytes::from(vec![b'x'; 2000]), false).await;
        let (parts, mut body) = response.await.unwrap().into_parts();
        let (body, _) = read_all(&mut body).await.unwrap();
        assert_eq!(parts.status, 413);
        assert!(String::from_utf8_lossy(&body).contains("request.body_too_large"));
    });
}

#[test]
fn it_is_agreed_upon_in_the_tls_handshake() {
    let upstream = Upstream::echo();
    let authority = Authority::new("http2");
    authority.write("a", &["a.test"]);
    let text = "[listener.default]\naddress = \"127.0.0.1:0\"\nhttp2 = true\n\
                tls = [{ certificate = \"a.pem\", key = \"a.key\" }]\n";
    let mut config = Config::parse(text, &authority.folder.join("proxy.toml")).expect("config");
    config.threads = 1;
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &config);
    let port = gateway.address.port();
    for (option, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let mut curl = Command::new("curl");
        curl.args(["-s", option, "-w", "%{http_version}", "--resolve", &format!("a.test:{port}:127.0.0.1")]);
        curl.arg("--cacert").arg(authority.folder.join("ca.pem")).arg(format!("https://a.test:{port}/x"));
        let output = curl.output().expect("curl");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.starts_with("GET /x HTTP/1.1") && text.ends_with(version), "{text}");
        assert!(text.contains("X-Forwarded-Proto: https\r\n"), "{text}");
    }
}
