//! Requests to nginx over one connection after the other, and its answers.

use super::echo::{self, Received, line};
use crate::model::RequestRecord;
use core::time::Duration;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// What nginx did. Strings carry bytes as Latin-1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The status; 0 where the connection was closed without an answer.
    pub status: u16,
    /// Names in small letters, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// What the upstream received, if the answer is an upstream's.
    pub received: Option<Received>,
}

impl Answer {
    /// The values of the header `name`, which is in small letters.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// The header that says which client asks, as the instrumented configuration believes it.
pub(super) const CLIENT: &str = "X-Rulec-Client";
/// The header that says what the subrequest of `auth_request` answers.
pub(super) const AUTH: &str = "X-Rulec-Auth";

/// Requests of one connection: nginx may close it after any, and what is behind is sent anew.
const PIPELINED_MAX: usize = 64;

/// The answers of the nginx that listens on `socket` to `requests`, in order.
pub(super) fn ask(socket: &Path, requests: &[RequestRecord]) -> std::io::Result<Vec<Answer>> {
    let mut answers: Vec<Answer> = Vec::new();
    while let Some(rest) = requests.get(answers.len()..).filter(|rest| !rest.is_empty()) {
        let batch = rest.get(..PIPELINED_MAX).unwrap_or(rest);
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut writer = stream.try_clone()?;
        let mut sent = Vec::new();
        for request in batch {
            write(request, &mut sent);
        }
        let writing = std::thread::Builder::new().spawn(move || {
            // nginx may have closed before all of it is written.
            drop(writer.write_all(&sent));
        })?;
        let mut reader = BufReader::new(stream);
        for request in batch {
            let answer = read(&mut reader, request.method == "HEAD")?;
            let is_last = answer.status == 0 || answer.values("connection") == ["close"];
            answers.push(answer);
            if is_last {
                break;
            }
        }
        drop(reader.get_ref().shutdown(std::net::Shutdown::Both));
        drop(writing.join());
    }
    Ok(answers)
}

fn write(request: &RequestRecord, sent: &mut Vec<u8>) {
    let mut put = |text: &str| sent.extend(text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')));
    put(&format!("{} {} HTTP/1.1\r\n", request.method, request.target));
    put(&format!("Host: {}\r\n", request.host.as_deref().unwrap_or("")));
    for (name, value) in &request.headers {
        put(&format!("{name}: {value}\r\n"));
    }
    put(&format!("{CLIENT}: {}\r\n", request.client));
    if request.body > 0 {
        put(&format!("Content-Length: {}\r\n", request.body));
    }
    put("\r\n");
    (0..request.body).for_each(|_| put("b"));
}

/// The next answer; one of status 0 where the connection ends before it.
fn read(reader: &mut impl BufRead, is_head: bool) -> std::io::Result<Answer> {
    let broken = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, format!("nginx answers {what}"));
    let first = match line(reader) {
        Ok(Some(first)) => first,
        Ok(None) => return Ok(Answer::default()),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(Answer::default()),
        Err(error) => return Err(error),
    };
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| broken(&first))?;
    let mut answer = Answer { status, ..Answer::default() };
    while let Some(header) = line(reader)?.filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once(':').ok_or_else(|| broken(&header))?;
        answer.headers.push((name.to_ascii_lowercase(), value.strip_prefix(' ').unwrap_or(value).to_owned()));
    }
    let length = answer.values("content-length").first().and_then(|length| length.parse().ok()).unwrap_or(0);
    let has_body = !is_head && !matches!(status, 204 | 304);
    let mut body = vec![0; if has_body { length } else { 0 }];
    reader.read_exact(&mut body)?;
    answer.body = body.into_iter().map(char::from).collect();
    answer.received = answer.values(echo::TOLD_BY).first().and_then(|told| echo::hear(told));
    Ok(answer)
}
