//! The demo's client: writes one request as bytes and reads the answer to its end.

use core::fmt::Write as _;
use core::net::SocketAddr;
use core::time::Duration;
use rulec::model::RequestRecord;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

/// The gateway's own timers are shorter; a demo that hangs shows nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest answer is an upstream's echo of 64 KiB.
const ANSWER_OCTETS_MAX: u64 = 1 << 20;

/// An answer, header names in lower case.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// None: the connection was closed without an answer.
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// Sends `record` with `extra` header lines to the gateway at `address`.
///
/// The client stands in for the hop before the gateway that ends TLS: it says the scheme in X-Forwarded-Proto.
pub(crate) fn send(address: SocketAddr, record: &RequestRecord, extra: &[(String, String)]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // The gateway may refuse a body and close before all of it is written: what counts is the answer.
    stream.write_all(&head(record, extra)).ok();
    stream.write_all(&body(record.body)).ok();
    let mut bytes = Vec::new();
    let read = (&stream).take(ANSWER_OCTETS_MAX).read_to_end(&mut bytes);
    stream.shutdown(Shutdown::Both).ok();
    if bytes.is_empty() {
        read?;
    }
    Ok(parse(&bytes))
}

fn head(record: &RequestRecord, extra: &[(String, String)]) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", record.method, record.target);
    let mut line = |name: &str, value: &str| writeln!(head, "{name}: {value}\r").ok();
    if let Some(host) = &record.host {
        line("Host", host);
    }
    line("X-Forwarded-Proto", &record.scheme);
    for (name, value) in record.headers.iter().chain(extra) {
        line(name, value);
    }
    if record.body > 0 {
        line("Content-Length", &record.body.to_string());
    }
    line("Connection", "close");
    head.push_str("\r\n");
    // Records carry octets as Latin-1.
    head.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}

/// `octets` of body that one can see through: `abcdefghij...`.
pub(crate) fn body(octets: u64) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(usize::try_from(octets).unwrap_or(usize::MAX)).collect()
}

fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    Answer { status, headers, body: body.to_owned() }
}
