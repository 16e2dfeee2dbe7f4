//! An answer has begun once its head was accepted: what came of it goes out, and then it breaks off.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use h2::Reason;
use rulec::proxy::Config;
use serde_json::Value;

use super::harness::{Client, Gateway, PATIENCE, Upstream, config, wait_until};
use super::http2::peers::{self, http2_config};
use super::identity::{Authority, handshake};
use super::process::Folder;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const GET_OLD: &str = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";

/// Answers that break off behind `hello`, with the codes of why.
const BROKEN: [(&str, &str); 6] = [
    ("HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\nhello", "upstream.body.truncated"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7b\r\nhello", "upstream.body.truncated"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "upstream.body.truncated"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n", "upstream.body.truncated"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", "upstream.body.malformed"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloworld", "upstream.body.malformed"),
];

/// Sends all of `answer` at once and closes.
fn at_once(answer: &'static str) -> Upstream {
    Upstream::start(move |_, wire, seen| {
        if seen.read(wire).is_some() {
            wire.send(answer);
        }
    })
}

/// Sends `answer` once the client has its head, and closes.
fn after_the_head(answer: &'static str) -> Upstream {
    let (head, body) = answer.split_at(answer.find("\r\n\r\n").expect("a head") + 4);
    Upstream::start(move |_, wire, seen| {
        if seen.read(wire).is_some() {
            wire.send(head);
            wait_until(|| seen.released.load(Ordering::SeqCst));
            wire.send(body);
        }
    })
}

/// The line of the only request has what the client saw.
fn check_line(gateway: Gateway, code: &str) {
    let lines = gateway.stop();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let line = &lines[0];
    let said = (&line["status"], &line["octets_out"], &line["code"], &line["outcome"]);
    assert_eq!(said, (&200.into(), &5.into(), &code.into(), &"proxy".into()), "{line:#}");
}

#[test]
fn head_and_what_came_arrive_together_with_the_fault() {
    for (answer, code) in BROKEN {
        for (request, version) in [(GET, "HTTP/1.1"), (GET_OLD, "HTTP/1.0")] {
            let upstream = at_once(answer);
            let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
            let mut client = gateway.client();
            client.send(request);
            let got = String::from_utf8(client.rest()).expect("text");
            assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.contains("hello"), "{version} {answer}: {got}");
            assert!(!got.ends_with("0\r\n\r\n"), "{version} {answer}: {got}");
            check_line(gateway, code);
        }
    }
}

#[test]
fn a_fault_that_comes_later_breaks_off_what_the_client_reads() {
    for (answer, code) in BROKEN {
        let upstream = after_the_head(answer);
        let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
        let mut client = gateway.client();
        client.send(GET);
        client.some();
        upstream.seen.released.store(true, Ordering::SeqCst);
        let answer = client.answer();
        assert!(answer.status == 200 && !answer.whole, "{answer:?}");
        check_line(gateway, code);
    }
}

#[test]
fn a_reset_and_a_stop_are_no_ends_either() {
    let sized = "HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\nhello";
    // What it has not read makes the kernel reset: the last byte of the request.
    let resets = Upstream::start(move |_, wire, _| {
        let mut octets = [0; 32];
        if wire.stream.read_exact(&mut octets).is_ok() {
            wire.send(sized);
        }
    });
    let stops = Upstream::start(move |_, wire, seen| {
        if seen.read(wire).is_some() {
            wire.send(sized);
            seen.read(wire);
        }
    });
    for (upstream, words, code) in
        [(&resets, "", "upstream.body.truncated"), (&stops, "timeout idle=300ms;", "upstream.body.timeout")]
    {
        let rules = format!(
            "upstream up {{ server 127.0.0.1:{}; {words} }} service all default {{ location / {{ proxy up; }} }}",
            upstream.port
        );
        let gateway = Gateway::start(&rules);
        let answer = gateway.ask(GET);
        assert_eq!((answer.status, answer.text().as_str(), answer.whole), (200, "hello", false));
        check_line(gateway, code);
    }
}

#[test]
fn clients_over_tls_see_it_too() {
    let authority = Authority::new("begun");
    authority.write("a", &["a.test"]);
    let text = "[listener.a]\naddress = \"127.0.0.1:0\"\ntls = [{ certificate = \"a.pem\", key = \"a.key\" }]\n";
    let mut secure = Config::parse(text, &authority.folder.join("proxy.toml")).expect("config");
    secure.threads = 1;
    let trusting = Arc::new(authority.client_config());
    for (answer, code) in BROKEN {
        let upstream = at_once(answer);
        let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &secure);
        let mut client = Client::over(handshake(gateway.address, "a.test", &trusting).expect("a handshake"));
        client.send(GET);
        let got = String::from_utf8(client.rest()).expect("text");
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.contains("hello"), "{answer}: {got}");
        check_line(gateway, code);
    }
}

/// What a client of HTTP/2 sees: status, body, and why the stream ended.
async fn broken_stream(gateway: &Gateway) -> (u16, String, Option<Reason>) {
    let client = peers::Client::connect(gateway.address).await;
    let response = client.begin(peers::get("/"), None).await.expect("a head");
    let (status, mut stream, mut body) = (response.status().as_u16(), response.into_body(), Vec::new());
    loop {
        match stream.data().await {
            Some(Ok(data)) => body.extend_from_slice(&data),
            Some(Err(error)) => return (status, String::from_utf8(body).expect("text"), error.reason()),
            None => return (status, String::from_utf8(body).expect("text"), None),
        }
    }
}

#[test]
fn clients_of_http2_get_headers_and_data_before_the_reset() {
    for (answer, code) in BROKEN {
        let upstream = at_once(answer);
        let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &http2_config());
        let seen = peers::run(broken_stream(&gateway));
        assert_eq!(seen, (200, "hello".to_owned(), Some(Reason::INTERNAL_ERROR)), "{answer}");
        check_line(gateway, code);
    }
}

/// Whoever reads until the end of the connection must see that it is none.
#[test]
fn where_only_the_end_of_the_connection_tells_it_is_a_reset() {
    for (answer, code) in BROKEN.into_iter().skip(1) {
        let upstream = at_once(answer);
        let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
        let mut socket = TcpStream::connect(gateway.address).expect("connects");
        socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
        socket.write_all(GET_OLD.as_bytes()).expect("sent");
        let mut got = Vec::new();
        let error = socket.read_to_end(&mut got).expect_err("no end");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{answer}");
        assert!(got.ends_with(b"\r\n\r\nhello"), "{answer}: {}", String::from_utf8_lossy(&got));
        check_line(gateway, code);
    }
}

/// A page stands in until the head was accepted, and not afterwards.
#[test]
fn an_error_page_stands_in_only_for_an_answer_that_has_not_begun() {
    let pages = "error_page 502 /sorry; location = /sorry { return 200 sorry; } location / { proxy up; }";
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 123\r\n", (502, "sorry")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 123\r\nContent-Length: 4\r\n\r\nhello", (502, "sorry")),
        ("HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\nhello", (200, "hello")),
        ("HTTP/1.1 500 Oh\r\nContent-Length: 123\r\n\r\n", (500, "")),
    ] {
        let upstream = at_once(answer);
        let gateway = Gateway::start(&upstream.rules(pages));
        let seen = gateway.ask(GET);
        assert_eq!((seen.status, seen.text().as_str()), expected, "{answer}");
        assert_eq!(seen.whole, expected.1 == "sorry", "{answer}");
    }
}

#[test]
fn answers_without_a_body_are_whole_whatever_their_length_says() {
    for (request, answer) in [
        ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\n"),
        (GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 123\r\n\r\n"),
        (GET, "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (GET, "HTTP/1.1 204 No Content\r\n\r\n"),
    ] {
        let upstream = at_once(answer);
        let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
        let mut client = gateway.client();
        client.send(request);
        let seen = client.head_answer();
        client.send(request);
        assert!(client.read_answer(true).is_some(), "{answer}: the connection goes on");
        assert!(seen.status < 400, "{seen:?}");
        assert!(gateway.stop().iter().all(|line| line["code"].is_null()), "{answer}");
    }
}

/// A close with unread bytes is a reset, which takes from a client what it has not read yet.
#[test]
fn what_the_client_still_sends_does_not_take_the_part_from_it() {
    let upstream = Upstream::start(|_, wire, _| {
        // Before the body is there.
        let mut octets = [0; 4096];
        if wire.stream.read(&mut octets).is_ok_and(|read| read > 0) {
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\nhello");
        }
    });
    let gateway = Gateway::start(&upstream.rules("location / { body forward max=64m; proxy up; }"));
    let mut client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
    client.send(vec![b'x'; 200_000]);
    let answer = client.answer();
    assert_eq!((answer.status, answer.text().as_str(), answer.whole), (200, "hello", false));
}

#[test]
fn the_log_counts_what_a_client_took_and_not_what_came_for_it() {
    const BODY: u64 = 64 << 20;
    let upstream = Upstream::start(|_, wire, seen| {
        if seen.read(wire).is_some() {
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n"));
            let piece = vec![b'x'; 1 << 20];
            while wire.stream.write_all(&piece).is_ok() {}
            seen.released.store(true, Ordering::SeqCst);
        }
    });
    let mut impatient = config();
    impatient.limits.client_write_idle_max = Duration::from_millis(500);
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &impatient);
    let mut client = TcpStream::connect(gateway.address).expect("connects");
    client.set_read_timeout(Some(PATIENCE)).expect("timeout");
    client.write_all(GET.as_bytes()).expect("sent");
    // The gateway gives up; what the kernel had taken is still to be read.
    wait_until(|| upstream.seen.released.load(Ordering::SeqCst));
    let mut got = Vec::new();
    let ended = client.read_to_end(&mut got);
    let head = got.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let lines = gateway.stop();
    let counted = lines[0]["octets_out"].as_u64().expect("a number");
    assert_eq!(lines[0]["code"], "request.answer_timeout", "{ended:?} {lines:#?}");
    assert_eq!(counted, (got.len() - head) as u64, "{ended:?}");
    assert!(counted < BODY);
}

/// A real nginx before `upstream`.
struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    fn start(folder: &Folder, upstream: &Upstream) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {kind};"))
            .concat();
        let pass = format!("proxy_pass http://127.0.0.1:{}; proxy_http_version 1.1;", upstream.port);
        let server = format!("server {{ listen 127.0.0.1:{port}; location / {{ {pass} }} }}");
        let text = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log; events {{}}
             http {{ access_log off; {temporary} {server} }}"
        );
        folder.write("nginx.conf", text);
        fs::create_dir_all(folder.0.join("proxy")).expect("folder");
        let child = Command::new("nginx")
            .env("PATH", "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
            .args(["-p", &format!("{}/", folder.0.display()), "-c", "nginx.conf", "-e", "error.log"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { child, port }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn nginx_gives_its_clients_as_much() {
    for (at, (answer, _)) in BROKEN.into_iter().take(3).enumerate() {
        let (folder, upstream) = (Folder::new(&format!("begun-{at}")), at_once(answer));
        let nginx = Nginx::start(&folder, &upstream);
        let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
        let ask = |port: u16| {
            let mut client = Client::connect(([127, 0, 0, 1], port).into());
            client.send(GET);
            let seen = client.answer();
            (seen.status, seen.whole, seen.text())
        };
        let (theirs, ours) = (ask(nginx.port), ask(gateway.address.port()));
        assert_eq!(ours, theirs, "{answer}");
    }
}

#[test]
fn interim_answers_carry_no_framing() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\
        Connection: x-own\r\nX-Own: 1\r\nKeep-Alive: timeout=1\r\nTrailer: x\r\nUpgrade: x\r\nContent_Length: 5\r\n\r\n";
    // Content-Length beside Transfer-Encoding is refused whatever the status; each alone is not.
    for left_out in ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"] {
        let interim = interim.replacen(left_out, "", 1);
        let upstream = Upstream::fixed(format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfin"));
        let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
        let mut client = gateway.client();
        client.send(GET);
        let first = client.read_any(false).expect("an interim answer");
        let lines: Vec<&str> = first.head.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["HTTP/1.1 103 Early Hints", "Link: </a>"], "{left_out}");
        assert_eq!(client.answer().text(), "fin");
        let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &http2_config());
        let answer = peers::run(async {
            peers::Client::connect(gateway.address).await.ask(peers::get("/")).await.expect("an answer")
        });
        assert_eq!((answer.status, answer.text().as_str()), (200, "fin"), "{left_out}");
    }
}

/// Of what the log says, for a test's own words.
fn code(line: &Value) -> &str {
    line["code"].as_str().unwrap_or_default()
}

#[test]
fn an_answer_that_asks_for_a_file_is_502_where_the_rules_drop_the_field() {
    for field in ["X-Accel-Redirect: /files/a", "x-accel-redirect: @named", "X-Sendfile: /etc/passwd"] {
        let answer = format!("HTTP/1.1 200 OK\r\n{field}\r\nContent-Length: 0\r\n\r\n");
        let upstream = Upstream::fixed(answer);
        let drops = "drop response header X-Accel-*; drop response header X-Sendfile;";
        let rules = upstream.rules(&format!(
            "location /hidden {{ {drops} proxy up; }} location /paged {{ {drops} error_page 502 /sorry; proxy up; }}
             location = /sorry {{ return 200 sorry; }} location / {{ proxy up; }}"
        ));
        let gateway = Gateway::start(&rules);
        let ask = |path: &str| gateway.ask(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let hidden = ask("/hidden");
        let has_field = |answer: &super::harness::Answer| {
            let head = answer.head.to_ascii_lowercase();
            head.contains("x-accel") || head.contains("x-sendfile")
        };
        assert_eq!((hidden.status, hidden.code().as_str()), (502, "upstream.response.accel_redirect"), "{field}");
        assert!(!has_field(&hidden), "{hidden:?}");
        let paged = ask("/paged");
        assert_eq!((paged.status, paged.text().as_str()), (502, "sorry"));
        let passed = ask("/passed");
        assert!(passed.status == 200 && has_field(&passed), "{passed:?}");
        let lines = gateway.stop();
        assert_eq!(lines.iter().map(code).collect::<Vec<_>>()[2], "", "{lines:#?}");
        assert!(lines[..2].iter().all(|line| code(line) == "upstream.response.accel_redirect"), "{lines:#?}");
        assert_eq!(lines[0]["outcome"], "fail");
    }
}

#[test]
fn fields_of_x_accel_that_ask_for_nothing_are_only_dropped() {
    let upstream = Upstream::fixed("HTTP/1.1 200 OK\r\nX-Accel-Buffering: no\r\nContent-Length: 2\r\n\r\nok");
    let gateway = Gateway::start(&upstream.rules("location / { drop response header X-Accel-*; proxy up; }"));
    let answer = gateway.ask(GET);
    assert_eq!((answer.status, answer.text().as_str(), answer.header("x-accel-buffering")), (200, "ok", None));
}

/// Half-closed or not, a client that has the whole of its answer has no break.
#[test]
fn answers_that_end_as_their_framing_says_are_whole() {
    let upstream = at_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
    let mut socket = TcpStream::connect(gateway.address).expect("connects");
    socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
    socket.write_all(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n").expect("sent");
    let mut got = String::new();
    socket.read_to_string(&mut got).expect("an end, and no reset");
    assert!(got.ends_with("\r\n\r\nhello"), "{got}");
    drop(socket.shutdown(Shutdown::Both));
}
