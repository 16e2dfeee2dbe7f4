//! One request of a client: decided, carried out, answered.

mod answer;
mod answer_body;
mod client_cert;
mod forwarded;
mod origin;
mod relocation;
mod request_body;
mod request_head;
mod strip;

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

pub(super) use answer::{AnswerHead, is_bodiless};
pub(super) use answer_body::AnswerBody;
pub(super) use request_body::{Piece, RequestBody};

use self::origin::Origin;
use self::request_head::RequestHead;
use super::client::Client;
use super::fault::{Fault, UpstreamFault};
use super::http1::{Fields, Head};
use super::plans::Lookup;
use super::rare::rare;
use super::record::Record;
use super::upstream::{Answer, Asked, Failure, Outgoing, Then, Tunnel, Upload};
use super::verdict::{Action, Edits, Forward, Verdict};
use super::worker::Serving;
use crate::matcher::{Body, BodyAction, Caller, Header, Omitted, Refusal, Request};

/// The connection is closed without an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed;

impl core::fmt::Display for Closed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("closed as the rules say")
    }
}

impl core::error::Error for Closed {}

/// What a client gets.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) head: AnswerHead,
    pub(super) body: AnswerBody,
    /// Nothing more is read from this client.
    pub(super) last: bool,
    /// The connection goes on with another protocol, after `head`.
    pub(super) tunnel: Option<Box<Tunnel>>,
}

/// Answers a request. Interim answers go to where its body comes from.
pub(super) async fn answer(client: &Client, head: &Head, body: RequestBody) -> Result<Answered, Closed> {
    let interim = body.interim();
    let interim = |status, fields: &Fields| interim.send(status, fields);
    Exchange::new(client, head, &interim).run(body).await
}

struct Exchange<'c> {
    client: &'c Client,
    head: &'c Head,
    /// Hands an interim answer on to the client.
    interim: &'c dyn Fn(u16, &Fields),
    serving: Rc<Serving>,
    request_id: Rc<str>,
    origin: Origin<'c>,
    /// Who calls, once looked up.
    caller: Option<Caller>,
    /// The client's lines that no rule has seen, once decided.
    omitted: Vec<Omitted>,
    record: Box<Record>,
}

/// Why an upstream's answer cannot be sent on, while nothing was sent to the client.
struct Trouble {
    failure: Failure,
    /// Nothing more is read from this client.
    last: bool,
}

/// An answer that is not relayed.
struct Own {
    answer: AnswerHead,
    body: Bytes,
    /// Nothing more is read from this client.
    last: bool,
}

impl<'c> Exchange<'c> {
    fn new(client: &'c Client, head: &'c Head, interim: &'c dyn Fn(u16, &Fields)) -> Self {
        let request_id = client.worker.request_id();
        let record = Record::begin(&client.worker, Rc::clone(&request_id));
        let origin = Origin::of(&client.listener, &client.peer, head);
        let serving = client.worker.serving();
        let mut exchange =
            Self { client, head, interim, serving, request_id, origin, caller: None, omitted: Vec::new(), record };
        exchange.record.request(&exchange.serving, client, head, exchange.origin.address, exchange.origin.scheme);
        exchange
    }

    async fn run(mut self, body: RequestBody) -> Result<Answered, Closed> {
        if let Some(fault) = self.head.fault {
            self.record.line.outcome = "refuse";
            let own = self.problem(fault.into(), true);
            return Ok(self.finish_own(own, &Edits::default()));
        }
        let verdict = self.decide(None);
        self.omitted.clone_from(&verdict.omitted);
        self.record.verdict(&self.serving.policy, &verdict);
        let Verdict { action, edits, .. } = verdict;
        let forward = match action {
            Action::Proxy(forward) => forward,
            action => return self.answer(action, &edits, false),
        };
        match self.proxy(&forward, Some(body), &edits).await {
            Ok(answer) => Ok(self.relay(answer, forward.status, &edits, false)),
            Err(trouble) => rare(self.instead(trouble, &edits)).await,
        }
    }

    /// An answer of the gateway's own.
    fn answer(mut self, action: Action, edits: &Edits, last: bool) -> Result<Answered, Closed> {
        let own = match action {
            Action::Respond { status, body, content_type } => {
                let mut answer = answer::bare(status);
                if let Some(kind) = content_type {
                    answer.fields.push(b"Content-Type", &kind);
                }
                Own { answer, body, last }
            }
            Action::Redirect { status, location } => {
                let mut answer = answer::bare(status);
                answer.fields.push(b"Location", &location);
                Own { answer, body: Bytes::new(), last }
            }
            Action::Refuse { fault, allow } => {
                let mut own = self.problem(fault, last);
                if !allow.is_empty() {
                    own.answer.fields.push(b"Allow", &allow);
                }
                own
            }
            // Asked for and given before.
            Action::NeedsPlan { .. } | Action::Proxy(_) => self.problem(Refusal::PlanFailed.into(), last),
            Action::Close => return Err(Closed),
        };
        Ok(self.finish_own(own, edits))
    }

    /// What is answered where the upstream is in trouble and nothing was sent to the client yet: the error page for its
    /// status, if there is one, else what the trouble is.
    ///
    /// The body of the request may be gone. So a page that is asked of an upstream is asked with GET and without it, or
    /// there was none; a page that would need it, since a named location keeps the method, does not stand in.
    async fn instead(mut self, trouble: Trouble, edits: &Edits) -> Result<Answered, Closed> {
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
            action => return self.answer(action, &edits, trouble.last),
        };
        match self.proxy(&forward, None, &edits).await {
            Ok(answer) => Ok(self.relay(answer, forward.status, &edits, trouble.last)),
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
        request.scheme = self.origin.scheme;
        request.body = self.head.body;
        request.client = self.origin.address;
        request.port = self.origin.port;
        request.listener = Some(self.client.listener.name.as_bytes());
        request.request_id = self.request_id.as_bytes();
        let serving = Rc::clone(&self.serving);
        let policy = &serving.policy;
        request.facts = &policy.facts;
        request.fault = fault;
        request.caller = self.caller;
        let verdict = self.client.worker.decide(policy, &request);
        let Action::NeedsPlan { plans, credential } = &verdict.action else { return verdict };
        let caller = match credential {
            None => Caller::Missing,
            Some(credential) => lookup(&self.serving, *plans, credential, &mut self.record),
        };
        self.caller = Some(caller);
        request.caller = self.caller;
        self.client.worker.decide(policy, &request)
    }

    /// Sends the request on.
    async fn proxy(&mut self, forward: &Forward, body: Option<RequestBody>, edits: &Edits) -> Result<Answer, Trouble> {
        let failed = |failure, last| Trouble { failure, last };
        let pool = usize::try_from(forward.upstream).ok().and_then(|index| self.serving.pools.get(index)).cloned();
        let Some(pool) = pool else { return Err(failed(Failure::new(UpstreamFault::NotConfigured), false)) };
        // nginx sends such a target, and the upstream reads another request line than was decided on.
        if forward.target.first() != Some(&b'/') {
            return Err(failed(Failure::new(Refusal::RewriteEmpty), true));
        }
        let upload = self.upload(forward, body).await.map_err(|fault| failed(Failure::new(fault), true))?;
        let method = forward.method.unwrap_or(self.head.method());
        let upgrade = self.head.upgrade().filter(|_| forward.method.is_none());
        let writer = RequestHead {
            head: self.head,
            method,
            target: &forward.target,
            body: forward.body,
            omitted: &self.omitted,
            edits: &edits.rows,
            request_id: &self.request_id,
            client: self.client,
            origin: &self.origin,
            upgrade,
            on_leave: upload.as_ref().is_some_and(|upload| upload.on_leave),
        };
        let has_upload = upload.is_some();
        let mut outgoing = Outgoing {
            head: &|host| writer.write(host),
            upload,
            idempotent: matches!(method, b"GET" | b"HEAD" | b"PUT" | b"DELETE" | b"OPTIONS"),
            asked: Asked { head_only: method == b"HEAD", upgrade, interim: self.interim },
            key: forward.key.as_deref(),
        };
        let answer = pool.send(&mut outgoing).await.map_err(|failure| failed(failure, has_upload))?;
        // An upload may still be on its way: as after any answer that is not relayed, nothing more is read.
        answer::refuse_elsewhere(&answer, edits).map_err(|failure| failed(failure, has_upload))?;
        Ok(answer)
    }

    /// The body as it is to be sent on; one that is to be stripped is read here.
    async fn upload(&self, forward: &Forward, body: Option<RequestBody>) -> Result<Option<Upload>, Fault> {
        let limits = &self.client.limits;
        let Some(source) = body.filter(|_| self.head.body != Body::None) else { return Ok(None) };
        match forward.body {
            // It was too large, and a page that needs none stands in.
            BodyAction::None => Ok(None),
            BodyAction::Forward => Ok(Some(Upload {
                on_leave: self.head.expects_continue && !source.has_begun(),
                source,
                chunked: self.head.body == Body::Unknown,
                octets_max: forward.octets_max,
                client_idle: limits.client_body_idle_max,
            })),
            BodyAction::Strip => rare(strip::strip(source, forward.octets_max, limits)).await.map(|()| None),
        }
    }

    /// `status` goes over that of the upstream.
    fn relay(mut self, answer: Answer, status: Option<u16>, edits: &Edits, last: bool) -> Answered {
        self.record.answered(answer.peer);
        let mut head = answer::relayed(answer.head, matches!(answer.then, Then::Tunnel(_)));
        if let Some(status) = status {
            // A length that was said of a body that is not sent would be waited for.
            if is_bodiless(head.status) || is_bodiless(status) {
                head.fields.retain(|name, _| !name.eq_ignore_ascii_case(b"content-length"));
            }
            head.status = status;
        }
        let bodiless = status.is_some_and(is_bodiless);
        let record = self.finish(&mut head, edits);
        match answer.then {
            Then::Tunnel(tunnel) => Answered { head, body: AnswerBody::tunnel(record), last, tunnel: Some(tunnel) },
            Then::Body(_) if bodiless => {
                Answered { head, body: AnswerBody::whole(Bytes::new(), record), last, tunnel: None }
            }
            Then::Body(relay) => Answered { head, body: AnswerBody::relay(relay, record), last, tunnel: None },
        }
    }

    #[cold]
    fn problem(&mut self, fault: Fault, last: bool) -> Own {
        self.record.fault(fault);
        let (answer, body) = answer::problem(fault, Some(self.head), &self.request_id);
        Own { answer, body, last }
    }

    #[cold]
    fn trouble(&mut self, trouble: &Trouble) -> Own {
        let Trouble { failure, last } = trouble;
        let is_ours = !matches!(failure.fault, Fault::Upstream(_) | Fault::Gateway(_));
        self.record.line.outcome = if is_ours { "refuse" } else { "fail" };
        self.record.failed(failure);
        let (answer, body) = answer::problem(failure.fault, Some(self.head), &self.request_id);
        Own { answer, body, last: *last }
    }

    fn finish_own(self, own: Own, edits: &Edits) -> Answered {
        let Own { mut answer, mut body, last } = own;
        if is_bodiless(answer.status) {
            body = Bytes::new();
        } else if self.head.method() == b"HEAD" {
            answer.fields.push(b"Content-Length", body.len().to_string().as_bytes());
            body = Bytes::new();
        }
        let record = self.finish(&mut answer, edits);
        Answered { head: answer, body: AnswerBody::whole(body, record), last, tunnel: None }
    }

    /// What every answer gets.
    fn finish(mut self, answer: &mut AnswerHead, edits: &Edits) -> Box<Record> {
        answer.fields.set("X-Request-Id", self.request_id.as_bytes());
        answer::apply(edits, answer);
        self.record.line.status = Some(answer.status);
        self.record
    }
}

fn lookup(serving: &Serving, plans: u32, credential: &[u8], record: &mut Record) -> Caller {
    let index = usize::try_from(plans).unwrap_or(usize::MAX);
    let source = serving.policy.plan_sources.get(index);
    let known = serving.policy.manifest.plan_sources.get(index);
    let (Some(source), Some(known)) = (source, known) else { return Caller::Failed };
    match source.lookup(credential) {
        Lookup::Known { plan, caller } => {
            record.line.plan = Some(Arc::clone(&plan));
            record.line.caller = caller;
            let position = known.plans.iter().position(|known| **known == *plan);
            // A plan that the rules do not know is nobody's: the source and the rules disagree.
            position.and_then(|position| u16::try_from(position).ok()).map_or(Caller::Failed, Caller::Plan)
        }
        Lookup::Unknown => Caller::Unknown,
        Lookup::Failed => Caller::Failed,
    }
}
