//! One request of a client: decided, carried out, answered.

use core::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};

use super::answer::{self, Parts};
use super::body::AnswerBody;
use super::client::{Desk, Head};
use super::config::Listener;
use super::drain::{Drained, drain};
use super::fault::{Fault, UpstreamFault};
use super::network;
use super::plans::Lookup;
use super::record::Record;
use super::request_head::RequestHead;
use super::upstream::{Answer, Failure, Outgoing, Upload};
use super::verdict::{Action, Edit, Forward, Verdict};
use super::worker::{Serving, Worker};
use crate::matcher::{Body, BodyAction, Caller, Header, Refusal, Request, Scheme};

/// What all requests of a connection have in common.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) worker: Rc<Worker>,
    pub(super) desk: Rc<Desk>,
    pub(super) listener: Rc<Listener>,
    /// The address at the other end; of a Unix socket 127.0.0.1.
    pub(super) peer: IpAddr,
}

/// The connection is closed without an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed;

impl core::fmt::Display for Closed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("closed as the rules say")
    }
}

impl core::error::Error for Closed {}

/// Answers the next request of a connection.
pub(super) async fn answer(client: Rc<Client>, body: Incoming) -> Result<Response<AnswerBody>, Closed> {
    let head = client.desk.take().ok_or(Closed)?;
    let exchange = Exchange::new(&client, &head);
    exchange.run(body).await
}

struct Exchange<'c> {
    client: &'c Client,
    head: &'c Head,
    serving: Serving,
    request_id: String,
    scheme: Scheme,
    address: IpAddr,
    peer_is_trusted: bool,
    /// Who calls, once looked up.
    caller: Option<Caller>,
    record: Record,
}

/// Why an upstream's answer cannot be sent on, while nothing was sent to the client.
struct Trouble {
    failure: Failure,
    /// Nothing more is read from this client.
    last: bool,
}

/// An answer that is not relayed.
struct Own {
    parts: Parts,
    body: Bytes,
    /// Nothing more is read from this client.
    last: bool,
}

impl<'c> Exchange<'c> {
    fn new(client: &'c Client, head: &'c Head) -> Self {
        let request_id = client.worker.request_id();
        let record = Record::begin(&client.worker, &client.desk, request_id.clone());
        let trusted = &client.listener.trusted;
        let peer_is_trusted = network::is_trusted(client.peer, trusted);
        let address = network::client(client.peer, trusted, head.values("x-forwarded-for"));
        let scheme = if peer_is_trusted && says_https(head) { Scheme::Https } else { Scheme::Http };
        let serving = client.worker.serving();
        let mut exchange =
            Self { client, head, serving, request_id, scheme, address, peer_is_trusted, caller: None, record };
        exchange.record.request(&exchange.serving.policy, &client.listener.name, head, exchange.address, scheme);
        exchange
    }

    async fn run(mut self, body: Incoming) -> Result<Response<AnswerBody>, Closed> {
        if let Some(fault) = self.head.fault() {
            self.record.line.outcome = "refuse";
            let own = self.problem(fault.into(), true);
            return Ok(self.finish_own(own, &[]));
        }
        let verdict = self.decide(None);
        self.record.verdict(&self.serving.policy, &verdict);
        let Verdict { action, edits, .. } = verdict;
        let forward = match action {
            Action::Proxy(forward) => forward,
            action => return self.answer(action, Some(body), &edits, false).await,
        };
        match self.proxy(&forward, Some(body), &edits).await {
            Ok((answer, last)) => Ok(self.relay(answer, forward.status, &edits, last)),
            Err(trouble) => self.instead(trouble, &edits).await,
        }
    }

    /// An answer of the gateway's own. A body that was taken already is None.
    async fn answer(
        mut self,
        action: Action,
        body: Option<Incoming>,
        edits: &[Edit],
        last: bool,
    ) -> Result<Response<AnswerBody>, Closed> {
        let own = match action {
            Action::Respond { status, body: text, content_type } => {
                let mut parts = answer::parts(status);
                let kind = content_type.and_then(|kind| HeaderValue::from_bytes(&kind).ok());
                parts.headers.extend(kind.map(|kind| (header::CONTENT_TYPE, kind)));
                Own { parts, body: text, last }
            }
            Action::Redirect { status, location } => {
                let mut parts = answer::parts(status);
                let location = HeaderValue::from_bytes(&location).ok();
                parts.headers.extend(location.map(|location| (header::LOCATION, location)));
                Own { parts, body: Bytes::new(), last }
            }
            Action::Refuse { fault, allow } => {
                let mut own = self.problem(fault, last);
                let allow = HeaderValue::from_bytes(&allow).ok().filter(|allow| !allow.is_empty());
                own.parts.headers.extend(allow.map(|allow| (header::ALLOW, allow)));
                own
            }
            // Asked for and given before.
            Action::NeedsPlan { .. } | Action::Proxy(_) => self.problem(Refusal::PlanFailed.into(), last),
            Action::Close => return Err(Closed),
        };
        let drained = self.drain_unwanted(body).await;
        Ok(self.finish_own(Own { last: own.last || drained == Drained::Left, ..own }, edits))
    }

    /// What is answered where the upstream is in trouble and nothing was sent to the client yet: the error page for its
    /// status, if there is one, else what the trouble is.
    ///
    /// The body of the request may be gone. So a page that is asked of an upstream is asked with GET and without it, or
    /// there was none; a page that would need it, since a named location keeps the method, does not stand in.
    async fn instead(mut self, trouble: Trouble, edits: &[Edit]) -> Result<Response<AnswerBody>, Closed> {
        let verdict = self.decide(Some(trouble.failure.fault.status()));
        let is_paged = match &verdict.action {
            Action::Refuse { fault: Fault::Refused { refusal: Refusal::UpstreamFailed, .. }, .. } => false,
            Action::Proxy(forward) => {
                self.head.body == Body::None || forward.body != BodyAction::Forward || forward.method.is_some()
            }
            _ => true,
        };
        if !is_paged {
            let own = self.trouble(&trouble);
            return Ok(self.finish_own(own, edits));
        }
        self.record.failed(&trouble.failure);
        self.record.place(&self.serving.policy, &verdict);
        let Verdict { action, edits, .. } = verdict;
        let forward = match action {
            Action::Proxy(forward) => Forward { body: BodyAction::None, ..forward },
            action => return self.answer(action, None, &edits, trouble.last).await,
        };
        match self.proxy(&forward, None, &edits).await {
            Ok((answer, last)) => Ok(self.relay(answer, forward.status, &edits, last || trouble.last)),
            Err(again) => {
                let own = self.trouble(&Trouble { last: again.last || trouble.last, ..again });
                Ok(self.finish_own(own, &edits))
            }
        }
    }

    /// Decides, and looks the caller up where the outcome depends on it; once.
    fn decide(&mut self, fault: Option<u16>) -> Verdict {
        let headers: Vec<Header<'_>> = self.head.lines().collect();
        let mut request = Request::get(self.head.target(), &headers);
        request.method = self.head.method();
        request.scheme = self.scheme;
        request.body = self.head.body;
        request.client = self.address;
        request.listener = Some(self.client.listener.name.as_bytes());
        request.request_id = self.request_id.as_bytes();
        let policy = Arc::clone(&self.serving.policy);
        request.facts = &policy.facts;
        request.fault = fault;
        request.caller = self.caller;
        let verdict = self.client.worker.decide(&policy, &request);
        let Action::NeedsPlan { plans, credential } = &verdict.action else { return verdict };
        let caller = match credential {
            None => Caller::Missing,
            Some(credential) => lookup(&self.serving, *plans, credential, &mut self.record),
        };
        self.caller = Some(caller);
        request.caller = self.caller;
        self.client.worker.decide(&policy, &request)
    }

    /// Reads what the client sends and nobody wants, if it is little.
    async fn drain_unwanted(&self, body: Option<Incoming>) -> Drained {
        let Some(body) = body.filter(|_| self.head.body != Body::None) else { return Drained::Whole };
        // Reading would ask a client that waits for leave to send it.
        if self.head.expects_continue() {
            return Drained::Left;
        }
        drain(body, &self.client.worker.shared.limits).await
    }

    /// Sends the request on; with the answer comes whether the client's connection ends with it.
    async fn proxy(
        &mut self,
        forward: &Forward,
        body: Option<Incoming>,
        edits: &[Edit],
    ) -> Result<(Answer, bool), Trouble> {
        let failed = |failure, last| Trouble { failure, last };
        let pool = usize::try_from(forward.upstream).ok().and_then(|index| self.serving.pools.get(index)).cloned();
        let Some(pool) = pool else { return Err(failed(Failure::new(UpstreamFault::NotConfigured), false)) };
        self.record.line.upstream = Some(pool.upstream.name.clone());
        // nginx sends such a target, and the upstream reads another request line than was decided on.
        if forward.target.first() != Some(&b'/') {
            return Err(failed(Failure::new(Refusal::RewriteEmpty), true));
        }
        let (upload, last) = self.upload(forward, body).await.map_err(|fault| failed(Failure::new(fault), true))?;
        let method = forward.method.unwrap_or(self.head.method());
        let writer = RequestHead {
            head: self.head,
            method,
            target: &forward.target,
            body: forward.body,
            edits,
            request_id: &self.request_id,
            peer: self.client.peer,
            peer_is_trusted: self.peer_is_trusted,
            scheme: self.scheme,
        };
        let has_upload = upload.is_some();
        let outgoing = Outgoing {
            head: &|host| writer.write(host),
            upload,
            idempotent: matches!(method, b"GET" | b"HEAD" | b"PUT" | b"DELETE" | b"OPTIONS"),
            head_only: method == b"HEAD",
        };
        pool.send(outgoing).await.map(|answer| (answer, last)).map_err(|failure| failed(failure, last || has_upload))
    }

    /// The body as it is to be sent on; one that is to be stripped is read here.
    async fn upload(&self, forward: &Forward, body: Option<Incoming>) -> Result<(Option<Upload>, bool), Fault> {
        let limits = &self.client.worker.shared.limits;
        let Some(source) = body.filter(|_| self.head.body != Body::None) else { return Ok((None, false)) };
        match forward.body {
            // It was too large, and a page that needs none stands in.
            BodyAction::None => Ok((None, self.drain_unwanted(Some(source)).await == Drained::Left)),
            BodyAction::Forward => {
                let chunked = self.head.body == Body::Unknown;
                let (octets_max, client_idle) = (forward.octets_max, limits.client_body_idle_max);
                Ok((Some(Upload { source, chunked, octets_max, client_idle }), false))
            }
            BodyAction::Strip => super::drain::strip(source, forward.octets_max, limits).await.map(|()| (None, false)),
        }
    }

    /// `status` goes over that of the upstream.
    fn relay(mut self, answer: Answer, status: Option<u16>, edits: &[Edit], last: bool) -> Response<AnswerBody> {
        self.record.line.peer = Some(answer.peer.to_string());
        let Some(mut parts) = answer::relayed(&answer.head) else {
            let failure = Failure::new(UpstreamFault::ResponseMalformed);
            let own = self.trouble(&Trouble { failure, last: true });
            return self.finish_own(own, edits);
        };
        self.record.line.outcome = "proxy";
        let Some(status) = status else {
            let (parts, record) = self.finish(parts, edits, last);
            return Response::from_parts(parts, AnswerBody::relay(answer.relay, record));
        };
        // A length that was said of a body that is not sent would be waited for.
        if is_bodiless(parts.status.as_u16()) || is_bodiless(status) {
            parts.headers.remove(header::CONTENT_LENGTH);
        }
        parts.status = answer::parts(status).status;
        let (parts, record) = self.finish(parts, edits, last);
        let body = if is_bodiless(status) {
            AnswerBody::whole(Bytes::new(), record)
        } else {
            AnswerBody::relay(answer.relay, record)
        };
        Response::from_parts(parts, body)
    }

    fn problem(&mut self, fault: Fault, last: bool) -> Own {
        self.record.fault(fault);
        let (parts, body) = answer::problem(fault, Some(self.head), &self.request_id);
        Own { parts, body, last }
    }

    fn trouble(&mut self, trouble: &Trouble) -> Own {
        let Trouble { failure, last } = trouble;
        self.record.line.outcome = if matches!(failure.fault, Fault::Upstream(_)) { "fail" } else { "refuse" };
        self.record.failed(failure);
        let (parts, body) = answer::problem(failure.fault, Some(self.head), &self.request_id);
        Own { parts, body, last: *last }
    }

    fn finish_own(self, mut own: Own, edits: &[Edit]) -> Response<AnswerBody> {
        if is_bodiless(own.parts.status.as_u16()) {
            own.body = Bytes::new();
        } else {
            own.parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(own.body.len()));
            if self.head.method() == b"HEAD" {
                own.body = Bytes::new();
            }
        }
        let (parts, record) = self.finish(own.parts, edits, own.last);
        Response::from_parts(parts, AnswerBody::whole(own.body, record))
    }

    /// What every answer gets.
    fn finish(mut self, mut parts: Parts, edits: &[Edit], last: bool) -> (Parts, Record) {
        let id = HeaderValue::from_str(&self.request_id).unwrap_or(HeaderValue::from_static("-"));
        parts.headers.insert(HeaderName::from_static("x-request-id"), id);
        answer::apply(edits, parts.status, &mut parts.headers);
        if last {
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        self.record.line.status = Some(parts.status.as_u16());
        (parts, self.record)
    }
}

/// Whether answers of `status` have no body.
fn is_bodiless(status: u16) -> bool {
    status < 200 || status == 204 || status == 304
}

/// What the nearest hop says of the scheme; farther ones may be anybody.
fn says_https(head: &Head) -> bool {
    let said = head.values("x-forwarded-proto").flat_map(super::client::members).last();
    said.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https"))
}

fn lookup(serving: &Serving, plans: u32, credential: &[u8], record: &mut Record) -> Caller {
    let index = usize::try_from(plans).unwrap_or(usize::MAX);
    let source = serving.policy.plan_sources.get(index);
    let known = serving.policy.manifest.plan_sources.get(index);
    let (Some(source), Some(known)) = (source, known) else { return Caller::Failed };
    match source.lookup(credential) {
        Lookup::Known { plan, caller } => {
            record.line.plan = Some(plan.to_string());
            record.line.caller = caller.map(|caller| caller.to_string());
            let position = known.plans.iter().position(|known| **known == *plan);
            // A plan that the rules do not know is nobody's: the source and the rules disagree.
            position.and_then(|position| u16::try_from(position).ok()).map_or(Caller::Failed, Caller::Plan)
        }
        Lookup::Unknown => Caller::Unknown,
        Lookup::Failed => Caller::Failed,
    }
}
