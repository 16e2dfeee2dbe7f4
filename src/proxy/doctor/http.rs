//! One request, and what its answer says.

use core::time::Duration;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::milliseconds;
use super::report::{Failure, HttpReport};
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::limits::{RESPONSE_HEAD_OCTETS_MAX, RESPONSE_LINES_MAX};
use crate::proxy::upstream::tls;

/// Clear text or TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The first octets of a TLS record: an alert, or a handshake.
const TLS_RECORDS: [u8; 2] = [0x15, 0x16];

/// Asks for the head of `path` and reads the head of the answer, interim ones skipped.
pub(super) async fn ask(stream: &mut dyn Stream, host: &str, path: &str, patience: Duration) -> HttpReport {
    let request = format!("HEAD {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: rulec-doctor\r\nAccept: */*\r\n\r\n");
    let (asked, version) = (format!("HEAD {path}"), "1.1".to_owned());
    let mut report = HttpReport { request: asked, version, ..HttpReport::default() };
    let began = Instant::now();
    let mut head = Vec::new();
    let outcome = timeout(patience, async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        read_head(stream, &mut head).await
    })
    .await;
    report.milliseconds = milliseconds(began.elapsed());
    report.speaks_tls = head.first().is_some_and(|first| TLS_RECORDS.contains(first));
    report.speaks_http2 = is_http2(&head);
    let fault = match outcome {
        Ok(Ok(true)) => {
            if read(&head, &mut report).is_some() {
                return report;
            }
            (UpstreamFault::ResponseMalformed, format!("the answer begins with {:?}", beginning(&head)))
        }
        Ok(Ok(false)) if report.speaks_tls => {
            (UpstreamFault::ResponseMalformed, "the answer is a TLS record".to_owned())
        }
        Ok(Ok(false)) if report.speaks_http2 => {
            (UpstreamFault::ResponseMalformed, "the answer is a frame of HTTP/2".to_owned())
        }
        Ok(Ok(false)) if head.is_empty() => {
            (UpstreamFault::ClosedBeforeHeader, "the connection was closed without an answer".to_owned())
        }
        Ok(Ok(false)) => {
            (UpstreamFault::ClosedInHeader, format!("the connection was closed behind {:?}", beginning(&head)))
        }
        Ok(Err(error)) => (closed(&error), error.to_string()),
        Err(_) => (UpstreamFault::ResponseTimeout, format!("no answer in {patience:?}")),
    };
    report.failure = Some(Failure { code: Fault::from(fault.0).code().to_owned(), detail: fault.1 });
    report
}

fn closed(error: &io::Error) -> UpstreamFault {
    let by_kind = || match error.kind() {
        io::ErrorKind::ConnectionReset => UpstreamFault::ResetBeforeHeader,
        _ => UpstreamFault::ClosedBeforeHeader,
    };
    tls::behind(error).unwrap_or_else(by_kind)
}

/// Whether it begins with SETTINGS on stream 0, as servers do that speak nothing else (RFC 9113 3.4).
fn is_http2(head: &[u8]) -> bool {
    head.first() == Some(&0) && head.get(3) == Some(&4) && head.get(5..9) == Some(&[0; 4])
}

fn beginning(head: &[u8]) -> String {
    String::from_utf8_lossy(head).chars().take(40).collect()
}

/// Whether a whole head, behind interim ones, came before the end of the connection.
async fn read_head(stream: &mut dyn Stream, head: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        while let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            let is_interim = head.get(9..10) == Some(b"1") && head.get(9..12) != Some(b"101");
            if !is_interim {
                return Ok(true);
            }
            head.drain(..end + 4);
        }
        let is_tls = head.first().is_some_and(|first| TLS_RECORDS.contains(first));
        if is_tls || is_http2(head) || head.len() >= RESPONSE_HEAD_OCTETS_MAX || stream.read_buf(head).await? == 0 {
            return Ok(false);
        }
    }
}

fn read(head: &[u8], report: &mut HttpReport) -> Option<()> {
    let mut lines = [httparse::EMPTY_HEADER; RESPONSE_LINES_MAX];
    let mut parsed = httparse::Response::new(&mut lines);
    parsed.parse(head).ok()?.is_complete().then_some(())?;
    let lines = &parsed.headers;
    let value = |name: &str| lines.iter().find(|line| line.name.eq_ignore_ascii_case(name)).map(|line| line.value);
    note(report, value);
    report.status = parsed.code;
    let value = |name: &str| value(name).map(shown);
    report.connection = value("connection");
    report.keep_alive = value("keep-alive");
    report.keep_alive_seconds = report.keep_alive.as_deref().and_then(announced);
    let says = |word: &str| {
        let members = report.connection.as_deref().unwrap_or_default().split(',');
        members.map(str::trim).any(|member| member.eq_ignore_ascii_case(word))
    };
    report.persistent = if parsed.version == Some(1) { !says("close") } else { says("keep-alive") };
    Some(())
}

/// Takes note of what says who answers.
pub(super) fn note<'h>(report: &mut HttpReport, value: impl Fn(&'static str) -> Option<&'h [u8]>) {
    report.server = value("server").map(shown);
    report.powered_by = value("x-powered-by").map(shown);
    report.location = value("location").map(shown);
}

/// Control characters would reach a terminal.
fn shown(value: &[u8]) -> String {
    String::from_utf8_lossy(value).chars().filter(|c| !c.is_control()).collect()
}

/// The seconds of `timeout=5, max=100`.
fn announced(keep_alive: &str) -> Option<u64> {
    keep_alive.split(',').find_map(|member| {
        let (name, value) = member.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("timeout") { value.trim().parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_how_long_it_keeps_the_connection() {
        let mut report = HttpReport::default();
        read(b"HTTP/1.1 200 OK\r\nServer: a\x07b\r\nKeep-Alive: max=9, Timeout=7\r\n\r\n", &mut report)
            .unwrap_or_default();
        assert_eq!((report.status, report.keep_alive_seconds, report.persistent), (None, None, false), "not a head");
        read(b"HTTP/1.1 200 OK\r\nServer: ab\r\nKeep-Alive: max=9, Timeout=7\r\n\r\n", &mut report).unwrap();
        assert_eq!((report.status, report.keep_alive_seconds, report.persistent), (Some(200), Some(7), true));
        read(b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\n\r\n", &mut report).unwrap();
        assert!(!report.persistent);
        read(b"HTTP/1.0 200 OK\r\n\r\n", &mut report).unwrap();
        assert!(!report.persistent);
    }
}
