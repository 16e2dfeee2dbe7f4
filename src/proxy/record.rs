//! What is known of one request, until its line is written.

use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::access_log::{Line, rfc3339};
use super::client::Desk;
use super::fault::Fault;
use super::upstream::Failure;
use super::worker::Worker;

/// The record of a request. Its line is written when it is dropped, which is when the answer has ended.
#[derive(Debug)]
pub(super) struct Record {
    worker: Rc<Worker>,
    desk: Rc<Desk>,
    begun: Instant,
    pub(super) line: Line,
}

impl Record {
    pub(super) fn begin(worker: &Rc<Worker>, desk: &Rc<Desk>, request_id: String) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Until something is decided, what ends it is the client's leaving.
        let line = Line { time: rfc3339(now), request_id, outcome: "aborted", ..Line::default() };
        Self { worker: Rc::clone(worker), desk: Rc::clone(desk), begun: Instant::now(), line }
    }

    pub(super) fn octets_out(&mut self, octets: u64) {
        self.line.octets_out += octets;
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.line.code = Some(fault.code());
    }

    /// What the log says of an upstream that failed.
    pub(super) fn failed(&mut self, failure: &Failure) {
        self.fault(failure.fault);
        self.line.detail.clone_from(&failure.detail);
        self.line.peer = failure.peer.map(|peer| peer.to_string()).or(self.line.peer.take());
        self.line.reused_ms = failure.reused.map(|(age, idle)| (age.as_millis(), idle.as_millis()));
        self.line.sent = Some(failure.sent);
        self.line.received = Some(failure.received);
    }

    /// The client left before the answer had ended.
    pub(super) fn aborted(&mut self) {
        self.line.outcome = "aborted";
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.line.ms = (self.begun.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        self.worker.count(&self.line);
        self.worker.log(&self.line);
        self.desk.close_one();
    }
}
