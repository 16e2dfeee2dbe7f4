//! Requests to nginx over one connection after the other, and its answers.

use super::curl;
use super::echo::{Received, line};
use super::socket::{Bound, Stream};
use crate::model::RequestRecord;
use core::time::Duration;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;

/// What nginx did. Strings carry bytes as Latin-1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The status; 0 where the connection was closed without an answer, 100 where a body was wanted that is too large
    /// to be sent here.
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
/// The header that says which scheme the request stands for.
pub(super) const SCHEME: &str = "X-Rulec-Scheme";

/// Requests of one connection: nginx may close it after any, and what is behind is sent anew.
const PIPELINED_MAX: usize = 64;
/// Bodies up to here are sent at once. Whether nginx wants a larger one is asked first, as `curl` does.
const UNASKED_BYTES_MAX: u64 = 64 << 10;
/// Bodies up to here are sent: a larger one would take the time of thousands of requests.
pub(super) const BODY_BYTES_MAX: u64 = 4 << 20;
/// Behind an error page nginx wants a body without a word: a client sends it after a while, as RFC 9110, 10.1.1 says.
const HESITATION: Duration = Duration::from_millis(200);
/// An nginx of our own that has not answered by then hangs.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// The answers of the nginx that listens at `bound` to `requests`, in order.
pub(super) fn ask(bound: &Bound, folder: &Path, requests: &[RequestRecord]) -> io::Result<Vec<Answer>> {
    let mut answers: Vec<Answer> = Vec::new();
    while let Some(rest) = requests.get(answers.len()..).filter(|rest| !rest.is_empty()) {
        let stream = Arc::new(bound.connect(folder)?);
        stream.set_read_timeout(SILENCE_MAX)?;
        match rest.first().filter(|request| request.body > UNASKED_BYTES_MAX) {
            Some(large) => answers.push(ask_first(&stream, large)?),
            None => pipelined(&stream, rest, &mut answers)?,
        }
        stream.shutdown();
    }
    Ok(answers)
}

/// As many of `requests` as one connection takes, up to the next one with a large body.
fn pipelined(stream: &Arc<Stream>, requests: &[RequestRecord], answers: &mut Vec<Answer>) -> io::Result<()> {
    let batch: Vec<&RequestRecord> =
        requests.iter().take_while(|request| request.body <= UNASKED_BYTES_MAX).take(PIPELINED_MAX).collect();
    let mut sent = Vec::new();
    for request in &batch {
        write(request, "", &mut sent);
        sent.resize(sent.len() + usize::try_from(request.body).unwrap_or(0), b'b');
    }
    let writer = Arc::clone(stream);
    let writing = std::thread::Builder::new().spawn(move || {
        // nginx may have closed before all of it is written.
        drop((&*writer).write_all(&sent));
    })?;
    let mut reader = BufReader::new(&**stream);
    for request in &batch {
        let answer = answer_to(request, &mut reader)?;
        let is_last = answer.status == 0 || answer.values("connection") == ["close"];
        answers.push(answer);
        if is_last {
            break;
        }
    }
    stream.shutdown();
    drop(writing.join());
    Ok(())
}

/// A request whose body is sent once nginx has said that it wants it.
fn ask_first(stream: &Stream, request: &RequestRecord) -> io::Result<Answer> {
    let mut head = Vec::new();
    write(request, "Expect: 100-continue\r\n", &mut head);
    let (mut writer, mut reader) = (stream, BufReader::new(stream));
    writer.write_all(&head)?;
    stream.set_read_timeout(HESITATION)?;
    let is_silent = reader.fill_buf().is_err_and(|error| is_timeout(&error));
    stream.set_read_timeout(SILENCE_MAX)?;
    let answer = if is_silent { Answer { status: 100, ..Answer::default() } } else { answer_to(request, &mut reader)? };
    if answer.status != 100 || request.body > BODY_BYTES_MAX {
        return Ok(answer);
    }
    // nginx may answer before it has read all.
    drop(io::copy(&mut io::repeat(b'b').take(request.body), &mut writer));
    answer_to(request, &mut reader)
}

/// The next answer, which is that to `request`.
fn answer_to(request: &RequestRecord, reader: &mut impl BufRead) -> io::Result<Answer> {
    let said = |error| {
        if is_timeout(&error) {
            let what = format!("nginx does not answer within 20 s: {}", curl(request));
            io::Error::new(io::ErrorKind::TimedOut, what)
        } else {
            error
        }
    };
    read(reader, request.method == "HEAD").map_err(said)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn write(request: &RequestRecord, more: &str, sent: &mut Vec<u8>) {
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
    put(more);
    put("\r\n");
}

/// The next answer; one of status 0 where the connection ends before it.
fn read(reader: &mut impl BufRead, is_head: bool) -> io::Result<Answer> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("nginx answers {what}"));
    let first = match line(reader) {
        Ok(Some(first)) => first,
        Ok(None) => return Ok(Answer::default()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(Answer::default()),
        Err(error) => return Err(error),
    };
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| broken(&first))?;
    let mut answer = Answer { status, ..Answer::default() };
    while let Some(header) = line(reader)?.filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once(':').ok_or_else(|| broken(&header))?;
        answer.headers.push((name.to_ascii_lowercase(), value.strip_prefix(' ').unwrap_or(value).to_owned()));
    }
    if !is_head && !matches!(status, 100 | 204 | 304) {
        answer.body = body(reader, &answer)?.into_iter().map(char::from).collect();
    }
    Ok(answer)
}

/// The body of `answer`, however it is framed.
fn body(reader: &mut impl BufRead, answer: &Answer) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if answer.values("transfer-encoding") == ["chunked"] {
        loop {
            let size = line(reader)?.unwrap_or_default();
            let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
            reader.take(size).read_to_end(&mut bytes)?;
            // Behind a chunk a line ends; behind the last one the trailers do.
            while line(reader)?.is_some_and(|line| size == 0 && !line.is_empty()) {}
            if size == 0 {
                return Ok(bytes);
            }
        }
    }
    match answer.values("content-length").first().and_then(|length| length.parse().ok()) {
        Some(length) => reader.take(length).read_to_end(&mut bytes)?,
        None => reader.read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}
