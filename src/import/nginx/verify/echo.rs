//! Upstreams of our own: each tells in its answer what it received.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an upstream received. Strings carry bytes as Latin-1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// The upstream, as nginx names it.
    pub upstream: String,
    /// The request line, without what does not bear on it.
    pub line: String,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// Octets of the body.
    pub body: u64,
}

/// The header of the answer that says what was received: a HEAD has no body that could.
pub(super) const TOLD_BY: &str = "x-rulec-echo";

/// Listening upstreams; they end with it.
#[derive(Debug)]
pub(super) struct Echo {
    ended: Arc<AtomicBool>,
    sockets: Vec<PathBuf>,
}

impl Echo {
    /// One upstream for each of `names`, at [`socket`].
    pub(super) fn start(folder: &Path, names: &[String]) -> std::io::Result<Self> {
        let mut echo = Self { ended: Arc::default(), sockets: Vec::new() };
        for (index, name) in names.iter().enumerate() {
            let path = folder.join(socket(index));
            let listener = UnixListener::bind(&path)?;
            echo.sockets.push(path);
            let (ended, name) = (Arc::clone(&echo.ended), name.clone());
            std::thread::Builder::new().stack_size(STACK).spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    if ended.load(Ordering::Acquire) {
                        return;
                    }
                    let name = name.clone();
                    let spawned =
                        std::thread::Builder::new().stack_size(STACK).spawn(move || drop(serve(&name, &stream)));
                    drop(spawned);
                }
            })?;
        }
        Ok(echo)
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

fn serve(name: &str, stream: &UnixStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(received) = read(name, &mut reader)? {
        let told = tell(&received);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{TOLD_BY}: {told}\r\n{ANSWERED}\r\nok");
        let without_body = received.line.starts_with("HEAD ");
        let octets = answer.as_bytes();
        let end = if without_body { octets.len() - 2 } else { octets.len() };
        writer.write_all(octets.get(..end).unwrap_or(octets))?;
    }
    Ok(())
}

/// Lines of the answers, for `proxy_hide_header` and the like to find.
const ANSWERED: &str = "X-Powered-By: echo\r\nX-Runtime: 1\r\nSet-Cookie: a=b\r\n";

/// [`ANSWERED`] as pairs.
pub(super) fn answered() -> Vec<(String, String)> {
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    ANSWERED.lines().filter_map(pair).collect()
}

fn read(name: &str, reader: &mut impl BufRead) -> std::io::Result<Option<Received>> {
    let Some(line) = line(reader)? else { return Ok(None) };
    let mut received = Received { upstream: name.to_owned(), line, ..Received::default() };
    while let Some(line) = self::line(reader)?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            received.body = value.trim().parse().unwrap_or(0);
        }
        received.headers.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
    }
    std::io::copy(&mut reader.take(received.body), &mut std::io::sink())?;
    Ok(Some(received))
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

/// `received` as the value of one header: fields behind `|`, everything but letters, digits and a few signs as `%XX`.
fn tell(received: &Received) -> String {
    let mut told = String::new();
    let mut field = |text: &str| {
        for c in text.chars() {
            let byte = u8::try_from(c).unwrap_or(b'?');
            if byte.is_ascii_alphanumeric() || b"/-._ ".contains(&byte) {
                told.push(c);
            } else {
                told.push_str(&format_args!("%{byte:02X}").to_string());
            }
        }
        told.push('|');
    };
    field(&received.upstream);
    field(&received.line);
    field(&received.body.to_string());
    for (name, value) in &received.headers {
        field(name);
        field(value);
    }
    told.push('.');
    told
}

/// What [`tell`] has told.
pub(super) fn hear(told: &str) -> Option<Received> {
    let fields: Vec<String> = told.strip_suffix("|.")?.split('|').map(decoded).collect();
    let [upstream, line, body, headers @ ..] = fields.as_slice() else { return None };
    let headers = headers.as_chunks::<2>().0.iter().map(|[name, value]| (name.clone(), value.clone())).collect();
    Some(Received { upstream: upstream.clone(), line: line.clone(), headers, body: body.parse().ok()? })
}

fn decoded(field: &str) -> String {
    let mut parts = field.split('%');
    let mut text = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or(("3F", ""));
        text.push(char::from(u8::from_str_radix(code, 16).unwrap_or(b'?')));
        text.push_str(rest);
    }
    text
}
