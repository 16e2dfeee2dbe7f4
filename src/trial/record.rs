//! Decides one line of `rulec decide` with the compiled matcher.
//!
//! The matcher speaks bytes and indices, the line speaks Latin-1 and names; this is the only place that turns one into
//! the other.

use crate::contract::cases::RequestRecord;
use crate::contract::manifest::{Manifest, Upstream};
use crate::contract::verdict::{self, HeaderChanges, Verdict, VerdictKind};
use crate::matcher::{
    Body, BodyAction, Caller, Decision, EditAction, Edits, Forward, Header, Matcher, Outcome, Request, Scheme, Scratch,
    Side,
};
use std::collections::BTreeMap;
use std::fmt;

/// What the compiled policy does with `record`; `manifest` is the matcher's own.
///
/// A record with a plan is decided twice: which service's plans its name belongs to is known only afterwards.
///
/// # Errors
/// The record cannot be a request: see [`RecordError`].
pub fn decide_record<B: AsRef<[u8]>>(
    matcher: &Matcher<B>,
    manifest: &Manifest,
    record: &RequestRecord,
    scratch: &mut Scratch,
) -> Result<Verdict, RecordError> {
    with_decision(matcher, manifest, record, scratch, |request, decision| verdict(manifest, request, decision))
}

/// What `look` makes of the request and its decision; otherwise as [`decide_record`].
pub(super) fn with_decision<B: AsRef<[u8]>, T>(
    matcher: &Matcher<B>,
    manifest: &Manifest,
    record: &RequestRecord,
    scratch: &mut Scratch,
    look: impl FnOnce(&Request<'_>, &Decision<'_>) -> T,
) -> Result<T, RecordError> {
    let octets = Octets::new(manifest, record)?;
    let lines = octets.lines();
    let mut request = octets.request(&lines);
    if let Some(plan) = &record.plan {
        let service = matcher.decide(&request, scratch).service;
        request.caller = Some(caller(manifest, service, plan)?);
    }
    let decision = matcher.decide(&request, scratch);
    Ok(look(&request, &decision))
}

/// Why a record is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// A string holds a character above `ÿ`, which is no byte.
    NotLatin1 {
        /// Which field of the record.
        field: &'static str,
    },
    /// `scheme` is neither `http` nor `https`.
    Scheme(String),
    /// No plan has this name.
    Plan(String),
    /// No fact has this name, or it has no such value.
    Fact {
        /// The name.
        name: String,
        /// The value.
        value: String,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLatin1 { field } => {
                write!(f, "`{field}` holds a character above U+00FF; strings carry bytes as Latin-1")
            }
            Self::Scheme(scheme) => write!(f, "`{scheme}` is no scheme; `http` and `https` are"),
            Self::Fact { name, value } => write!(f, "no fact `{name}` that can be `{value}`"),
            Self::Plan(plan) => {
                write!(f, "no plan `{plan}`; besides plans there are `?missing`, `?unknown`, `?failed`")
            }
        }
    }
}

impl core::error::Error for RecordError {}

/// The bytes of a record.
struct Octets {
    method: Vec<u8>,
    scheme: Scheme,
    target: Vec<u8>,
    headers: Lines,
    body: Body,
    client: core::net::IpAddr,
    listener: Option<Vec<u8>>,
    port: Option<u16>,
    facts: Vec<Option<u16>>,
    fault: Option<u16>,
}

impl Octets {
    fn new(manifest: &Manifest, record: &RequestRecord) -> Result<Self, RecordError> {
        let scheme = match record.scheme.as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => return Err(RecordError::Scheme(other.to_owned())),
        };
        Ok(Self {
            method: octets("method", &record.method)?,
            scheme,
            target: octets("target", &record.target)?,
            headers: headers(manifest, record)?,
            body: if record.body == 0 { Body::None } else { Body::Octets(record.body) },
            client: record.client,
            listener: record.listener.as_deref().map(|name| octets("listener", name)).transpose()?,
            port: record.port,
            facts: facts(manifest, record)?,
            fault: record.fault,
        })
    }

    fn lines(&self) -> Vec<Header<'_>> {
        self.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
    }

    fn request<'r>(&'r self, headers: &'r [Header<'r>]) -> Request<'r> {
        let mut request = Request::get(&self.target, headers);
        request.method = &self.method;
        request.scheme = self.scheme;
        request.body = self.body;
        request.client = self.client;
        request.listener = self.listener.as_deref();
        request.port = self.port;
        request.facts = &self.facts;
        request.fault = self.fault;
        request
    }
}

/// Header lines that own their bytes.
pub(super) type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// The lines of the record, its Host among them: `host` stands first in place of every other Host.
fn headers(manifest: &Manifest, record: &RequestRecord) -> Result<Lines, RecordError> {
    let is_host = |name: &str| name.eq_ignore_ascii_case("host");
    let said = record.host.as_deref();
    let host = match said {
        Some(host) => Some(host),
        None if record.headers.iter().any(|(name, _)| is_host(name)) => None,
        None => manifest.services.first().and_then(|service| service.host.as_deref()),
    };
    let host = host.map(|host| Ok((b"Host".to_vec(), octets("host", host)?)));
    let rest = record.headers.iter().filter(|(name, _)| said.is_none() || !is_host(name));
    let rest = rest.map(|(name, value)| Ok((octets("headers", name)?, octets("headers", trim(value))?)));
    host.into_iter().chain(rest).collect()
}

/// A header value without the blanks around it, as a parser of HTTP hands it on.
fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

/// The bytes that `text` carries.
fn octets(field: &'static str, text: &str) -> Result<Vec<u8>, RecordError> {
    text.chars().map(|c| u8::try_from(c).map_err(|_| RecordError::NotLatin1 { field })).collect()
}

/// The text that carries `bytes`.
pub(super) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The plan's index is that of the service's own plan source; where the service asks for no plan any known name will do.
fn caller(manifest: &Manifest, service: Option<u32>, plan: &str) -> Result<Caller, RecordError> {
    match plan {
        "?missing" => return Ok(Caller::Missing),
        "?unknown" => return Ok(Caller::Unknown),
        "?failed" => return Ok(Caller::Failed),
        _ => {}
    }
    let service = service.and_then(|index| manifest.services.get(index as usize));
    let source = service.and_then(|service| manifest.plan_sources.get(service.plans? as usize));
    let sources = source.map_or(manifest.plan_sources.as_slice(), core::slice::from_ref);
    let index = sources.iter().find_map(|source| source.plans.iter().position(|name| name == plan));
    let index = index.and_then(|index| u16::try_from(index).ok());
    index.map(Caller::Plan).ok_or_else(|| RecordError::Plan(plan.to_owned()))
}

/// By fact, the index of the value that the record gives it.
fn facts(manifest: &Manifest, record: &RequestRecord) -> Result<Vec<Option<u16>>, RecordError> {
    let mut known = vec![None; manifest.facts.len()];
    for (name, value) in &record.facts {
        let fact = manifest.facts.iter().zip(&mut known).find(|(fact, _)| fact.name == *name);
        let place = fact.and_then(|(fact, place)| {
            let index = fact.values.iter().position(|own| own == value)?;
            Some((place, u16::try_from(index).ok()?))
        });
        let unknown = || RecordError::Fact { name: name.clone(), value: value.clone() };
        let (place, index) = place.ok_or_else(unknown)?;
        *place = Some(index);
    }
    Ok(known)
}

/// The decision by names.
pub(super) fn verdict(manifest: &Manifest, request: &Request<'_>, decision: &Decision<'_>) -> Verdict {
    let service = decision.service.and_then(|index| manifest.services.get(index as usize));
    let location = decision.location.and_then(|index| manifest.locations.get(index as usize));
    let so_far = Verdict {
        service: service.map(|service| service.name.clone()),
        location: location.map(|location| location.display.clone()),
        name: location.and_then(|location| location.name.clone()),
        uri: decision.uri.map(latin1),
        args: decision.uri.map(|_| latin1(decision.args)),
        response: changes(decision.edits(), Side::Response, false),
        meters: meters(manifest, decision.meters()),
        ..Verdict::default()
    };
    match decision.outcome {
        Outcome::NeedsPlan { .. } => Verdict { needs_plan: true, ..so_far },
        Outcome::NeedsFact { fact } => {
            let needs_fact = manifest.facts.get(fact as usize).map(|fact| fact.name.clone());
            Verdict { needs_fact, ..so_far }
        }
        Outcome::Close => Verdict { verdict: Some(VerdictKind::Close), ..so_far },
        Outcome::Proxy(forward) => proxied(manifest, request, decision, forward, so_far),
        Outcome::Respond { status, body, content_type } => Verdict {
            verdict: Some(VerdictKind::Respond),
            status: Some(status),
            body: content_type.map(|_| latin1(body)),
            ..so_far
        },
        Outcome::Redirect { status, location } => Verdict {
            verdict: Some(VerdictKind::Redirect),
            status: Some(status),
            redirect: Some(latin1(location)),
            ..so_far
        },
        Outcome::Refuse { status, refusal, allow } => Verdict {
            verdict: Some(VerdictKind::Refuse),
            status: Some(status),
            code: Some(refusal.code()),
            allow: (status == 405).then(|| methods(allow)),
            ..so_far
        },
    }
}

/// Names of the lines that are left out.
fn omitted(request: &Request<'_>, decision: &Decision<'_>) -> Vec<String> {
    let lines = request.headers;
    decision.omitted().filter_map(|omitted| lines.get(omitted.line)).map(|(name, _)| latin1(name)).collect()
}

fn proxied(
    manifest: &Manifest,
    request: &Request<'_>,
    decision: &Decision<'_>,
    forward: Forward<'_>,
    so_far: Verdict,
) -> Verdict {
    let upstream = manifest.upstreams.get(forward.upstream as usize);
    let body = match forward.body {
        BodyAction::None => "none",
        BodyAction::Forward => "forward",
        BodyAction::Strip => "strip",
    };
    let relocations = decision.edits().filter(|edit| edit.action == EditAction::Relocate);
    let relocate: Vec<_> = relocations.map(|edit| (latin1(edit.name), latin1(edit.value))).collect();
    Verdict {
        verdict: Some(VerdictKind::Proxy),
        status: forward.status,
        upstream: upstream.map(|upstream| upstream.name.clone()),
        forward: Some(verdict::Forward {
            method: forward.method.map(latin1),
            target: latin1(forward.target),
            host: upstream.and_then(host_sent),
            omit: omitted(request, decision),
            headers: changes(decision.edits(), Side::Request, false),
            body,
            key: forward.key.map(latin1),
        }),
        relocate_origin: relocate.first().map(|_| latin1(decision.redirect_origin())),
        relocate,
        response_on_success: changes(decision.edits(), Side::Response, true),
        ..so_far
    }
}

/// The Host header that `upstream` gets: its `host`, else its server's name with a port that is not the scheme's own.
pub fn host_sent(upstream: &Upstream) -> Option<String> {
    let of_server = || {
        let server = upstream.servers.first()?;
        let own_port = if upstream.tls.is_some() { 443 } else { 80 };
        let name = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
        Some(if server.port == own_port { name } else { format!("{name}:{}", server.port) })
    };
    upstream.host.clone().or_else(of_server)
}

/// The edits of `side`; of the answer to a proxied request those that hold always, or those that a success adds.
fn changes(edits: Edits<'_>, side: Side, on_success: bool) -> HeaderChanges {
    let mut changes = HeaderChanges::default();
    for edit in edits.filter(|edit| edit.side == side && edit.on_success == on_success) {
        let name = latin1(edit.name);
        match edit.action {
            EditAction::Set => changes.set.push((name, latin1(edit.value))),
            EditAction::Add => changes.add.push((name, latin1(edit.value))),
            EditAction::Drop => changes.drop.push(name),
            EditAction::Relocate => {}
        }
    }
    changes
}

fn meters(manifest: &Manifest, reached: &[u32]) -> Vec<(String, u64)> {
    let mut counts = BTreeMap::new();
    for name in reached.iter().filter_map(|index| manifest.meters.get(*index as usize)) {
        *counts.entry(name.clone()).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// `GET, HEAD` taken apart.
fn methods(allow: &[u8]) -> Vec<String> {
    latin1(allow).split(", ").filter(|method| !method.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::manifest::{PlanSource, Server, ServiceEntry, Tls};

    fn manifest() -> Manifest {
        let services = vec![
            ServiceEntry {
                name: "a".to_owned(),
                host: Some("a.test".to_owned()),
                plans: Some(1),
                ..Default::default()
            },
            ServiceEntry { name: "b".to_owned(), ..Default::default() },
        ];
        let plans = |plans: &[&str]| PlanSource {
            plans: plans.iter().map(|plan| (*plan).to_owned()).collect(),
            ..Default::default()
        };
        Manifest { services, plan_sources: vec![plans(&["x", "y"]), plans(&["y", "z"])], ..Default::default() }
    }

    fn hosts(host: Option<&str>, headers: &[(&str, &str)]) -> Vec<String> {
        let mut record = RequestRecord::new("/");
        record.host = host.map(str::to_owned);
        record.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let lines = super::headers(&manifest(), &record).unwrap();
        lines.iter().map(|(name, value)| format!("{}: {}", latin1(name), latin1(value))).collect()
    }

    #[test]
    fn a_host_that_is_said_replaces_the_others() {
        assert_eq!(hosts(Some("h"), &[("host", "x"), ("A", "b"), ("HOST", "y")]), ["Host: h", "A: b"]);
        assert_eq!(hosts(Some(""), &[]), ["Host: "]);
    }

    #[test]
    fn a_host_unsaid_falls_back_to_the_headers_then_to_the_first_service() {
        assert_eq!(hosts(None, &[("A", "b"), ("Host", "x"), ("host", "y")]), ["A: b", "Host: x", "host: y"]);
        assert_eq!(hosts(None, &[("A", " b ")]), ["Host: a.test", "A: b"]);
    }

    #[test]
    fn a_plan_is_looked_for_in_the_services_own_source() {
        let manifest = manifest();
        assert_eq!(caller(&manifest, Some(0), "y"), Ok(Caller::Plan(0)));
        assert_eq!(caller(&manifest, Some(0), "x"), Err(RecordError::Plan("x".to_owned())));
        assert_eq!(caller(&manifest, Some(1), "y"), Ok(Caller::Plan(1)));
        assert_eq!(caller(&manifest, None, "?failed"), Ok(Caller::Failed));
        assert_eq!(caller(&manifest, None, "w"), Err(RecordError::Plan("w".to_owned())));
    }

    #[test]
    fn strings_carry_bytes() {
        assert_eq!(octets("target", "/\u{c3}"), Ok(vec![b'/', 0xc3]));
        assert_eq!(octets("target", "/\u{100}"), Err(RecordError::NotLatin1 { field: "target" }));
        assert_eq!(latin1(&[b'/', 0xc3]), "/\u{c3}");
    }

    #[test]
    fn the_port_is_sent_where_it_is_not_the_schemes_own() {
        let host = |host: &str, port, tls: bool| {
            let server = Server { host: host.to_owned(), port, weight: 1, ..Default::default() };
            let upstream = Upstream { servers: vec![server], tls: tls.then(Tls::default), ..Default::default() };
            host_sent(&upstream).unwrap()
        };
        assert_eq!(host("a.test", 80, false), "a.test");
        assert_eq!(host("a.test", 443, true), "a.test");
        assert_eq!(host("a.test", 443, false), "a.test:443");
        assert_eq!(host("::1", 8080, false), "[::1]:8080");
    }
}
