//! What is known of one request, until its line is written.

use core::net::IpAddr;
use core::sync::atomic::Ordering;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::access_log::{Line, latin1, redact, rfc3339};
use super::fault::Fault;
use super::http1::Head;
use super::policy::Policy;
use super::upstream::Failure;
use super::verdict::{Action, Verdict};
use super::worker::Worker;
use crate::matcher::{Body, Scheme};

/// The record of a request. Its line is written when it is dropped, which is when the answer has ended.
#[derive(Debug)]
pub(super) struct Record {
    worker: Rc<Worker>,
    begun: Instant,
    pub(super) line: Line,
}

impl Record {
    pub(super) fn begin(worker: &Rc<Worker>, request_id: String) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Until something is decided, what ends it is the client's leaving.
        let line = Line { time: rfc3339(now), request_id, outcome: "aborted", ..Line::default() };
        Self { worker: Rc::clone(worker), begun: Instant::now(), line }
    }

    /// What was asked.
    pub(super) fn request(&mut self, policy: &Policy, listener: &str, head: &Head, client: IpAddr, scheme: Scheme) {
        let line = &mut self.line;
        listener.clone_into(&mut line.listener);
        line.client = client.to_string();
        line.method = latin1(head.method());
        line.scheme = scheme.name();
        line.host = head.host().map(latin1).unwrap_or_default();
        line.target = redact(head.target(), |name| policy.secret_arguments.contains(name));
        line.octets_in = if let Body::Octets(octets) = head.body { Some(octets) } else { None };
    }

    /// What was decided, and by which rule; its meters count.
    pub(super) fn verdict(&mut self, policy: &Policy, verdict: &Verdict) {
        self.place(policy, verdict);
        for meter in &verdict.meters {
            if let Some(meter) = entry(&policy.meters, Some(*meter)) {
                meter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// What was decided, and by which rule. Where an error page stands in, meters have counted before.
    pub(super) fn place(&mut self, policy: &Policy, verdict: &Verdict) {
        let line = &mut self.line;
        let service = entry(&policy.manifest.services, verdict.service);
        let location = entry(&policy.manifest.locations, verdict.location);
        line.service = service.map(|service| service.name.clone());
        line.location = location.map(|location| location.display.clone());
        line.name = location.and_then(|location| location.name.clone());
        line.place = location.map(|location| &location.place).or(service.map(|service| &service.place)).cloned();
        line.outcome = match &verdict.action {
            // Until the upstream has answered, what ends it is the client's leaving.
            Action::Proxy(_) => "aborted",
            Action::Respond { .. } => "respond",
            Action::Redirect { .. } => "redirect",
            Action::Refuse { .. } | Action::NeedsPlan { .. } => "refuse",
            Action::Close => "close",
        };
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

fn entry<T>(entries: &[T], index: Option<u32>) -> Option<&T> {
    entries.get(usize::try_from(index?).ok()?)
}

impl Drop for Record {
    fn drop(&mut self) {
        self.line.ms = (self.begun.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        self.worker.count(&self.line);
        self.worker.log(&self.line);
    }
}
