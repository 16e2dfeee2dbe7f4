//! Answers that come before the client has sent its body: they reach it whatever it is still sending (RFC 9112 9.6).

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use rulec::proxy::{Address, Config};

use super::harness::{Client, Gateway, Upstream, admin_text, config, wait_until};
use super::http2::peers::{self, http2_config, post, run, send_all};
use super::identity::{Authority, handshake};

const MEBIBYTE: usize = 1 << 20;

const POLICIES: &str = "
    location /refused { return 403 no; }
    location /moved   { return 307 /elsewhere; }
    location /unknown { return 404; }
    location /secret  { return 401 who; }
    location /reject  { proxy up; }
    location /small   { body forward max=1m; proxy up; }
    location /read    { methods GET; return 200 read; }
    location /early   { body forward; proxy up; }
";

/// What is asked for, and the status that is answered early.
const EARLY: [(&str, u16); 8] = [
    ("/refused", 403),
    ("/moved", 307),
    ("/unknown", 404),
    ("/secret", 401),
    ("/reject", 413),
    ("/small", 413),
    ("/read", 405),
    ("/early", 413),
];

/// Answers what it has not read, and lets go of it.
fn refusing() -> Upstream {
    Upstream::start(|_, wire, _| {
        if wire.head().is_some() {
            wire.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge");
        }
    })
}

fn gateway(upstream: &Upstream) -> Gateway {
    Gateway::start(&upstream.rules(POLICIES))
}

/// The status that a program prints.
fn status(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stderr(Stdio::piped()).output();
    let output = output.unwrap_or_else(|error| panic!("tests/run installs {program}: {error}"));
    format!("{}{}", String::from_utf8_lossy(&output.stdout).trim(), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn pythons_client_gets_its_answer() {
    let upstream = refusing();
    let gateway = gateway(&upstream);
    let port = gateway.address.port().to_string();
    let script = include_str!("early_client.py");
    for (target, expect) in EARLY {
        for _ in 0..2 {
            assert_eq!(status("python3", &["-c", script, &port, target, "20", "0"]), expect.to_string(), "{target}");
        }
    }
    // Slower than one that is waited for as long as two seconds.
    assert_eq!(status("python3", &["-c", script, &port, "/refused", "5", "4"]), "403");
}

#[test]
fn nodes_client_gets_its_answer() {
    let upstream = refusing();
    let gateway = gateway(&upstream);
    let port = gateway.address.port().to_string();
    for (target, expect) in EARLY {
        for _ in 0..2 {
            let got = status("node", &["-e", include_str!("early_client.js"), &port, target, "20"]);
            assert_eq!(got, expect.to_string(), "{target}");
        }
    }
}

#[test]
fn curl_gets_its_answer() {
    let upstream = refusing();
    let gateway = gateway(&upstream);
    let file = std::env::temp_dir().join(format!("rulec-early-{}", std::process::id()));
    std::fs::write(&file, vec![b'x'; 20 * MEBIBYTE]).expect("writes");
    let data = format!("@{}", file.display());
    for (target, expect) in EARLY {
        for more in [["--header", "Expect:"], ["--header", "Transfer-Encoding: chunked"]] {
            let url = format!("http://{}{target}", gateway.address);
            let shown = ["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}"];
            let got = status("curl", &[&shown[..], &more, &["--data-binary", &data, &url]].concat());
            assert_eq!(got, expect.to_string(), "{target} {more:?}");
        }
    }
    std::fs::remove_file(file).expect("removes");
}

/// Sends all of a body before it reads anything; every write succeeds.
fn send_first<S: std::io::Read + std::io::Write>(stream: S, target: &str, pause: Duration) -> u16 {
    let mut stream = stream;
    let length = 20 * MEBIBYTE;
    write!(stream, "POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").expect("takes the head");
    for _ in 0..20 {
        stream.write_all(&vec![b'x'; MEBIBYTE]).expect("takes the body");
        thread::sleep(pause);
    }
    Client::over(stream).answer().status
}

#[test]
fn a_client_that_sends_all_before_it_reads_gets_its_answer() {
    let upstream = refusing();
    let gateway = gateway(&upstream);
    for (target, expect) in EARLY {
        let stream = TcpStream::connect(gateway.address).expect("connects");
        assert_eq!(send_first(stream, target, Duration::ZERO), expect, "{target}");
    }
    // It takes 3 s.
    let stream = TcpStream::connect(gateway.address).expect("connects");
    assert_eq!(send_first(stream, "/refused", Duration::from_millis(150)), 403);
}

#[test]
fn over_tls_too() {
    let upstream = refusing();
    let authority = Authority::new("early");
    authority.write("a", &["a.test"]);
    let text = "[listener.default]\naddress = \"127.0.0.1:0\"\ntls = [{ certificate = \"a.pem\", key = \"a.key\" }]\n";
    let mut config = Config::parse(text, &authority.folder.join("proxy.toml")).expect("config");
    config.threads = 1;
    let gateway = Gateway::with(&upstream.rules(POLICIES), &config);
    let tls = Arc::new(authority.client_config());
    for (target, expect) in EARLY {
        let stream = handshake(gateway.address, "a.test", &tls).expect("a handshake");
        assert_eq!(send_first(stream, target, Duration::ZERO), expect, "{target}");
    }
}

#[test]
fn an_early_answer_that_no_buffers_hold_reaches_a_client_that_sends_first() {
    // The page for what is too large, by another request.
    let upstream = Upstream::start(|_, wire, seen| {
        if seen.read(wire).is_some() {
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 16 * MEBIBYTE));
            wire.send(vec![b'x'; 16 * MEBIBYTE]);
        }
    });
    let gateway =
        Gateway::start(&upstream.rules(
            "location / { body forward max=1m; error_page 413 /page; proxy up; } location = /page { proxy up; }",
        ));
    let stream = TcpStream::connect(gateway.address).expect("connects");
    assert_eq!(send_first(stream, "/", Duration::ZERO), 413);
    assert!(upstream.seen.requests()[0].starts_with("GET /page "));
}

/// A client that has its answer, and has not sent its body.
fn lingering(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.write_all(b"POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n").expect("takes it");
    let mut read = Vec::new();
    // The end of the answer is the end of what is sent.
    stream.read_to_end(&mut read).expect("an answer");
    assert!(read.starts_with(b"HTTP/1.1 403 "), "{}", String::from_utf8_lossy(&read));
    stream
}

/// Whether the other side has let go of it.
fn is_reset(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("nonblocking");
    (&*stream).write_all(b"x").is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
}

fn ending(total: Duration, idle: Duration) -> Config {
    let mut config = config();
    config.admin = Some(Address::Tcp("127.0.0.1:0".parse().expect("address")));
    (config.limits.linger_time_max, config.limits.linger_idle_max) = (total, idle);
    config
}

const LONG: Duration = Duration::from_secs(3600);

#[test]
fn the_defaults_are_those_of_nginx() {
    let limits = config().limits;
    assert_eq!((limits.linger_time_max, limits.linger_idle_max), (Duration::from_secs(30), Duration::from_secs(5)));
}

#[test]
fn a_client_that_sends_nothing_or_without_end_is_let_go_of() {
    let rules = refusing().rules(POLICIES);
    let gateway = Gateway::with(&rules, &ending(LONG, Duration::from_millis(300)));
    let silent = lingering(gateway.address);
    let handle = gateway.handle.as_ref().expect("runs");
    wait_until(|| admin_text(handle, "/metrics").contains("\nrulec_client_connections 0\n"));
    assert!(is_reset(&silent) || is_reset(&silent), "it had ended");
    let gateway = Gateway::with(&rules, &ending(Duration::from_millis(500), LONG));
    let endless = lingering(gateway.address);
    let began = Instant::now();
    wait_until(|| is_reset(&endless));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(gateway.stop().len(), 1);
}

#[test]
fn a_client_that_leaves_is_let_go_of() {
    let gateway = Gateway::with(&refusing().rules(POLICIES), &ending(LONG, LONG));
    drop(lingering(gateway.address));
    lingering(gateway.address).shutdown(Shutdown::Write).expect("shuts down");
    let handle = gateway.handle.as_ref().expect("runs");
    wait_until(|| admin_text(handle, "/metrics").contains("\nrulec_client_connections 0\n"));
}

#[test]
fn who_lingers_longest_is_reset_for_those_that_come() {
    let gateway = Gateway::with(&refusing().rules(POLICIES), &ending(LONG, LONG));
    let clients: Vec<_> = (0..1100).map(|_| lingering(gateway.address)).collect();
    wait_until(|| clients[..76].iter().all(is_reset));
    let stay = clients[76..].iter().filter(|client| !is_reset(client)).count();
    assert_eq!(stay, 1024);
    let handle = gateway.handle.as_ref().expect("runs");
    let metrics = admin_text(handle, "/metrics");
    assert!(metrics.contains("\nrulec_requests_in_flight 0\n"), "{metrics}");
    assert_eq!(gateway.ask("GET /read HTTP/1.1\r\nHost: a\r\n\r\n").text(), "read");
    // Stopping waits neither for those that are silent nor for those that send on.
    let began = Instant::now();
    assert_eq!(gateway.stop().len(), 1101);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn over_http2_the_answer_ends_and_the_rest_is_not_wanted() {
    let upstream = refusing();
    let gateway = Gateway::with(&upstream.rules(POLICIES), &http2_config());
    run(async {
        for (target, expect) in EARLY {
            let client = peers::Client::connect(gateway.address).await;
            let (response, mut stream) =
                client.sender.clone().ready().await.unwrap().send_request(post(target), false).unwrap();
            let body = Bytes::from(vec![b'x'; 20 * MEBIBYTE]);
            let sending = tokio::spawn(async move {
                send_all(&mut stream, body, true).await;
                core::future::poll_fn(|cx| stream.poll_reset(cx)).await
            });
            let answer = peers::whole(response.await.unwrap()).await.unwrap();
            assert_eq!(answer.status, expect, "{target}");
            // RFC 9113 8.1
            assert_eq!(sending.await.unwrap().unwrap(), h2::Reason::NO_ERROR, "{target}");
        }
    });
}
