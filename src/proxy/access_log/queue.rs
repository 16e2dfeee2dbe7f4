//! From many threads to one that may wait for a disk.

use core::cell::{Cell, RefCell};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::sink::{AccessLog, Sink};
use crate::proxy::limits::{LOG_BATCH_DELAY, LOG_BATCH_OCTETS, LOG_BATCHES_MAX};
use crate::proxy::log_limit::LogLimit;
use crate::visible;

/// Lines on their way. None: it is only time to look whether the file is to be opened again.
type Batch = Option<(Vec<u8>, u64)>;

/// A log that is written by a thread of its own.
#[derive(Debug)]
pub(in crate::proxy) struct Log {
    queue: Option<SyncSender<Batch>>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Lines that were lost.
    dropped: AtomicU64,
    /// Batches that are not written yet.
    waiting: AtomicU64,
    reopen: AtomicBool,
}

impl Log {
    /// Whether lines go anywhere.
    pub(in crate::proxy) fn is_on(&self) -> bool {
        self.queue.is_some()
    }

    /// Lines that were lost because they could not be written, or not fast enough.
    pub(in crate::proxy) fn dropped(&self) -> u64 {
        self.state.dropped.load(Ordering::Relaxed)
    }

    /// The file is opened again before the next line.
    pub(in crate::proxy) fn reopen(&self) {
        self.state.reopen.store(true, Ordering::Release);
        // Where the queue is full, it is not idle.
        drop(self.queue.as_ref().map(|queue| queue.try_send(None)));
    }

    /// Never waits.
    fn send(&self, octets: Vec<u8>, lines: u64) {
        let Some(queue) = &self.queue else { return };
        self.state.waiting.fetch_add(1, Ordering::AcqRel);
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = queue.try_send(Some((octets, lines))) {
            self.state.dropped.fetch_add(lines, Ordering::Relaxed);
            self.state.waiting.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Starts the thread. It ends when the [`Log`] is dropped.
pub(in crate::proxy) fn start(log: AccessLog, name: &str) -> io::Result<(Arc<Log>, Option<JoinHandle<()>>)> {
    let state = Arc::new(State::default());
    let Some(sink) = Sink::open(log)? else { return Ok((Arc::new(Log { queue: None, state }), None)) };
    let (queue, batches) = sync_channel(LOG_BATCHES_MAX);
    let shared = Arc::clone(&state);
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || write_all(&batches, sink, &shared))?;
    Ok((Arc::new(Log { queue: Some(queue), state }), Some(thread)))
}

fn write_all(batches: &Receiver<Batch>, mut sink: Sink, state: &State) {
    let complaints = LogLimit::default();
    while let Ok(batch) = batches.recv() {
        if state.reopen.swap(false, Ordering::AcqRel) {
            sink.reopen();
        }
        let Some((octets, lines)) = batch else { continue };
        // A log that cannot be written is no reason to stop serving.
        if let Err(error) = sink.write(&octets) {
            state.dropped.fetch_add(lines, Ordering::Relaxed);
            if let Some(left_out) = complaints.pass(1) {
                tracing::error!(%error, left_out, "the access log cannot be written: lines are lost");
            }
        }
        state.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// One core's end of a log: gathers lines, and hands them over when they are many or have waited.
#[derive(Debug)]
pub(in crate::proxy) struct Writer {
    log: Arc<Log>,
    octets: RefCell<Vec<u8>>,
    lines: Cell<u64>,
    begun: Notify,
}

impl Writer {
    pub(in crate::proxy) fn new(log: Arc<Log>) -> Self {
        Self { log, octets: RefCell::default(), lines: Cell::new(0), begun: Notify::new() }
    }

    pub(in crate::proxy) fn is_on(&self) -> bool {
        self.log.is_on()
    }

    /// Lets `write` append a line, its end included.
    pub(in crate::proxy) fn line(&self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut octets = self.octets.borrow_mut();
        if octets.capacity() == 0 {
            octets.reserve(LOG_BATCH_OCTETS + LOG_BATCH_OCTETS / 8);
        }
        write(&mut octets);
        self.lines.set(self.lines.get() + 1);
        if octets.len() >= LOG_BATCH_OCTETS {
            drop(octets);
            self.hand_over();
        } else if self.lines.get() == 1 {
            self.begun.notify_one();
        }
    }

    /// Hands over what has waited long enough, for as long as the core runs.
    pub(in crate::proxy) async fn run(&self) {
        loop {
            self.begun.notified().await;
            sleep(LOG_BATCH_DELAY).await;
            self.hand_over();
        }
    }

    fn hand_over(&self) {
        let lines = self.lines.take();
        if lines > 0 {
            self.log.send(self.octets.take(), lines);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.hand_over();
    }
}

/// Standard error for `tracing`, written by a thread of its own: whoever reads it may be slow.
#[derive(Clone, Debug)]
pub struct OperatorLog {
    log: Arc<Log>,
}

impl OperatorLog {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the thread cannot be started.
    pub fn start() -> io::Result<Self> {
        let (log, _) = start(AccessLog::Writer(Box::new(io::stderr())), "operator-log")?;
        Ok(Self { log })
    }

    /// Waits until everything is written, but not for long.
    pub fn flush_all(&self) {
        let end = Instant::now() + Duration::from_secs(1);
        while self.log.state.waiting.load(Ordering::Acquire) > 0 && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl io::Write for OperatorLog {
    /// `octets` are one event and its line end: what upstreams, certificates and artifacts say in it cannot end it.
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let event = String::from_utf8_lossy(octets.strip_suffix(b"\n").unwrap_or(octets));
        self.log.send((visible::line(&event) + "\n").into_bytes(), 1);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Mutex;

    /// What was written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An upstream's or a certificate's words end no line of the log, and do nothing to who reads it.
    #[test]
    fn an_event_is_one_line_that_does_nothing() {
        let written = Written::default();
        let (log, thread) = start(AccessLog::Writer(Box::new(written.clone())), "test").unwrap();
        let mut log = OperatorLog { log };
        let events = [
            "plain\n".to_owned(),
            "a\u{1b}[2J\r\nERROR forged\u{9b}\u{85}\n".to_owned(),
            "b\u{202e}\u{2066}\n\n".to_owned(),
            "x".repeat(100_000) + "\n",
        ];
        for event in &events {
            log.write_all(event.as_bytes()).unwrap();
        }
        log.write_all(b"\xff\xfe not UTF-8\n").unwrap();
        drop(log);
        thread.expect("a writer has one").join().unwrap();
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert_eq!(lines[1], "a\\u001b[2J\\r\\nERROR forged\\u009b\\u0085");
        assert_eq!(lines[2], "b\\u202e\\u2066\\n");
        assert!(lines[3].len() < 5_000 && lines[3].ends_with("bytes more"));
    }
}
