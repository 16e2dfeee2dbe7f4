//! Upstreams of our own: each keeps what it received, and says in its answer under which number.

use super::upstream_answer::UpstreamAnswer;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// What an upstream received, and what it answered. Strings carry bytes as Latin-1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The upstream, as nginx names it.
    pub upstream: String,
    /// The request line.
    pub line: String,
    /// In order, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body.
    pub body: u64,
    /// What it answered.
    pub answer: UpstreamAnswer,
}

/// The field of the answer that holds the number of what was received.
pub(super) const TOLD_BY: &str = "x-rulec-echo";

/// Listening upstreams; they end with it.
#[derive(Debug)]
pub(super) struct Echo {
    ended: Arc<AtomicBool>,
    sockets: Vec<PathBuf>,
    held: Arc<Mutex<Held>>,
}

/// What was received and not asked for yet, by number.
#[derive(Debug, Default)]
struct Held {
    next: u64,
    received: BTreeMap<u64, Received>,
}

impl Echo {
    /// One upstream for each of `names`, at [`socket`].
    pub(super) fn start(folder: &Path, names: &[String]) -> std::io::Result<Self> {
        let mut echo = Self { ended: Arc::default(), sockets: Vec::new(), held: Arc::default() };
        for (index, name) in names.iter().enumerate() {
            let path = folder.join(socket(index));
            let listener = UnixListener::bind(&path)?;
            echo.sockets.push(path);
            let (ended, name, held) = (Arc::clone(&echo.ended), name.clone(), Arc::clone(&echo.held));
            std::thread::Builder::new().stack_size(STACK).spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    if ended.load(Ordering::Acquire) {
                        return;
                    }
                    let (name, held) = (name.clone(), Arc::clone(&held));
                    let serving = move || drop(serve(&name, &stream, &held));
                    drop(std::thread::Builder::new().stack_size(STACK).spawn(serving));
                }
            })?;
        }
        Ok(echo)
    }

    /// How many requests were received that nobody asked for.
    pub(super) fn unasked(&self) -> usize {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).received.len()
    }

    /// What was received under `number`, which an answer said; it is asked for once.
    pub(super) fn received(&self, number: &str) -> Option<Received> {
        let number = number.parse().ok()?;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).received.remove(&number)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        for path in &self.sockets {
            // Wakes the thread that waits for a connection; if that fails it has ended already.
            drop(UnixStream::connect(path));
        }
    }
}

/// Threads of ours call nothing deep, and there may be hundreds.
const STACK: usize = 128 << 10;

/// The name of the socket of upstream number `index` within the folder.
pub(super) fn socket(index: usize) -> String {
    format!("up_{index}.sock")
}

fn serve(name: &str, stream: &UnixStream, held: &Mutex<Held>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(received) = read(name, &mut reader, stream)? {
        let is_head = received.line.starts_with("HEAD ");
        let says = |value: &str| received.headers.iter().any(|(own, said)| own == "connection" && said == value);
        let is_cut = says_length(&received) > received.body;
        let closes = is_cut || says("close") || (received.line.ends_with("HTTP/1.0") && !says("keep-alive"));
        let answer = received.answer.clone();
        let number = {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            held.next += 1;
            let number = held.next;
            held.received.insert(number, received);
            number
        };
        let connection = if closes { "Connection: close\r\n" } else { "" };
        writer.write_all(&answer.bytes(&format!("{connection}{TOLD_BY}: {number}\r\n"), is_head))?;
        if closes {
            break;
        }
    }
    Ok(())
}

fn read(name: &str, reader: &mut impl BufRead, stream: &UnixStream) -> std::io::Result<Option<Received>> {
    let Some(line) = line(reader)? else { return Ok(None) };
    let mut received = Received { upstream: name.to_owned(), line, ..Received::default() };
    while let Some(line) = self::line(reader)?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        received.headers.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
    }
    let length = says_length(&received);
    stream.set_read_timeout(Some(BODY_SILENCE_MAX))?;
    let mut buffer = [0; 16 << 10];
    while received.body < length {
        let wanted = usize::try_from(length - received.body).unwrap_or(usize::MAX).min(buffer.len());
        match reader.read(buffer.get_mut(..wanted).unwrap_or_default()) {
            Ok(0) | Err(_) => break,
            Ok(count) => received.body += count as u64,
        }
    }
    stream.set_read_timeout(None)?;
    received.answer = UpstreamAnswer::to(name, &received.line);
    Ok(Some(received))
}

/// A body that nginx announces and does not send: `proxy_pass_request_body off` leaves its length.
const BODY_SILENCE_MAX: core::time::Duration = core::time::Duration::from_millis(500);

/// What Content-Length says.
fn says_length(received: &Received) -> u64 {
    let length = received.headers.iter().find(|(name, _)| name == "content-length");
    length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

/// Up to CR LF, as Latin-1.
pub(super) fn line(reader: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
    }
    line.truncate(line.len().saturating_sub(2));
    Ok(Some(line.into_iter().map(char::from).collect()))
}
