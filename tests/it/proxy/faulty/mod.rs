//! Every fault of an upstream, for real: what the client sees, what the log says, and nothing else.

mod asking;
mod catalogue;
mod clients;
mod frames;
mod handshakes;
mod openssl;
mod pings;
mod reach;
mod rows;
mod rows_http2;
mod server;
mod tables;

use core::fmt::Write as _;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use rulec::proxy::Config;
use serde_json::Value;

use self::asking::{Protocol, Seen};
use self::rows::{NAME, Request, Row};
use self::server::Server;
use super::harness::{Gateway, Upstream};
use super::identity::Authority;

/// How often each fault is met, at once.
const REPETITIONS: usize = 25;

/// Faults that are tried at the same time.
const AT_ONCE: usize = 2;

/// How much later than its timer a fault may be noticed while two cores do all this.
const LATE: f64 = 3_000.0;

/// A gateway before faulty servers, and a good one for bystanders.
struct Table {
    rows: Vec<Row>,
    servers: Vec<Server>,
    gateway: Gateway,
    protocol: Protocol,
}

/// What clients speak with the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clients {
    Http1,
    Http1Tls,
    Http2,
    Http2Tls,
}

impl Table {
    /// `words`: those of upstreams that stand in no row's own.
    fn start(mut rows: Vec<Row>, authority: &Authority, clients: Clients, words: &str) -> Self {
        let good = Upstream::start(|_, wire, _| {
            while wire.request().is_some() {
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
            }
        });
        let mut rules = format!("upstream good {{ server 127.0.0.1:{}; }}\n", good.port);
        let mut locations = "location /good { proxy good; }\n".to_owned();
        let (mut text, protocol) = listeners(authority, clients);
        let mut servers = Vec::new();
        for (index, row) in rows.iter_mut().enumerate() {
            let serve = core::mem::replace(&mut row.serve, Box::new(drop));
            let server = Server::start(serve);
            let words = if row.words.is_empty() { words } else { &row.words };
            row.shares = words.contains("http2") && !row.one_by_one;
            let address = row.at.clone().unwrap_or_else(|| format!("127.0.0.1:{}", server.port));
            let timers = row.timers();
            writeln!(rules, "upstream r{index} {{ server {address}; {words} {timers} }}").expect("writes");
            writeln!(locations, "location /r{index}/ {{ body forward max=64m; proxy r{index}; }}").expect("writes");
            if words.contains("tls") {
                writeln!(text, "[upstream.r{index}]\ntls = {{ ca = \"ca.pem\" }}").expect("writes");
            }
            servers.push(server);
        }
        let mut config = Config::parse(&text, &authority.folder.join("proxy.toml")).expect("config");
        config.threads = 1;
        config.dns = rows.iter().find_map(|row| row.asks).into_iter().collect();
        let gateway = Gateway::with(&format!("{rules}service all default {{\n{locations}}}\n"), &config);
        Self { rows, servers, gateway, protocol }
    }

    /// Meets every fault, with bystanders, and checks all that is to be seen of it.
    fn check(self) {
        let all = Mutex::new(BTreeMap::new());
        let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let bystanders = self.bystanders();
        let worst = thread::scope(|scope| {
            let bystander = scope.spawn(|| stand_by(bystanders, &over));
            let workers: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            let index = next.fetch_add(1, Ordering::SeqCst);
                            let Some(row) = self.rows.get(index) else { break };
                            let seen = asking::ask(&self.protocol, self.gateway.address, &format!("/r{index}"), row);
                            all.lock().expect("seen").insert(index, seen);
                        }
                    })
                })
                .collect();
            for worker in workers {
                worker.join().expect("a worker");
            }
            over.store(true, Ordering::SeqCst);
            bystander.join().expect("a bystander")
        });
        assert!(worst < Duration::from_secs(3), "a bystander waited for {worst:?}");
        let all = all.into_inner().expect("seen");
        let log = by_target(self.gateway.stop());
        for (index, row) in self.rows.iter().enumerate() {
            for (repetition, seen) in all[&index].iter().enumerate() {
                let lines = log.get(&format!("/r{index}/{repetition}"));
                let lines = lines.unwrap_or_else(|| panic!("{}: no line", row.name));
                assert_eq!(lines.len(), 1, "{}: {lines:#?}", row.name);
                check_answer(row, seen, &self.protocol);
                check_line(row, &lines[0], self.servers[index].port);
                if row.status.is_none() {
                    assert_eq!(lines[0]["octets_out"], seen.bytes, "{}: {seen:?} {:#}", row.name, lines[0]);
                }
            }
            let connections = self.servers[index].connections.load(Ordering::SeqCst);
            assert!(connections <= REPETITIONS * row.attempts, "{}: {connections} connections", row.name);
        }
    }

    /// Where they ask in clear text.
    fn bystanders(&self) -> SocketAddr {
        let addresses = self.gateway.handle.as_ref().expect("runs").addresses();
        let Some((_, rulec::proxy::Address::Tcp(address))) = addresses.last() else { panic!("no TCP listener") };
        *address
    }
}

/// The listener of the table's clients, and one for bystanders.
fn listeners(authority: &Authority, clients: Clients) -> (String, Protocol) {
    let (words, protocol) = match clients {
        Clients::Http1 => ("", Protocol::Http1),
        Clients::Http2 => ("http2 = \"prior_knowledge\"\n", Protocol::Http2),
        Clients::Http1Tls | Clients::Http2Tls => {
            authority.write("a", &[NAME]);
            let mut config = authority.client_config();
            let words = "http2 = true\ntls = [{ certificate = \"a.pem\", key = \"a.key\" }]\n";
            if clients == Clients::Http1Tls {
                (words, Protocol::Http1Tls(Arc::new(config)))
            } else {
                config.alpn_protocols = vec![b"h2".to_vec()];
                (words, Protocol::Http2Tls(Arc::new(config)))
            }
        }
    };
    let text = format!("[listener.a]\naddress = \"127.0.0.1:0\"\n{words}[listener.b]\naddress = \"127.0.0.1:0\"\n");
    (text, protocol)
}

/// Asks for `/good` again and again; the longest that it took.
fn stand_by(address: SocketAddr, over: &AtomicBool) -> Duration {
    let mut worst = Duration::ZERO;
    let mut client = super::harness::Client::connect(address);
    while !over.load(Ordering::SeqCst) {
        let began = Instant::now();
        client.send("GET /good HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = client.answer();
        assert_eq!((answer.status, answer.text().as_str()), (200, "good"));
        worst = worst.max(began.elapsed());
        thread::sleep(Duration::from_millis(1));
    }
    worst
}

fn by_target(log: Vec<Value>) -> BTreeMap<String, Vec<Value>> {
    let mut lines: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in log {
        lines.entry(line["target"].as_str().unwrap_or_default().to_owned()).or_default().push(line);
    }
    lines
}

fn check_answer(row: &Row, seen: &Seen, protocol: &Protocol) {
    let name = row.name;
    match row.status {
        Some(status) => {
            assert_eq!((seen.status, seen.code.as_str()), (Some(status), row.code), "{name}: {seen:?}");
            assert!(seen.whole, "{name}: {seen:?}");
        }
        // It had begun: its head is there, and then it breaks off.
        None if matches!(protocol, Protocol::Http1 | Protocol::Http1Tls(_)) => {
            assert!(seen.status == Some(200) && !seen.whole, "{name}: {seen:?}");
        }
        // Its stream is reset, and no other.
        None => {
            assert_eq!(seen.status, Some(200), "{name}: {seen:?}");
            let error = seen.error.as_ref().unwrap_or_else(|| panic!("{name}: {seen:?}"));
            assert!(error.is_reset() && error.is_remote(), "{name}: {seen:?}");
            assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR), "{name}: {seen:?}");
        }
    }
}

fn check_line(row: &Row, line: &Value, port: u16) {
    let (name, failure) = (row.name, &line["failure"]);
    let is_whole = row.code == "upstream.request_timeout";
    assert_eq!(line["code"], row.code, "{name}: {line:#}");
    assert_eq!(line["status"], row.status.unwrap_or(200), "{name}: {line:#}");
    let peer = match &row.at {
        _ if row.phase == "dns" => None,
        Some(address) => Some(address.clone()),
        None => Some(format!("127.0.0.1:{port}")),
    };
    assert_eq!(line["peer"].as_str(), peer.as_deref(), "{name}: {line:#}");
    assert_eq!(failure["phase"], row.phase, "{name}: {line:#}");
    let idled = failure["idle_ms"].as_f64().is_some_and(|idle| idle > 0.0);
    assert!(row.shares || idled == (name == "reuse"), "{name}: {line:#}");
    assert_eq!(failure["reused"], failure["idle_ms"].is_number(), "{name}: {line:#}");
    assert_eq!(failure["attempts"].as_array().map(Vec::len), Some(row.attempts), "{name}: {line:#}");
    assert_eq!(failure["attempts"][0]["code"], row.code, "{name}: {line:#}");
    let said = format!("{} {}", line["detail"], failure["hint"]);
    assert!(failure["hint"].is_string() && said.contains(row.says), "{name}: {line:#}");
    let sent = failure["sent"].as_u64().expect("octets");
    let received = failure["received"].as_u64().expect("octets");
    if is_whole {
        // While there is no answer, whoever counts octets is gone with what was waited for.
        assert!(row.status.is_some() || received > 0, "{name}: {line:#}");
    } else {
        assert_eq!(sent > 0, !row.unsent, "{name}: {line:#}");
        // Of a head that its library refuses HTTP/2 knows nothing.
        let comes = ["header", "body"].contains(&row.phase);
        assert!((received > 0) == comes || row.code == "upstream.response.malformed", "{name}: {line:#}");
    }
    let took = if is_whole { &line["ms"] } else { &failure["phase_ms"] }
        .as_f64()
        .unwrap_or_else(|| panic!("{name}: {line:#}"));
    let least = row.timer.map_or(0.0, |timer| f64::from(u32::try_from(timer).expect("below a month")));
    // An upload goes on for as long as there is room between here and there; the timer runs from then on.
    let late = if row.request == Request::Upload { 5.0 * LATE } else { LATE };
    assert!(took >= least && took < least + late, "{name}: {line:#}");
    // Whoever waits for a connection that others share waits for that no more than once.
    let all = line["ms"].as_f64().expect("a time");
    assert!(all < 2.0 * least + late, "{name}: {line:#}");
    let named = failure["server_name"].as_str();
    assert!(named.is_none_or(|named| !named.is_empty()), "{name}: {line:#}");
}
