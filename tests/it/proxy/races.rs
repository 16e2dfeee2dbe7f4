//! Connections that end at the worst moment: no GET fails for it, and nothing else is ever done twice.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use socket2::SockRef;

use super::harness::{Client, Gateway, PATIENCE, find};

/// Around this the server closes idle connections; for exactly this long the gateway keeps them.
const IDLE: Duration = Duration::from_millis(20);

/// Clients at once.
const CLIENTS: usize = 64;

/// A sequence of numbers that looks random; the seed makes it the same again.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % bound
    }

    fn index(&mut self, bound: u64) -> usize {
        usize::try_from(self.below(bound)).expect("an index")
    }

    /// Between 0.9 and 1.1 times [`IDLE`].
    fn about_idle(&mut self) -> Duration {
        IDLE * 9 / 10 + (IDLE / 5) * u32::try_from(self.below(10_000)).expect("below") / 10_000
    }
}

/// A server whose connections are each served by a function, given their number.
fn server(serve: impl Fn(u64, TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("address").port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for (number, socket) in (1..).zip(listener.incoming().flatten()) {
            let serve = Arc::clone(&serve);
            socket.set_nodelay(true).expect("nodelay");
            thread::spawn(move || serve(number, socket));
        }
    });
    port
}

/// Reads until the head and `Content-Length` octets are there, or as much as comes within `patience`.
fn request(socket: &mut TcpStream, patience: Duration) -> Option<Vec<u8>> {
    socket.set_read_timeout(Some(patience)).expect("timeout");
    let mut request = Vec::new();
    loop {
        let mut octets = [0; 4096];
        match socket.read(&mut octets) {
            Ok(0) => return None,
            Ok(read) => request.extend_from_slice(&octets[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
        if find(&request, b"\r\n\r\n").is_some_and(|end| request.len() >= end + 4 + length(&request)) {
            return Some(request);
        }
        socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
    }
}

fn length(request: &[u8]) -> usize {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    text.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok()).unwrap_or(0)
}

/// The target of the request whose beginning this is, once it is there.
fn target(request: &[u8]) -> Option<String> {
    let line = request.split(|&octet| octet == b'\r').next()?;
    let mut words = line.split(|&octet| octet == b' ');
    let (_, target, _) = (words.next()?, words.next()?, words.next()?);
    Some(String::from_utf8_lossy(target).into_owned())
}

fn from_environment(name: &str, unsaid: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(unsaid)
}

#[test]
fn b_06_idle_connections_that_close_at_random_cost_no_get_and_double_no_post() {
    let gets = from_environment("RULEC_RACE", 20_000);
    let delivered: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
    let (posts, closed) = (Arc::clone(&delivered), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&closed);
    let port = server(move |number, mut socket| {
        let mut dice = Dice::new(number);
        let mut patience = PATIENCE;
        while let Some(request) = request(&mut socket, patience) {
            if request.starts_with(b"POST ") {
                let target = target(&request).expect("a target");
                *posts.lock().expect("posts").entry(target).or_default() += 1;
            }
            if socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
                return;
            }
            patience = dice.about_idle();
        }
        count.fetch_add(1, Ordering::Relaxed);
    });
    let gateway = Gateway::start(&format!(
        "upstream up {{ server 127.0.0.1:{port}; keepalive 256 idle={}ms; }}
         service all default {{ location / {{ body forward; proxy up; }} }}",
        IDLE.as_millis()
    ));
    let (next, refused) = (AtomicUsize::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (gateway, next, refused) = (&gateway, &next, &refused);
            scope.spawn(move || race(gateway, number, gets, next, refused));
        }
    });
    let log = gateway.stop();
    let failed = |method: &str| {
        log.iter().filter(|line| line["method"] == method && line["status"] != 200).cloned().collect::<Vec<_>>()
    };
    assert_eq!(failed("GET"), Vec::<serde_json::Value>::new());
    for line in failed("POST") {
        assert_eq!(line["code"], "upstream.reused_connection_closed", "{line:#}");
    }
    let delivered = delivered.lock().expect("posts");
    let twice: Vec<_> = delivered.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    println!(
        "{gets} GETs, all answered; {} POSTs delivered, none twice, {} given up; {} connections ended",
        delivered.len(),
        refused.load(Ordering::Relaxed),
        closed.load(Ordering::Relaxed)
    );
}

/// Asks, then pauses for about as long as a connection is kept.
fn race(gateway: &Gateway, number: usize, gets: usize, next: &AtomicUsize, refused: &AtomicU64) {
    let mut client = gateway.client();
    let mut dice = Dice::new(1_000 + number as u64);
    loop {
        let id = next.fetch_add(1, Ordering::Relaxed);
        if id >= gets {
            return;
        }
        client.send(format!("GET /{id} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(client.answer().status, 200, "{id}");
        thread::sleep(dice.about_idle());
        if id.is_multiple_of(8) {
            client.send(format!("POST /{id} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"));
            let answer = client.answer();
            if answer.status != 200 {
                refused.fetch_add(1, Ordering::Relaxed);
            }
            // Of a POST that failed, the body may not have been read.
            if answer.header("connection").is_some_and(|value| value == "close") {
                client = gateway.client();
            }
            thread::sleep(dice.about_idle());
        }
    }
}

/// How often the beginning of a request came to any server, by its target.
type Deliveries = Arc<Mutex<HashMap<String, u32>>>;

/// Serves some requests, and dies in one of the ways there are.
fn dies(mut dice: Dice, mut socket: TcpStream, deliveries: &Deliveries) {
    loop {
        let fate = dice.below(12);
        if fate == 0 {
            return;
        }
        let mut request = Vec::new();
        let whole = loop {
            let mut octets = [0; 512];
            let Ok(read @ 1..) = socket.read(&mut octets) else { break false };
            let known = target(&request).is_some();
            request.extend_from_slice(&octets[..read]);
            if let (false, Some(target)) = (known, target(&request)) {
                *deliveries.lock().expect("deliveries").entry(target).or_default() += 1;
            }
            // Within the head or the body.
            if fate == 1 || (fate == 2 && request.len() > 2_000) {
                break false;
            }
            if find(&request, b"\r\n\r\n").is_some_and(|end| request.len() >= end + 4 + length(&request)) {
                break true;
            }
        };
        if dice.below(2) == 0 && fate < 6 {
            SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("linger");
        }
        let answer = match fate {
            _ if !whole => return,
            3 => "",
            4 => "HTTP/1.1 200 OK\r\nContent-",
            5 => "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbroken",
            _ => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole",
        };
        // Some of the good ones end the connection without saying so.
        if socket.write_all(answer.as_bytes()).is_err() || fate < 7 {
            return;
        }
    }
}

#[test]
fn b_02_nothing_that_is_not_idempotent_is_sent_twice_wherever_a_server_dies() {
    let deliveries = Deliveries::default();
    let servers: Vec<String> = (0..3)
        .map(|index| {
            let deliveries = Arc::clone(&deliveries);
            let port = server(move |number, socket| {
                socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
                dies(Dice::new(number * 3 + index), socket, &deliveries);
            });
            format!("server 127.0.0.1:{port};")
        })
        .collect();
    // The fourth is never there: some connect in vain first.
    let gateway = Gateway::start(&format!(
        "upstream up {{ {} server 127.0.0.1:1; keepalive 64; max_fails 0; }}
         service all default {{ location / {{ method DELETE {{ body forward max=64k; }} body forward; proxy up; }} }}",
        servers.join(" ")
    ));
    let asked = from_environment("RULEC_RETRIES", 6_000) / 8;
    thread::scope(|scope| {
        for number in 0..8 {
            let gateway = &gateway;
            scope.spawn(move || {
                let mut dice = Dice::new(77 + number);
                let mut client = gateway.client();
                for index in 0..asked {
                    if !ask_one(&mut client, &mut dice, &format!("{number}-{index}")) {
                        client = gateway.client();
                    }
                }
            });
        }
    });
    let deliveries = deliveries.lock().expect("deliveries");
    let most = |target: &str| if target.starts_with("/once/") { 1 } else { 5 };
    let beyond: Vec<_> = deliveries.iter().filter(|(target, times)| **times > most(target)).collect();
    assert!(beyond.is_empty(), "sent too often: {beyond:?}");
    let twice = deliveries.values().filter(|times| **times > 1).count();
    assert!(twice > 0 && deliveries.len() > asked, "{twice} of {} were sent again", deliveries.len());
}

/// One request; false where the connection has ended.
fn ask_one(client: &mut Client, dice: &mut Dice, id: &str) -> bool {
    let methods = ["POST", "PATCH", "BREW", "LOCK", "GET", "PUT", "DELETE", "OPTIONS"];
    let method = methods[dice.index(8)];
    let safe = ["GET", "PUT", "DELETE", "OPTIONS"].contains(&method);
    let folder = if safe { "again" } else { "once" };
    let octets = if method == "GET" || method == "OPTIONS" { 0 } else { [0, 5, 9_000][dice.index(3)] };
    let head = format!("{method} /{folder}/{id} HTTP/1.1\r\nHost: a\r\nContent-Length: {octets}\r\n\r\n");
    let body = vec![b'x'; octets];
    if dice.below(4) == 0 {
        // In parts, so that the body may be half sent when the server dies.
        client.send(head);
        for part in body.chunks(3_001) {
            thread::yield_now();
            client.send(part);
        }
    } else {
        client.send([head.as_bytes(), &body].concat());
    }
    match client.read_answer(false) {
        None => false,
        Some(answer) if !answer.whole => false,
        Some(answer) => {
            assert!(answer.status != 200 || answer.text() == "whole", "{answer:?}");
            answer.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close"))
        }
    }
}
