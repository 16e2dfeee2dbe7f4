//! Every fault of an upstream, for real: what the client sees, what the log says, and nothing else.

mod certificates;
mod openssl;
mod rows;
mod server;

use core::fmt::Write as _;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use rulec::proxy::Config;
use serde_json::Value;

use self::certificates::Authority;
use self::rows::{Request, Row};
use self::server::Server;
use super::harness::{Answer, Client, Gateway, Upstream};

/// How often each fault is met, at once.
const REPETITIONS: usize = 25;

/// Faults that are tried at the same time.
const AT_ONCE: usize = 2;

/// Longer than every buffer between a client and a server that does not read.
const UPLOAD_OCTETS: usize = 16 << 20;

/// How much later than its timer a fault may be noticed while two cores do all this.
const LATE: f64 = 3_000.0;

/// What clients saw, by target.
type Seen = BTreeMap<String, Option<Answer>>;

/// A gateway before faulty servers, and a good one for bystanders.
struct Table {
    rows: Vec<Row>,
    servers: Vec<Server>,
    gateway: Gateway,
}

impl Table {
    /// `tls`: the words of upstreams that stand in no row's own.
    fn start(mut rows: Vec<Row>, authority: &Authority, tls: Option<&str>) -> Self {
        let good = Upstream::start(|_, wire, _| {
            while wire.request().is_some() {
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
            }
        });
        let mut rules = format!("upstream good {{ server 127.0.0.1:{}; }}\n", good.port);
        let mut locations = "location /good { proxy good; }\n".to_owned();
        let mut text = "[listener.default]\naddress = \"127.0.0.1:0\"\n".to_owned();
        let mut servers = Vec::new();
        for (index, row) in rows.iter_mut().enumerate() {
            let serve = core::mem::replace(&mut row.serve, Box::new(drop));
            let server = Server::start(serve);
            let words = if row.words.is_empty() { tls.unwrap_or_default() } else { &row.words };
            let (port, timers) = (server.port, row.timers());
            writeln!(rules, "upstream r{index} {{ server 127.0.0.1:{port}; {words} {timers} }}").expect("writes");
            writeln!(locations, "location /r{index}/ {{ body forward max=64m; proxy r{index}; }}").expect("writes");
            if words.contains("tls") {
                writeln!(text, "[upstream.r{index}]\ntls = {{ ca = \"ca.pem\" }}").expect("writes");
            }
            servers.push(server);
        }
        let mut config = Config::parse(&text, &authority.folder.join("proxy.toml")).expect("config");
        config.threads = 1;
        let gateway = Gateway::with(&format!("{rules}service all default {{\n{locations}}}\n"), &config);
        Self { rows, servers, gateway }
    }

    /// Meets every fault, with bystanders, and checks all that is to be seen of it.
    fn check(self) {
        let seen = Mutex::new(Seen::new());
        let (next, over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let worst = thread::scope(|scope| {
            let bystander = scope.spawn(|| stand_by(&self.gateway, &over));
            let workers: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    scope.spawn(|| {
                        while let Some(row) = self.rows.get(next.fetch_add(1, Ordering::SeqCst)) {
                            let index = self.rows.iter().position(|other| core::ptr::eq(row, other)).expect("a row");
                            seen.lock().expect("seen").extend(meet(&self.gateway, index, row));
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
        let seen = seen.into_inner().expect("seen");
        let log = by_target(self.gateway.stop());
        for (index, row) in self.rows.iter().enumerate() {
            for repetition in 0..REPETITIONS {
                let target = format!("/r{index}/{repetition}");
                let lines = log.get(&target).unwrap_or_else(|| panic!("{}: no line", row.name));
                assert_eq!(lines.len(), 1, "{}: {lines:#?}", row.name);
                check_answer(row, seen.get(&target).unwrap_or_else(|| panic!("{}: not asked", row.name)).as_ref());
                check_line(row, &lines[0], self.servers[index].port);
            }
            let connections = self.servers[index].connections.load(Ordering::SeqCst);
            assert!(connections <= REPETITIONS, "{}: {connections} connections", row.name);
        }
    }
}

/// Asks for `/good` again and again; the longest that it took.
fn stand_by(gateway: &Gateway, over: &AtomicBool) -> Duration {
    let mut worst = Duration::ZERO;
    let mut client = gateway.client();
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

/// Every repetition of one fault.
fn meet(gateway: &Gateway, index: usize, row: &Row) -> Seen {
    let target = |repetition| format!("/r{index}/{repetition}");
    let needs_kept = row.name == "reuse";
    if needs_kept {
        // One after the other: a connection that another one kept would not be the one that was meant.
        let ask = |repetition| {
            let mut client = gateway.client();
            client.send(format!("GET /r{index}/first HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!(client.answer().status, 200);
            (target(repetition), ask(&mut client, &target(repetition), row.request))
        };
        return (0..REPETITIONS).map(ask).collect();
    }
    thread::scope(|scope| {
        let asked: Vec<_> = (0..REPETITIONS)
            .map(|repetition| {
                let target = target(repetition);
                scope.spawn(move || {
                    let answer = ask(&mut gateway.client(), &target, row.request);
                    (target, answer)
                })
            })
            .collect();
        asked.into_iter().map(|asked| asked.join().expect("a client")).collect()
    })
}

fn ask(client: &mut Client, target: &str, request: Request) -> Option<Answer> {
    match request {
        Request::Get => client.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")),
        Request::Post => client.send(format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")),
        Request::Upload => {
            client.send(format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {UPLOAD_OCTETS}\r\n\r\n"));
            client.send(vec![b'x'; UPLOAD_OCTETS]);
        }
    }
    client.read_answer(false)
}

fn check_answer(row: &Row, answer: Option<&Answer>) {
    let name = row.name;
    match (row.status, answer) {
        (Some(status), Some(answer)) => {
            assert_eq!((answer.status, answer.code().as_str()), (status, row.code), "{name}: {answer:?}");
            assert!(answer.whole, "{name}: {answer:?}");
        }
        (Some(_), None) => panic!("{name}: no answer"),
        // The answer had begun, or had not got further than this gateway.
        (None, Some(answer)) if answer.whole => assert_eq!(answer.code(), row.code, "{name}: {answer:?}"),
        (None, _) => {}
    }
}

fn check_line(row: &Row, line: &Value, port: u16) {
    let (name, failure) = (row.name, &line["failure"]);
    assert_eq!(line["code"], row.code, "{name}: {line:#}");
    assert_eq!(line["peer"], format!("127.0.0.1:{port}"), "{name}: {line:#}");
    assert_eq!(failure["phase"], row.phase, "{name}: {line:#}");
    assert_eq!(failure["reused"], name == "reuse", "{name}: {line:#}");
    assert_eq!(failure["idle_ms"].is_number(), name == "reuse", "{name}: {line:#}");
    assert_eq!(failure["attempts"].as_array().map(Vec::len), Some(1), "{name}: {line:#}");
    assert_eq!(failure["attempts"][0]["code"], row.code, "{name}: {line:#}");
    let said = format!("{} {}", line["detail"], failure["hint"]);
    assert!(failure["hint"].is_string() && said.contains(row.says), "{name}: {line:#}");
    let sent = failure["sent"].as_u64().expect("octets");
    assert_eq!(sent > 0, row.phase != "tls" || row.name == "mutual-1.3", "{name}: {line:#}");
    let received = failure["received"].as_u64().expect("octets");
    assert_eq!(received > 0, ["header", "body"].contains(&row.phase), "{name}: {line:#}");
    let took = failure["phase_ms"].as_f64().unwrap_or_else(|| panic!("{name}: {line:#}"));
    let least = row.timer.map_or(0.0, |timer| f64::from(u32::try_from(timer).expect("below a month")));
    // An upload goes on for as long as there is room between here and there; the timer runs from then on.
    let late = if row.request == Request::Upload { 5.0 * LATE } else { LATE };
    assert!(took >= least && took < least + late, "{name}: {line:#}");
    let named = failure["server_name"].as_str();
    assert!(named.is_none_or(|named| !named.is_empty()), "{name}: {line:#}");
}

#[test]
fn a_01_a_04_every_fault_in_clear_text_has_its_code_status_time_and_line() {
    let authority = Authority::new("clear");
    Table::start(rows::of_exchanges(None), &authority, None).check();
}

#[test]
fn a_01_a_04_every_fault_over_tls_has_its_code_status_time_and_line() {
    let authority = Authority::new("tls");
    let config = authority.good().server(rustls::ALL_VERSIONS, None);
    let words = format!("host {}; tls {{ }}", certificates::NAME);
    Table::start(rows::of_exchanges(Some(&Arc::clone(&config))), &authority, Some(&words)).check();
}

#[test]
fn a_02_a_03_every_fault_of_a_handshake_has_its_code_status_time_and_line() {
    let (authority, other) = (Authority::new("handshake"), Authority::new("other"));
    Table::start(rows::of_handshakes(&authority, &other), &authority, None).check();
}
