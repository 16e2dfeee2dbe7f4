//! Clients that leave: it is noticed at once, whatever they have sent and nobody has read, and the log says so and nothing
//! else.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::{Read as _, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use rulec::proxy::Config;
use socket2::SockRef;

use super::harness::{Client, Gateway, PATIENCE, Upstream, config, find, wait_until};
use super::http2::peers::{self, Server, http2_config, post, run, send_all};
use super::identity::{Authority, handshake};

/// Nobody's timer is as short.
const AT_ONCE: Duration = Duration::from_secs(4);

/// More than all buffers hold between here and there.
const OCTETS: usize = 16 << 20;

/// Octets that are sent at once.
const PART: usize = 0x4000;

/// Less than what the kernel keeps of a client that nobody reads: the end of what it sends has room.
const UNREAD: usize = 32 * 1024;

/// How a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Reset,
    Finish,
    Close,
}

const WAYS: [Way; 3] = [Way::Reset, Way::Finish, Way::Close];

/// A server that reads a head and nothing behind it, and says when the gateway has let go.
struct Holding {
    upstream: Upstream,
    release: Arc<AtomicBool>,
    ended: Arc<AtomicBool>,
}

impl Holding {
    fn start() -> Self {
        let (release, ended) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let flags = [&release, &ended].map(Arc::clone);
        let upstream = Upstream::narrow(move |_, wire, _| {
            wire.head();
            // Longer than a busy machine takes to fill what the kernel keeps.
            let began = Instant::now();
            while !flags[0].load(Ordering::SeqCst) && began.elapsed() < Duration::from_secs(60) {
                thread::sleep(Duration::from_millis(5));
            }
            drop(wire.stream.read_to_end(&mut Vec::new()));
            flags[1].store(true, Ordering::SeqCst);
        });
        Self { upstream, release, ended }
    }

    fn rules(&self) -> String {
        self.upstream.rules("body forward; location / { proxy up; }")
    }

    /// The one request of `gateway` has ended since `left`, and has let go of its server.
    fn check(&self, gateway: Gateway, left: Instant, what: &str) {
        wait_until(|| !gateway.lines().is_empty());
        assert!(left.elapsed() < AT_ONCE, "{what}: {:?}", left.elapsed());
        self.release.store(true, Ordering::SeqCst);
        wait_until(|| self.ended.load(Ordering::SeqCst));
        check_line(gateway, what);
    }
}

fn check_line(gateway: Gateway, what: &str) {
    let lines = gateway.stop();
    assert_eq!(lines.len(), 1, "{what}: {lines:#?}");
    let line = &lines[0];
    assert_eq!((&line["outcome"], &line["status"]), (&"aborted".into(), &499.into()), "{what}: {line:#}");
    assert_eq!(line["code"], "request.client_left", "{what}: {line:#}");
    assert!(line["failure"].is_null(), "{what}: {line:#}");
}

/// Sends an upload until nobody reads it any more; there is room for the end of it yet.
fn upload(socket: &TcpStream, mut stream: impl Write, head: &str) {
    stream.write_all(format!("POST / HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n").as_bytes()).expect("takes the head");
    let part = [&b"4000\r\n"[..], &[b'x'; PART], b"\r\n"].concat();
    let part = if head.contains("chunked") { &part } else { &part[6..PART + 6] };
    let waits = || {
        let before = unread(socket);
        thread::sleep(Duration::from_millis(20));
        before >= UNREAD && unread(socket) >= before
    };
    while unread(socket) < UNREAD || !waits() {
        stream.write_all(part).expect("takes a part");
    }
}

/// What the kernel keeps of what was sent on `socket` and not read at the other side.
fn unread(socket: &TcpStream) -> usize {
    let (here, there) = (socket.local_addr().expect("address"), socket.peer_addr().expect("address"));
    let ports = [there, here].map(|address| format!("{:04X}", address.port()));
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let row = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).find(|row| {
        let is_port = |at: usize, port: &str| row.get(at).is_some_and(|address| address.ends_with(port));
        is_port(1, &format!(":{}", ports[0])) && is_port(2, &format!(":{}", ports[1]))
    });
    let queue = row.and_then(|row| usize::from_str_radix(row.get(4)?.split_once(':')?.1, 16).ok());
    queue.unwrap_or(0)
}

/// Clients leave before `gateway` in each way; `connect` gives a connection, and what is spoken over it.
fn check_uploads<S: Write>(gateway: impl Fn(&str) -> Gateway, connect: impl Fn(&Gateway) -> (TcpStream, S)) {
    for head in ["Content-Length: 100000000", "Transfer-Encoding: chunked"] {
        for way in WAYS {
            let holding = Holding::start();
            let gateway = gateway(&holding.rules());
            let (socket, mut stream) = connect(&gateway);
            upload(&socket, &mut stream, head);
            leave(&socket, way);
            drop(stream);
            let stays = (way == Way::Finish).then_some(socket);
            holding.check(gateway, Instant::now(), &format!("{way:?} {head}"));
            drop(stays);
        }
    }
}

fn leave(socket: &TcpStream, way: Way) {
    match way {
        Way::Reset => SockRef::from(socket).set_linger(Some(Duration::ZERO)).expect("linger"),
        Way::Finish => socket.shutdown(Shutdown::Write).expect("shuts down"),
        Way::Close => {}
    }
}

#[test]
fn an_upload_that_waits() {
    check_uploads(Gateway::start, |gateway| {
        let socket = TcpStream::connect(gateway.address).expect("connects");
        let stream = socket.try_clone().expect("clones");
        (socket, stream)
    });
}

#[test]
fn an_upload_that_waits_over_tls() {
    let authority = Authority::new("departures");
    authority.write("a", &["a.test"]);
    let text = "[listener.default]\naddress = \"127.0.0.1:0\"\ntls = [{ certificate = \"a.pem\", key = \"a.key\" }]\n";
    let mut config = Config::parse(text, &authority.folder.join("proxy.toml")).expect("config");
    config.threads = 1;
    let tls = Arc::new(authority.client_config());
    check_uploads(
        |rules| Gateway::with(rules, &config),
        |gateway| {
            let stream = handshake(gateway.address, "a.test", &tls).expect("a handshake");
            (stream.sock.try_clone().expect("clones"), stream)
        },
    );
}

#[test]
fn an_upload_that_does_not_wait() {
    for way in WAYS {
        let upstream = Upstream::start(|_, wire, _| drop(wire.request()));
        let gateway = Gateway::start(&upstream.rules("body forward; location / { proxy up; }"));
        let mut socket = TcpStream::connect(gateway.address).expect("connects");
        socket.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf").expect("takes it");
        wait_until(|| upstream.connections() == 1);
        leave(&socket, way);
        let stays = (way == Way::Finish).then_some(socket);
        wait_until(|| !gateway.lines().is_empty());
        check_line(gateway, &format!("{way:?}"));
        drop(stays);
    }
}

#[test]
fn behind_requests_that_nobody_has_read() {
    for way in WAYS {
        let holding = Holding::start();
        let gateway = Gateway::start(&holding.rules());
        let mut socket = TcpStream::connect(gateway.address).expect("connects");
        socket.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect("takes it");
        socket.write_all(&b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2_000)).expect("takes them");
        wait_until(|| holding.upstream.connections() == 1);
        leave(&socket, way);
        let stays = (way == Way::Finish).then_some(socket);
        holding.check(gateway, Instant::now(), &format!("{way:?}"));
        drop(stays);
    }
}

/// The client sends what `request` says, leaves once it `is_there`, so many times, and that is noticed.
fn check_waiting(rules: &str, config: &Config, is_there: impl Fn(usize) -> bool) {
    // As much as the kernel takes of it before it is read.
    let body = "x".repeat(50_000);
    let mut times = 0;
    for request in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{body}"),
    ] {
        for way in WAYS {
            times += 1;
            let gateway = Gateway::with(rules, config);
            let mut socket = TcpStream::connect(gateway.address).expect("connects");
            socket.write_all(request.as_bytes()).expect("takes it");
            wait_until(|| is_there(times));
            leave(&socket, way);
            let (left, stays) = (Instant::now(), (way == Way::Finish).then_some(socket));
            wait_until(|| !gateway.lines().is_empty());
            assert!(left.elapsed() < AT_ONCE, "{way:?} {:?}", left.elapsed());
            check_line(gateway, &format!("{way:?}"));
            drop(stays);
        }
    }
}

#[test]
fn while_a_name_is_looked_up() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("binds");
    let mut config = config();
    config.dns = vec![silent.local_addr().expect("address")];
    check_waiting(
        "upstream up { server nowhere.test:80; timeout dns=60s; }
         service all default { body forward; location / { proxy up; } }",
        &config,
        |_| silent.peek_from(&mut [0; 512]).is_ok(),
    );
}

#[test]
fn while_a_connection_is_waited_for() {
    // Its queue is full: the kernel answers nobody else.
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    listener.bind(&"127.0.0.1:0".parse::<core::net::SocketAddr>().expect("address").into()).expect("binds");
    listener.listen(0).expect("listens");
    let address = listener.local_addr().expect("address").as_socket().expect("of TCP");
    let fill: Vec<_> = core::iter::from_fn(|| TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok())
        .take(16)
        .collect();
    let rules = format!(
        "upstream up {{ server {address}; timeout connect=60s; }}
         service all default {{ body forward; location / {{ proxy up; }} }}"
    );
    check_waiting(&rules, &config(), |_| true);
    drop(fill);
}

#[test]
fn while_a_server_of_http2_says_nothing() {
    let upstream = Upstream::start(|_, wire, _| {
        let mut octets = Vec::new();
        drop(wire.stream.read_to_end(&mut octets));
    });
    let rules = format!(
        "upstream up {{ server 127.0.0.1:{}; protocol http2; }}
         service all default {{ body forward; location / {{ proxy up; }} }}",
        upstream.port
    );
    check_waiting(&rules, &config(), |times| upstream.connections() >= times);
}

#[test]
fn over_http2_a_stream_or_the_connection() {
    for resets in [true, false] {
        let holding = Holding::start();
        let gateway = Gateway::with(&holding.rules(), &http2_config());
        run(async {
            let stream = tokio::net::TcpStream::connect(gateway.address).await.expect("connects");
            let (sender, connection) = h2::client::handshake(stream).await.expect("a handshake");
            let driven = tokio::spawn(connection);
            let client = peers::Client { sender };
            let (_response, mut stream) =
                client.sender.clone().ready().await.unwrap().send_request(post("/"), false).unwrap();
            // Until there is no more room.
            let sent = send_all(&mut stream, Bytes::from(vec![b'x'; OCTETS]), true);
            tokio::time::timeout(Duration::from_millis(500), sent).await.expect_err("it is not taken");
            if resets {
                stream.send_reset(h2::Reason::CANCEL);
                let upstream = &holding.upstream;
                tokio::task::yield_now().await;
                assert_eq!(upstream.connections(), 1);
            } else {
                driven.abort();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        });
        holding.check(gateway, Instant::now(), if resets { "a stream" } else { "the connection" });
    }
}

#[test]
fn before_a_server_of_http2_an_upload_that_waits() {
    for way in WAYS {
        let reset = Arc::<AtomicBool>::default();
        let seen = Arc::clone(&reset);
        let server = Server::start(move |_, _request, mut respond| {
            let seen = Arc::clone(&seen);
            async move {
                let reason = core::future::poll_fn(|cx| respond.poll_reset(cx)).await;

                seen.store(reason.ok() == Some(h2::Reason::CANCEL), Ordering::SeqCst);
            }
        });
        let gateway = Gateway::start(&server.rules("body forward; location / { proxy up; }"));
        let socket = TcpStream::connect(gateway.address).expect("connects");
        // More than a window, less than what waits before it.
        let mut stream = &socket;
        stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n").expect("takes it");
        stream.write_all(&vec![b'x'; 110_000]).expect("takes it");
        wait_until(|| server.requests.load(Ordering::SeqCst) == 1);
        leave(&socket, way);
        let (left, stays) = (Instant::now(), (way == Way::Finish).then_some(socket));
        wait_until(|| reset.load(Ordering::SeqCst));
        assert!(left.elapsed() < AT_ONCE);
        wait_until(|| !gateway.lines().is_empty());
        check_line(gateway, &format!("{way:?}"));
        drop(stays);
    }
}

#[test]
fn a_client_that_has_sent_all_has_its_request_carried_out() {
    // It sends nothing more, and what it sent waits in buffers: its request is whole.
    let whole = Arc::<AtomicBool>::default();
    let seen = Arc::clone(&whole);
    let body = 2 << 20;
    let upstream = Upstream::narrow(move |_, wire, _| {
        wire.head();
        // The client has finished long before.
        thread::sleep(Duration::from_secs(2));
        seen.store(wire.request().is_some_and(|request| request.len() > body), Ordering::SeqCst);
    });
    let gateway = Gateway::start(
        &upstream.rules("body forward; location / { proxy up; } location /own { body strip; return 200 own; }"),
    );
    let mut client = gateway.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {body}\r\n\r\n"));
    client.send(vec![b'x'; body]);
    client.finish();
    wait_until(|| whole.load(Ordering::SeqCst));
    for request in
        ["GET /own HTTP/1.1\r\nHost: a\r\n\r\n", "POST /own HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"]
    {
        let mut client: Client = gateway.client();
        client.send(request);
        client.finish();
        assert!(find(&client.rest(), b"own").is_some(), "{request}");
    }
}

#[test]
fn the_gateways_own_end_is_no_clients_leaving() {
    let upstream = Upstream::start(|_, wire, _| {
        wire.head();
        thread::sleep(PATIENCE);
    });
    let mut config = config();
    config.limits.stop_time_max = Duration::from_millis(100);
    let gateway = Gateway::with(&upstream.rules("location / { proxy up; }"), &config);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_until(|| upstream.connections() == 1);
    let lines = gateway.stop();
    assert_eq!((&lines[0]["outcome"], lines[0]["code"].is_null()), (&"aborted".into(), true), "{lines:#?}");
}
