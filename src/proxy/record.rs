//! What is known of one request, until its line is written.

use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::rc::Rc;
use std::time::Instant;

use super::access_log::{Asked, Entry, Line, Rule, redact, since_epoch};
use super::account::Account;
use super::client::Client;
use super::fault::{Fault, RequestFault};
use super::http1::Head;
use super::metrics::Series;
use super::policy::Policy;
use super::upstream::Failure;
use super::verdict::{Action, Verdict};
use super::worker::{Serving, Worker};
use crate::matcher::internal::spelling::is_spelling;
use crate::matcher::{Body, Omitted, Scheme};

/// The record of a request. Its line is written when it is dropped, which is when the answer has ended.
#[derive(Debug)]
pub(super) struct Record {
    worker: Rc<Worker>,
    serving: Option<Rc<Serving>>,
    request_id: Rc<str>,
    /// Since 1970.
    time: Duration,
    begun: Instant,
    /// Until the head of the upstream's answer was there.
    answered: Option<Duration>,
    entry: Entry,
    service: Option<u32>,
    location: Option<u32>,
    upstream: Option<u32>,
    pub(super) line: Line,
}

impl Record {
    /// In a box: it goes from hand to hand until the answer has ended.
    pub(super) fn begin(worker: &Rc<Worker>, request_id: Rc<str>) -> Box<Self> {
        worker.cells.begin();
        // Until something is decided, what ends it is the client's leaving.
        let line = Line { outcome: "aborted", ..Line::default() };
        Box::new(Self {
            worker: Rc::clone(worker),
            serving: None,
            request_id,
            time: since_epoch(),
            begun: Instant::now(),
            answered: None,
            entry: Entry::new(worker.take_buffer()),
            service: None,
            location: None,
            upstream: None,
            line,
        })
    }

    /// What was asked.
    pub(super) fn request(
        &mut self,
        serving: &Rc<Serving>,
        client: &Client,
        head: &Head,
        address: IpAddr,
        scheme: Scheme,
    ) {
        self.serving = Some(Rc::clone(serving));
        self.line.octets_in = if let Body::Octets(octets) = head.body { Some(octets) } else { None };
        if !self.worker.log.is_on() {
            return;
        }
        let asked = Asked {
            time: self.time,
            request_id: &self.request_id,
            listener: &client.listener.name,
            client: address,
            method: head.method(),
            scheme: scheme.name(),
            protocol: client.peer.version(head),
            target: head.target(),
            host: head.host().unwrap_or_default(),
            referer: head.values("referer").next().unwrap_or_default(),
            agent: head.values("user-agent").next().unwrap_or_default(),
        };
        let is_secret =
            |name: &[u8]| serving.policy.secret_arguments.iter().any(|own| is_spelling(name, own.as_bytes()));
        let mut clock = self.worker.clock.borrow_mut();
        self.entry.ask(self.worker.format, &mut clock, &asked, |url, part| redact(url, is_secret, part));
    }

    /// What was decided, and by which rule; its meters count.
    pub(super) fn verdict(&mut self, policy: &Policy, verdict: &Verdict) {
        self.place(policy, verdict);
        self.omitted(&verdict.omitted);
        for meter in &verdict.meters {
            if let Some(meter) = entry(&policy.meters, Some(*meter)) {
                meter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Lines of the request that are left out count.
    fn omitted(&mut self, omitted: &[Omitted]) {
        for line in omitted {
            self.worker.cells.omitted(line.why);
        }
        self.line.fields_omitted = omitted.len();
    }

    /// What was decided, and by which rule. Where an error page stands in, meters have counted before.
    pub(super) fn place(&mut self, policy: &Policy, verdict: &Verdict) {
        (self.service, self.location) = (verdict.service, verdict.location);
        self.line.outcome = match &verdict.action {
            // Until the upstream has answered, what ends it is the client's leaving.
            Action::Proxy(forward) => {
                self.upstream = Some(forward.upstream);
                "aborted"
            }
            Action::Respond { .. } => "respond",
            Action::Redirect { .. } => "redirect",
            Action::Refuse { .. } | Action::NeedsPlan { .. } => "refuse",
            Action::Close => "close",
        };
        if !self.worker.log.is_on() {
            return;
        }
        let service = entry(&policy.manifest.services, verdict.service);
        let location = entry(&policy.manifest.locations, verdict.location);
        let rule = Rule {
            service: service.map(|service| service.name.as_str()),
            location: location.map(|location| location.display.as_str()),
            name: location.and_then(|location| location.name.as_deref()),
            place: location
                .map(|location| &location.place)
                .or(service.map(|service| &service.place))
                .map(String::as_str),
        };
        self.entry.rule(self.worker.format, &rule);
    }

    /// The head of the upstream's answer is there, and goes on to the client.
    pub(super) fn answered(&mut self, peer: SocketAddr) {
        self.line.outcome = "proxy";
        self.line.peer = Some(peer);
        self.answered = Some(self.begun.elapsed());
    }

    pub(super) fn octets_out(&mut self, octets: u64) {
        self.line.octets_out += octets;
    }

    /// So many of the bytes that were counted were not written to the client in the end.
    pub(super) fn unwritten(&mut self, bytes: u64) {
        self.line.octets_out = self.line.octets_out.saturating_sub(bytes);
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.line.code = Some(fault.code());
    }

    /// What the log says of an upstream that failed.
    pub(super) fn failed(&mut self, failure: &Failure) {
        self.fault(failure.fault);
        self.line.detail.clone_from(&failure.detail);
        self.line.peer = failure.peer.or(self.line.peer);
        self.line.failure = Some(Box::new(Account::of(failure)));
    }

    /// The client left before the answer had ended.
    pub(super) fn aborted(&mut self) {
        self.line.outcome = "aborted";
    }

    /// What ends a request before it was answered is the client's leaving, or the end of the gateway.
    fn left(&mut self) {
        let line = &mut self.line;
        if line.outcome == "aborted" && line.code.is_none() && !self.worker.is_ending() {
            let fault = Fault::from(RequestFault::ClientLeft);
            line.code = Some(fault.code());
            line.status.get_or_insert(fault.status());
        }
    }

    fn count(&self, took: Duration) {
        self.worker.cells.end();
        let Some(serving) = &self.serving else { return };
        let (line, policy) = (&self.line, &serving.policy);
        let manifest = &policy.manifest;
        let code = line.code.unwrap_or_default();
        let key = (self.service, self.location, self.upstream, line.status.unwrap_or_default(), code.as_ptr().addr());
        let names = || Series {
            service: entry(&manifest.services, self.service).map_or("", |service| &service.name),
            location: entry(&manifest.locations, self.location).map_or("", |location| &location.display),
            upstream: entry(&manifest.upstreams, self.upstream).map_or("", |upstream| &upstream.name),
            code,
            status: line.status,
        };
        let worker = &self.worker;
        let numbers = worker.asked.borrow_mut().numbers(&worker.shared.metrics, policy.id, key, names);
        worker.cells.count(numbers, line.outcome, took, self.answered);
    }
}

impl Record {
    /// Where the request was sent.
    fn upstream_name(&self) -> Option<&str> {
        let upstreams = &self.serving.as_ref()?.policy.manifest.upstreams;
        entry(upstreams, self.upstream).map(|upstream| upstream.name.as_str())
    }
}

fn entry<T>(entries: &[T], index: Option<u32>) -> Option<&T> {
    entries.get(usize::try_from(index?).ok()?)
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        self.left();
        self.count(took);
        let worker = &self.worker;
        if worker.log.is_on() {
            worker.log.line(|into| self.entry.finish(worker.format, &self.line, self.upstream_name(), took, into));
        }
        worker.give_buffer(core::mem::take(&mut self.entry).into_buffer());
    }
}
