//! The clients of the table: each protocol asks for every repetition of a fault.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use h2::client::SendRequest;
use http::Request as Head;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::REPETITIONS;
use super::rows::{NAME, Request, Row};
use crate::proxy::harness::Client as Http1;
use crate::proxy::http2::peers;
use crate::proxy::identity::{TlsClient, handshake};

/// Longer than every buffer between a client and a server that does not read.
const UPLOAD_OCTETS: usize = 16 << 20;

/// How long the repetitions of one fault may take together.
const PATIENCE: Duration = Duration::from_secs(60);

/// What clients speak.
#[derive(Clone, Debug)]
pub(super) enum Protocol {
    /// Each repetition on a connection of its own.
    Http1,
    /// The same over TLS.
    Http1Tls(Arc<ClientConfig>),
    /// All on one connection.
    Http2,
    /// The same over TLS.
    Http2Tls(Arc<ClientConfig>),
}

/// What a client saw of an answer.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: Option<u16>,
    pub(super) code: String,
    pub(super) whole: bool,
    /// Bytes of the body.
    pub(super) bytes: usize,
    /// How HTTP/2 told that it is not.
    pub(super) error: Option<h2::Error>,
}

/// Asks for `TARGET/0` and so on, and what came of each.
pub(super) fn ask(protocol: &Protocol, address: SocketAddr, target: &str, row: &Row) -> Vec<Seen> {
    match protocol {
        Protocol::Http1 => http1(&|| Http1::connect(address), target, row),
        Protocol::Http1Tls(config) => {
            let connect = || ReadsOn(handshake(address, NAME, config).expect("a handshake"));
            http1(&|| Http1::over(connect()), target, row)
        }
        Protocol::Http2 => peers::runtime().block_on(http2(None, address, target, row)),
        Protocol::Http2Tls(config) => peers::runtime().block_on(http2(Some(config), address, target, row)),
    }
}

/// Reads what was answered even where the other side takes nothing more, unlike the stream of its library.
struct ReadsOn(TlsClient);

impl Read for ReadsOn {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.conn.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.0.conn.read_tls(&mut self.0.sock)?;
                    self.0.conn.process_new_packets().map_err(io::Error::other)?;
                }
                read => return read,
            }
        }
    }
}

impl Write for ReadsOn {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn http1<S: Read + Write>(connect: &(dyn Fn() -> Http1<S> + Sync), target: &str, row: &Row) -> Vec<Seen> {
    let request = row.request;
    let ask = |repetition: usize, comes_second: bool| {
        let mut client = connect();
        if comes_second {
            client.send(format!("GET {target}/first HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!(client.answer().status, 200);
        }
        ask_http1(&mut client, &format!("{target}/{repetition}"), request)
    };
    if row.one_by_one {
        return (0..REPETITIONS).map(|repetition| ask(repetition, row.name == "reuse")).collect();
    }
    thread::scope(|scope| {
        let asked: Vec<_> = (0..REPETITIONS).map(|repetition| scope.spawn(move || ask(repetition, false))).collect();
        asked.into_iter().map(|asked| asked.join().expect("a client")).collect()
    })
}

fn ask_http1<S: Read + Write>(client: &mut Http1<S>, target: &str, request: Request) -> Seen {
    match request {
        Request::Get => client.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")),
        Request::Post => client.send(format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")),
        Request::Upload => {
            client.send(format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {UPLOAD_OCTETS}\r\n\r\n"));
            client.send(vec![b'x'; UPLOAD_OCTETS]);
        }
    }
    match client.read_answer(false) {
        Some(answer) => {
            let (code, bytes) = (answer.code(), answer.body.len());
            Seen { status: Some(answer.status), code, whole: answer.whole, bytes, error: None }
        }
        None => Seen { status: None, code: String::new(), whole: false, bytes: 0, error: None },
    }
}

async fn http2(tls: Option<&Arc<ClientConfig>>, address: SocketAddr, target: &str, row: &Row) -> Vec<Seen> {
    let sender = match tls {
        None => begin(TcpStream::connect(address).await.expect("connects")).await,
        Some(config) => {
            let stream = TcpStream::connect(address).await.expect("connects");
            let name = ServerName::try_from(NAME).expect("a name");
            begin(TlsConnector::from(Arc::clone(config)).connect(name, stream).await.expect("a handshake")).await
        }
    };
    let mut asked = Vec::new();
    for repetition in 0..REPETITIONS {
        if row.name == "reuse" {
            let first = ask_http2(sender.clone(), format!("{target}/first"), Request::Get).await;
            assert_eq!(first.status, Some(200));
        }
        let mut one = tokio::spawn(ask_http2(sender.clone(), format!("{target}/{repetition}"), row.request));
        if row.one_by_one {
            let seen = timeout(PATIENCE, &mut one).await.expect("in time").expect("a client");
            one = tokio::spawn(async { seen });
        }
        asked.push(one);
    }
    let mut seen = Vec::new();
    for one in asked {
        seen.push(timeout(PATIENCE, one).await.expect("in time").expect("a client"));
    }
    seen
}

async fn begin(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> SendRequest<Bytes> {
    let (sender, connection) = h2::client::handshake(stream).await.expect("a handshake");
    tokio::spawn(connection);
    sender
}

async fn ask_http2(sender: SendRequest<Bytes>, path: String, request: Request) -> Seen {
    let uri = format!("http://a{path}");
    let client = peers::Client { sender };
    let begun = match request {
        Request::Get => client.begin(Head::get(uri).body(()).expect("a request"), None).await,
        Request::Post => client.begin(Head::post(uri).body(()).expect("a request"), Some("hello".into())).await,
        Request::Upload => {
            let body = Bytes::from(vec![b'x'; UPLOAD_OCTETS]);
            client.begin(Head::post(uri).body(()).expect("a request"), Some(body)).await
        }
    };
    let (status, (body, error)) = match begun {
        Ok(response) => (Some(response.status().as_u16()), until_it_ends(response.into_body()).await),
        Err(error) => (None, (Vec::new(), Some(error))),
    };
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default().to_owned();
    Seen { status, code, whole: error.is_none(), bytes: body.len(), error }
}

/// What comes of a body, and why no more.
async fn until_it_ends(mut stream: h2::RecvStream) -> (Vec<u8>, Option<h2::Error>) {
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        match data {
            Ok(data) => {
                // It may have ended meanwhile.
                drop(stream.flow_control().release_capacity(data.len()));
                body.extend_from_slice(&data);
            }
            Err(error) => return (body, Some(error)),
        }
    }
    (body, stream.trailers().await.err())
}
