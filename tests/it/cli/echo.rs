//! A small real server: clear text and TLS on one port, and it answers with the very bytes that it received.

use core::net::SocketAddr;
use core::time::Duration;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// A certificate and what serves it.
pub(super) struct Identity {
    pub(super) pem: String,
    config: Arc<ServerConfig>,
}

impl Identity {
    pub(super) fn new(names: Vec<String>) -> Self {
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self { pem: made.cert.pem(), config: Arc::new(config) }
    }
}

/// Serves as `name` until the tests end. An answer's body is `NAME TLS|clear SNI`, the head as received, and the body.
pub(super) fn serve(name: &str, identity: &Identity) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (name, config) = (name.to_owned(), Arc::clone(&identity.config));
    thread::spawn(move || {
        for socket in listener.incoming() {
            let (name, config) = (name.clone(), Arc::clone(&config));
            thread::spawn(move || connection(&name, socket.unwrap(), config));
        }
    });
    address
}

fn connection(name: &str, socket: TcpStream, config: Arc<ServerConfig>) {
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut first = [0];
    if !matches!(socket.peek(&mut first), Ok(1)) {
        return;
    }
    if first != [22] {
        answer_all(&format!("{name} clear -"), BufReader::new(socket));
        return;
    }
    let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
    if stream.conn.complete_io(&mut stream.sock).is_ok() {
        let over = format!("{name} TLS {}", stream.conn.server_name().unwrap_or("-"));
        answer_all(&over, BufReader::new(stream));
    }
}

/// Answers one request after the other, as long as there are any.
fn answer_all<S: Read + Write>(over: &str, mut stream: BufReader<S>) {
    while let Some(head) = head(&mut stream) {
        let body = body(&head, &mut stream);
        let mut echo = format!("{over}\n").into_bytes();
        echo.extend_from_slice(&head);
        echo.extend_from_slice(&body);
        let start = "HTTP/1.1 200 OK\r\nX-Amz-Request-Id: 1\r\nSet-Cookie: a=b\r\n";
        let length = if head.starts_with(b"HEAD ") { 0 } else { echo.len() };
        let mut answer = format!("{start}X-Over: {over}\r\nX-Line: {}\r\n", line(&head)).into_bytes();
        answer.extend_from_slice(format!("Content-Length: {}\r\n\r\n", echo.len()).as_bytes());
        answer.extend_from_slice(&echo[..length]);
        if stream.get_mut().write_all(&answer).and_then(|()| stream.get_mut().flush()).is_err() {
            return;
        }
    }
}

/// The request line.
fn line(head: &[u8]) -> String {
    String::from_utf8_lossy(head).lines().next().unwrap_or_default().to_owned()
}

/// The head with its empty line; None at the end of the connection.
fn head(stream: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

fn body(head: &[u8], stream: &mut impl BufRead) -> Vec<u8> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    if field("transfer-encoding").is_some() {
        return chunks(stream);
    }
    let mut body = vec![0; field("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    body
}

fn chunks(stream: &mut impl BufRead) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        stream.read_line(&mut size).unwrap();
        let mut chunk = vec![0; usize::from_str_radix(size.trim(), 16).unwrap()];
        stream.read_exact(&mut chunk).unwrap();
        stream.read_line(&mut String::new()).unwrap();
        if chunk.is_empty() {
            return body;
        }
        body.extend_from_slice(&chunk);
    }
}
