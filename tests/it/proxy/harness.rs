//! A gateway, upstreams and clients in this process.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rulec::proxy::{AccessLog, Address, Config, Handle, Policy, serve};

/// Longer than anything here takes, so that a test that hangs fails.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Compiles `rules`, which must be right.
pub(super) fn artifact(rules: &str) -> Vec<u8> {
    let loaded = rulec::model::load_text("test.rules", rules);
    assert!(!loaded.has_errors(), "{:#?}\n{rules}", loaded.diagnostics);
    let limits = rulec::automaton::Limits::default();
    rulec::artifact::compile(&loaded.policy, &loaded.sources, &limits).expect("compiles").bytes
}

/// A gateway in this process, and what it logged.
pub(super) struct Gateway {
    pub(super) handle: Option<Handle>,
    pub(super) address: SocketAddr,
    log: Log,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One listener, called `default`, on a free port; one core.
pub(super) fn config() -> Config {
    let mut config = Config::listen(Address::Tcp("127.0.0.1:0".parse().expect("address")));
    config.threads = 1;
    config
}

impl Gateway {
    pub(super) fn start(rules: &str) -> Self {
        Self::with(rules, &config())
    }

    pub(super) fn with(rules: &str, config: &Config) -> Self {
        let policy = Policy::new(artifact(rules), config).expect("policy");
        let log = Log::default();
        let handle = serve(policy, config, AccessLog::Writer(Box::new(log.clone()))).expect("serves");
        let Address::Tcp(address) = handle.addresses()[0].1 else { panic!("no TCP listener") };
        Self { handle: Some(handle), address, log }
    }

    pub(super) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// One request on a connection of its own.
    pub(super) fn ask(&self, request: &str) -> Answer {
        let mut client = self.client();
        client.send(request);
        client.answer()
    }

    /// Stops it and gives the lines of its log.
    pub(super) fn stop(mut self) -> Vec<serde_json::Value> {
        self.handle.take().expect("runs").stop();
        self.lines()
    }

    /// Stops it and gives its log, in whatever format.
    pub(super) fn stop_text(mut self) -> String {
        self.handle.take().expect("runs").stop();
        self.text()
    }

    /// The lines of its log so far.
    pub(super) fn lines(&self) -> Vec<serde_json::Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    fn text(&self) -> String {
        String::from_utf8(self.log.0.lock().expect("log").clone()).expect("UTF-8")
    }
}

/// A client that writes and reads octets.
pub(super) struct Client<S = TcpStream> {
    stream: S,
    buffer: Vec<u8>,
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    /// The body ended as its framing says.
    pub(super) whole: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (have, value) = line.split_once(": ")?;
            have.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of a problem.
    pub(super) fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connects");
        stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
        stream.set_nodelay(true).expect("nodelay");
        Self::over(stream)
    }

    /// Sends nothing more.
    pub(super) fn finish(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).expect("shuts down");
    }
}

impl<S: Read + Write> Client<S> {
    /// Over what is connected already.
    pub(super) fn over(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    pub(super) fn send(&mut self, octets: impl AsRef<[u8]>) {
        // The other side may have closed already: what it answered is still to be read.
        drop(self.stream.write_all(octets.as_ref()));
    }

    /// The next answer to anything but a HEAD.
    pub(super) fn answer(&mut self) -> Answer {
        self.read_answer(false).expect("an answer")
    }

    pub(super) fn head_answer(&mut self) -> Answer {
        self.read_answer(true).expect("an answer")
    }

    /// The next answer; None where the connection ends before one. 102 to 199 are passed over.
    pub(super) fn read_answer(&mut self, head_only: bool) -> Option<Answer> {
        loop {
            let answer = self.read_any(head_only)?;
            if !(102..200).contains(&answer.status) {
                return Some(answer);
            }
        }
    }

    /// The next answer, interim ones among them.
    pub(super) fn read_any(&mut self, head_only: bool) -> Option<Answer> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.fill() {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        self.buffer.drain(..end);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut answer = Answer { status, head, body: Vec::new(), whole: true };
        if head_only || status < 200 || status == 204 || status == 304 {
            return Some(answer);
        }
        if let Some(length) = answer.header("content-length").map(|length| length.parse::<usize>().expect("a length")) {
            answer.whole = self.fill_to(length);
            answer.body = self.take(length);
        } else if answer.header("transfer-encoding").is_some() {
            answer.whole = self.chunks(&mut answer.body);
        } else {
            while self.fill() {}
            answer.body = core::mem::take(&mut self.buffer);
        }
        Some(answer)
    }

    /// Reads what is there, once something is.
    pub(super) fn some(&mut self) {
        assert!(self.fill(), "nothing came");
    }

    /// Whether the other side ends the connection, sending nothing more.
    pub(super) fn is_closed(&mut self) -> bool {
        self.buffer.is_empty() && !self.fill()
    }

    /// Everything until the other side ends.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        while self.fill() {}
        core::mem::take(&mut self.buffer)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> bool {
        loop {
            let Some(line) = self.line() else { return false };
            let size = usize::from_str_radix(line.trim(), 16).expect("a chunk size");
            if !self.fill_to(size + 2) {
                return false;
            }
            body.extend(self.take(size));
            self.take(2);
            if size == 0 {
                return true;
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                let line = self.take(at + 2);
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            if !self.fill() {
                return None;
            }
        }
    }

    fn take(&mut self, octets: usize) -> Vec<u8> {
        self.buffer.drain(..octets.min(self.buffer.len())).collect()
    }

    fn fill_to(&mut self, octets: usize) -> bool {
        while self.buffer.len() < octets {
            if !self.fill() {
                return false;
            }
        }
        true
    }

    fn fill(&mut self) -> bool {
        let mut octets = vec![0; 65536];
        match self.stream.read(&mut octets) {
            Ok(read) => {
                self.buffer.extend_from_slice(&octets[..read]);
                read > 0
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("nothing came; so far {:?}", String::from_utf8_lossy(&self.buffer))
            }
            Err(_) => false,
        }
    }
}

/// What the admin address says at `path`, as text.
pub(super) fn admin_text(handle: &Handle, path: &str) -> String {
    let Some(Address::Tcp(address)) = handle.admin() else { panic!("no admin") };
    let mut client = Client::connect(*address);
    client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    client.answer().text()
}

/// What the admin address says at `path`, as JSON.
pub(super) fn admin(handle: &Handle, path: &str) -> serde_json::Value {
    serde_json::from_str(&admin_text(handle, path)).expect("JSON")
}

/// Waits until something is so.
pub(super) fn wait_until(is_so: impl Fn() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it never came to be");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    octets.windows(what.len()).position(|window| window == what)
}

/// A server whose every connection is handled by a function.
pub(super) struct Upstream {
    pub(super) port: u16,
    pub(super) seen: Arc<Seen>,
}

/// What came to an upstream.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) connections: AtomicUsize,
    /// A test's own mark.
    pub(super) released: AtomicBool,
    requests: Mutex<Vec<Vec<u8>>>,
}

impl Seen {
    /// All requests, head and body as octets.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests
            .lock()
            .expect("requests")
            .iter()
            .map(|octets| String::from_utf8_lossy(octets).into_owned())
            .collect()
    }

    /// Reads one request; None at the end of the connection.
    pub(super) fn read(&self, stream: &mut Wire) -> Option<Vec<u8>> {
        let request = stream.request()?;
        self.requests.lock().expect("requests").push(request.clone());
        Some(request)
    }
}

impl Upstream {
    pub(super) fn start(handle: impl Fn(usize, &mut Wire, &Seen) + Send + Sync + 'static) -> Self {
        Self::wrapped(|stream| Box::new(stream), handle)
    }

    /// Over what `wrap` makes of a connection.
    pub(super) fn wrapped(
        wrap: impl Fn(TcpStream) -> Box<dyn ReadWrite> + Send + Sync + 'static,
        handle: impl Fn(usize, &mut Wire, &Seen) + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("binds"), wrap, handle)
    }

    /// The kernel keeps next to nothing of what it does not read.
    pub(super) fn narrow(handle: impl Fn(usize, &mut Wire, &Seen) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        socket2::SockRef::from(&listener).set_recv_buffer_size(4096).expect("a small buffer");
        Self::on(listener, |stream| Box::new(stream), handle)
    }

    fn on(
        listener: TcpListener,
        wrap: impl Fn(TcpStream) -> Box<dyn ReadWrite> + Send + Sync + 'static,
        handle: impl Fn(usize, &mut Wire, &Seen) + Send + Sync + 'static,
    ) -> Self {
        let port = listener.local_addr().expect("address").port();
        let seen = Arc::new(Seen::default());
        let (shared, both) = (Arc::clone(&seen), Arc::new((wrap, handle)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let (seen, both) = (Arc::clone(&shared), Arc::clone(&both));
                stream.set_read_timeout(Some(PATIENCE)).expect("timeout");
                thread::spawn(move || {
                    let stream = (both.0)(stream);
                    (both.1)(number, &mut Wire { stream, buffer: Vec::new() }, &seen);
                });
            }
        });
        Self { port, seen }
    }

    /// Answers every request with itself: head and body as they came.
    pub(super) fn echo() -> Self {
        Self::start(|_, wire, seen| {
            while let Some(request) = seen.read(wire) {
                let is_head = request.starts_with(b"HEAD ");
                wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.len()));
                if !is_head {
                    wire.send(request);
                }
            }
        })
    }

    /// Answers every request with the same octets and ends the connection after it.
    pub(super) fn fixed(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::start(move |_, wire, seen| {
            if seen.read(wire).is_some() {
                wire.send(answer.as_ref());
            }
        })
    }

    /// `upstream up { server ...; }` and a service for every host around `locations`.
    pub(super) fn rules(&self, locations: &str) -> String {
        format!("upstream up {{ server 127.0.0.1:{}; }}\nservice all default {{\n{locations}\n}}\n", self.port)
    }

    /// Waits until so many requests have come.
    pub(super) fn wait_for(&self, requests: usize) {
        wait_until(|| self.seen.requests().len() >= requests);
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }
}

/// The upstream's side of a connection.
pub(super) struct Wire {
    pub(super) stream: Box<dyn ReadWrite>,
    pub(super) buffer: Vec<u8>,
}

pub(super) trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

impl Wire {
    pub(super) fn send(&mut self, octets: impl AsRef<[u8]>) {
        drop(self.stream.write_all(octets.as_ref()));
        drop(self.stream.flush());
    }

    /// The head of the next request, which is still to be read.
    pub(super) fn head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                return Some(String::from_utf8_lossy(&self.buffer[..at + 4]).to_ascii_lowercase());
            }
            self.fill()?;
        }
    }

    /// Head and body of the next request.
    pub(super) fn request(&mut self) -> Option<Vec<u8>> {
        let head = self.head()?;
        // Not the length of the text: a byte beyond UTF-8 takes three there.
        let mut end = find(&self.buffer, b"\r\n\r\n")? + 4;
        if head.contains("\r\nexpect: 100-continue") {
            self.send("HTTP/1.1 100 Continue\r\n\r\n");
        }
        if let Some(length) = head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
            end += length.trim().parse::<usize>().expect("a length");
            while self.buffer.len() < end {
                self.fill()?;
            }
        } else if head.contains("\r\ntransfer-encoding: chunked") {
            loop {
                // Behind the last chunk there may be trailers.
                let last = find(&self.buffer[end - 2..], b"\r\n0\r\n").map(|at| end - 2 + at + 3);
                if let Some(at) = last.and_then(|from| Some(from + find(&self.buffer[from..], b"\r\n\r\n")?)) {
                    end = at + 4;
                    break;
                }
                self.fill()?;
            }
        }
        Some(self.buffer.drain(..end).collect())
    }

    fn fill(&mut self) -> Option<()> {
        let mut octets = vec![0; 65536];
        let read = self.stream.read(&mut octets).ok().filter(|read| *read > 0)?;
        self.buffer.extend_from_slice(&octets[..read]);
        Some(())
    }
}
