//! One line of JSON for every request, written by a thread of its own.

use core::sync::atomic::{AtomicU64, Ordering};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use serde::Serialize;

use super::limits::LOG_LINES_MAX;

/// Where access log lines go.
#[expect(missing_debug_implementations, reason = "a writer need not be")]
#[expect(clippy::exhaustive_enums, reason = "a caller makes these")]
pub enum AccessLog {
    /// Nowhere.
    Off,
    /// To standard output.
    Stdout,
    /// To a writer.
    Writer(Box<dyn Write + Send>),
}

/// A line. Secrets are not in it: credentials are cut from the target before.
#[derive(Debug, Default, Serialize)]
pub(super) struct Line {
    /// RFC 3339, UTC.
    pub(super) time: String,
    pub(super) request_id: String,
    pub(super) listener: String,
    pub(super) client: String,
    pub(super) method: String,
    pub(super) scheme: &'static str,
    pub(super) host: String,
    pub(super) target: String,
    pub(super) service: Option<String>,
    pub(super) location: Option<String>,
    pub(super) name: Option<String>,
    /// Where the rule that decided stands.
    pub(super) place: Option<String>,
    /// `proxy`, `respond`, `redirect`, `refuse`, `close`, or `aborted` where the client left.
    pub(super) outcome: &'static str,
    pub(super) status: Option<u16>,
    pub(super) code: Option<&'static str>,
    pub(super) detail: Option<String>,
    pub(super) plan: Option<String>,
    pub(super) caller: Option<String>,
    pub(super) upstream: Option<String>,
    pub(super) peer: Option<String>,
    /// Age and idle time of a kept connection that failed, in milliseconds.
    pub(super) reused_ms: Option<(u128, u128)>,
    /// Octets written to and read from an upstream that failed.
    pub(super) sent: Option<u64>,
    pub(super) received: Option<u64>,
    /// Octets of the request's body, where its length was stated.
    pub(super) octets_in: Option<u64>,
    /// Octets of the answer's body that were handed on.
    pub(super) octets_out: u64,
    pub(super) ms: f64,
}

/// Takes lines, never waiting.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    lines: Option<SyncSender<Vec<u8>>>,
    dropped: Arc<AtomicU64>,
}

impl Sender {
    pub(super) fn write(&self, line: &Line) {
        let Some(lines) = &self.lines else { return };
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        if lines.try_send(text).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines that were lost because the writer could not keep up.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Starts the writer. It ends when every sender is gone.
pub(super) fn start(log: AccessLog) -> io::Result<(Sender, Option<JoinHandle<()>>)> {
    let writer: Box<dyn Write + Send> = match log {
        AccessLog::Off => return Ok((Sender { lines: None, dropped: Arc::default() }, None)),
        AccessLog::Stdout => Box::new(io::stdout()),
        AccessLog::Writer(writer) => writer,
    };
    let (lines, queue) = sync_channel(LOG_LINES_MAX);
    let thread = thread::Builder::new().name("access-log".to_owned()).spawn(move || write_all(&queue, writer))?;
    Ok((Sender { lines: Some(lines), dropped: Arc::default() }, Some(thread)))
}

fn write_all(queue: &Receiver<Vec<u8>>, writer: Box<dyn Write + Send>) {
    let mut writer = io::BufWriter::new(writer);
    while let Ok(line) = queue.recv() {
        // A log that cannot be written is no reason to stop serving.
        drop(writer.write_all(&line));
        while let Ok(line) = queue.try_recv() {
            drop(writer.write_all(&line));
        }
        drop(writer.flush());
    }
}

/// `octets` as text: each is the character of its number.
pub(super) fn latin1(octets: &[u8]) -> String {
    octets.iter().map(|&octet| char::from(octet)).collect()
}

/// `target` with the values of the arguments `secret` cut out.
pub(super) fn redact(target: &[u8], is_secret: impl Fn(&str) -> bool) -> String {
    let Some(question) = target.iter().position(|&octet| octet == b'?') else { return latin1(target) };
    let (path, query) = target.split_at_checked(question + 1).unwrap_or((target, b""));
    let arguments = query.split(|&octet| octet == b'&').map(|argument| {
        let name = argument.split(|&octet| octet == b'=').next().unwrap_or_default();
        let is_bare = name.len() == argument.len();
        if !is_bare && is_secret(&latin1(name).to_ascii_lowercase()) {
            format!("{}=[redacted]", latin1(name))
        } else {
            latin1(argument)
        }
    });
    latin1(path) + &arguments.collect::<Vec<_>>().join("&")
}

/// Seconds since 1970 as `2026-11-21T02:03:04.567Z`.
pub(super) fn rfc3339(since_epoch: core::time::Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Civil date from days, counting years from March so that the leap day comes last.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", since_epoch.subsec_millis())
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn credentials_are_cut_from_targets() {
        let check = |target: &str, expect: &str| {
            assert_eq!(redact(target.as_bytes(), |name| name == "user_key"), expect, "{target}");
        };
        check("/words?a=1&user_key=s3cret&b", "/words?a=1&user_key=[redacted]&b");
        check("/words?User_Key=s=3&user_key=", "/words?User_Key=[redacted]&user_key=[redacted]");
        check("/user_key=1", "/user_key=1");
        check("/w?user_key", "/w?user_key");
    }

    #[test]
    fn times_are_written_as_rfc_3339_says() {
        assert_eq!(rfc3339(Duration::from_millis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Duration::from_millis(951_827_696_789)), "2000-02-29T12:34:56.789Z");
        assert_eq!(rfc3339(Duration::from_secs(1_795_228_800)), "2026-11-21T02:40:00.000Z");
    }

    #[test]
    fn no_control_octet_reaches_the_log() {
        let line = Line { target: latin1(b"/\x1b[2J\n\"\xff"), ..Line::default() };
        let text = serde_json::to_vec(&line).unwrap();
        assert!(text.iter().all(|&octet| octet >= b' '));
    }
}
