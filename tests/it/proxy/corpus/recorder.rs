//! An upstream that reads by the letter what comes to it, and tells whose request it was.
//!
//! Each case comes from a loopback address of its own, so that whatever is read is known to be of that case.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use socket2::{Domain, Socket, Type};

use super::super::harness::{Gateway, PATIENCE, config};
use super::strict::{self, Read, Request};

/// An upstream that records.
pub(super) struct Recorder {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl Recorder {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = listener.local_addr().expect("address").port();
        let seen = Arc::<Mutex<Seen>>::default();
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&shared);
                thread::spawn(move || record(stream, &seen));
            }
        });
        Self { port, seen }
    }

    /// Rules that send everything to it, with what was decided on in fields of its own.
    pub(super) fn rules(&self) -> String {
        let port = self.port;
        format!(
            "upstream up {{ server 127.0.0.1:{port}; }}
            service all default {{
                body forward;
                set request header X-Decided-Client \"$remote_addr\";
                set request header X-Decided-Target \"$request_uri\";
                set request header X-Decided-Method \"$request_method\";
                set request header X-Decided-Host \"$host\";
                location / {{ proxy up; }}
            }}"
        )
    }

    /// How many requests have come.
    pub(super) fn count(&self) -> usize {
        self.seen.lock().expect("seen").by_client.values().map(Vec::len).sum()
    }

    pub(super) fn wrong(&self) -> Vec<String> {
        self.seen.lock().expect("seen").wrong.clone()
    }
}

/// A gateway before an upstream that records.
pub(super) struct Bench {
    gateway: Gateway,
    recorder: Recorder,
    next: AtomicU32,
}

/// What came to the upstream.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) by_client: HashMap<Ipv4Addr, Vec<Request>>,
    /// Octets that are no request.
    pub(super) wrong: Vec<String>,
}

/// What came back to a client.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) client: Ipv4Addr,
    pub(super) answer: String,
}

impl Outcome {
    /// Final statuses in order. Answers of the upstream have a body of two octets, ours no such text.
    pub(super) fn statuses(&self) -> Vec<u16> {
        let status = |rest: &str| rest.get(2..5)?.parse().ok();
        self.answer.split("HTTP/1.").skip(1).filter_map(status).filter(|status| *status >= 200).collect()
    }

    pub(super) fn is_refused(&self) -> bool {
        self.statuses().first().is_none_or(|status| *status >= 400)
    }
}

impl Bench {
    pub(super) fn start() -> Self {
        let recorder = Recorder::start();
        let mut config = config();
        config.limits.drain_time_max = Duration::from_millis(50);
        let gateway = Gateway::with(&recorder.rules(), &config);
        // 127.1.0.1 and on.
        Self { gateway, recorder, next: AtomicU32::new(0x7f01_0001) }
    }

    /// Sends `raw` from an address of its own; ends when as many answers as `answers` have come and it is quiet, or
    /// the connection is closed.
    pub(super) fn ask(&self, raw: &[u8], answers: usize) -> Outcome {
        let client = Ipv4Addr::from_bits(self.next.fetch_add(1, Ordering::SeqCst));
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::V4(SocketAddrV4::new(client, 0)).into()).expect("an address of its own");
        socket.connect(&self.gateway.address.into()).expect("connects");
        let mut stream = TcpStream::from(socket);
        drop(stream.write_all(raw));
        let mut outcome = Outcome { client, answer: String::new() };
        let mut piece = [0; 4096];
        loop {
            let patience = if outcome.statuses().len() < answers { PATIENCE } else { Duration::from_millis(15) };
            stream.set_read_timeout(Some(patience)).expect("timeout");
            match stream.read(&mut piece) {
                Ok(read @ 1..) => outcome.answer.extend(piece[..read].iter().map(|&octet| char::from(octet))),
                _ => return outcome,
            }
        }
    }

    /// Ends the gateway, so that nothing is on its way any more, and gives what came to the upstream.
    pub(super) fn finish(self) -> Seen {
        self.gateway.stop();
        core::mem::take(&mut *self.recorder.seen.lock().expect("seen"))
    }
}

/// Reads requests off a connection and answers each with two octets.
fn record(mut stream: TcpStream, seen: &Mutex<Seen>) {
    let (mut buffer, mut piece) = (Vec::new(), [0; 16384]);
    let mut is_expected = false;
    loop {
        match strict::read(&buffer) {
            Read::Whole(request, used) => {
                buffer.drain(..used);
                is_expected = false;
                let head_only = request.method == "HEAD";
                note(*request, &mut seen.lock().expect("seen"));
                let body = if head_only { "" } else { "ok" };
                drop(stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{body}").as_bytes()));
                continue;
            }
            Read::Part { head } => {
                let lower = buffer.to_ascii_lowercase();
                if head && !is_expected && lower.windows(22).any(|window| window == b"\r\nexpect: 100-continue") {
                    is_expected = true;
                    drop(stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n"));
                }
            }
            Read::Wrong(why) => {
                let text = String::from_utf8_lossy(&buffer).into_owned();
                return seen.lock().expect("seen").wrong.push(format!("{why}: {text:?}"));
            }
        }
        match stream.read(&mut piece) {
            Ok(read @ 1..) => buffer.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
}

/// Keeps a request, and holds what is read of it against what was decided on.
fn note(request: Request, seen: &mut Seen) {
    let decided = |name: &str| request.value(&format!("x-decided-{name}")).unwrap_or_default();
    let Ok(client) = decided("client").parse::<Ipv4Addr>() else {
        return seen.wrong.push(format!("no client: {request:?}"));
    };
    let host = request.value("x-forwarded-host").unwrap_or_default().to_ascii_lowercase();
    // As nginx has it: without the port, and without a dot at the end.
    let port = host.rfind(':').filter(|at| host[at + 1..].bytes().all(|octet| octet.is_ascii_digit()));
    let name = &host[..port.unwrap_or(host.len())];
    let is_host = name.strip_suffix('.').unwrap_or(name) == decided("host");
    if decided("target") != request.target
        || decided("method") != request.method
        || !is_host
        || request.extended
        || !request.has_host()
    {
        seen.wrong.push(format!("decided otherwise: {request:?}"));
    }
    if request.value("x-forwarded-for") != Some(client.to_string()) {
        seen.wrong.push(format!("another client: {request:?}"));
    }
    seen.by_client.entry(client).or_default().push(request);
}
