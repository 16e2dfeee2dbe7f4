//! `no-answer`: locations that can end without an answer, each with a request that does.
//!
//! The diagram takes the fields of a request for independent, and they are not: path, query and target are one string, a
//! field may be read by several automata, no method is CONNECT. So it only proposes what a request may be like; whether
//! there is one is asked of the matcher, and without one nothing is said.

use super::sample;
use super::tables::Builder;
use crate::artifact::format::{NONE, Variable, field};
use crate::artifact::{Lost, Tables};
use crate::contract::cases::RequestRecord;
use crate::contract::manifest::Manifest;
use crate::diagnostic::Diagnostic;
use crate::diagram::{FALSE, NodeId, TRUE};
use crate::matcher::{Matcher, Scratch};
use crate::model::{Location, LocationId, LocationPaths, PlanSourceId, Policy, ServerNameKind, Service};
use crate::trial::record::decide_record;
use core::net::{IpAddr, Ipv6Addr};

/// Ways to end without an answer that are tried of one location.
const WAYS_MAX: usize = 64;

/// Names of a service that are tried.
const HOSTS_MAX: usize = 3;

/// Requests that are tried of a whole policy: each is decided in some microseconds.
const TRIED_MAX: usize = 100_000;

/// A location whose list leaves requests without an answer, as far as the diagram knows.
pub(super) struct Open {
    location: LocationId,
    plans: Option<PlanSourceId>,
    /// Classes of variables with which it may end so.
    ways: Vec<Vec<(u32, u32)>>,
}

impl Builder<'_> {
    /// Notes a location that answers the requests of `answered` only.
    pub(super) fn note_open(&mut self, location: LocationId, plans: Option<PlanSourceId>, answered: NodeId) {
        let Ok(left) = self.diagram.not(answered) else { return };
        let mut ways = Vec::new();
        self.ways(left, &mut Vec::new(), &mut ways);
        if !ways.is_empty() {
            self.open.push(Open { location, plans, ways });
        }
    }

    /// The classes with which `guard` holds: of each stretch of classes that leads on the first and the last.
    fn ways(&self, guard: NodeId, way: &mut Vec<(u32, u32)>, ways: &mut Vec<Vec<(u32, u32)>>) {
        if guard == FALSE || ways.len() >= WAYS_MAX {
            return;
        }
        let Some(node) = self.diagram.nodes().get((guard.0 as usize).wrapping_sub(2)) else {
            if guard == TRUE {
                ways.push(way.clone());
            }
            return;
        };
        let classes = self.fields.classes_of(node.variable);
        let ends = node.runs.iter().skip(1).map(|run| run.first).chain([classes]);
        for (run, end) in node.runs.iter().zip(ends) {
            let mut tried = vec![run.first, run.first + 1, end.saturating_sub(1)];
            tried.retain(|class| (run.first..end).contains(class));
            tried.dedup();
            for class in tried {
                way.push((node.variable, class));
                self.ways(run.child, way, ways);
                way.pop();
            }
        }
    }
}

/// Warnings of those of `open` of which `matcher` shows that it is so.
pub(super) fn shown(open: &[Open], policy: &Policy, manifest: &Manifest, matcher: &Matcher<&[u8]>) -> Vec<Diagnostic> {
    let lost = Lost::new();
    let (mut scratch, mut left) = (Box::new(Scratch::new()), TRIED_MAX);
    let mut found = Vec::new();
    for one in open {
        let Some(location) = policy.locations.get(one.location.0 as usize) else { continue };
        let requests = one.requests(policy, manifest, location, matcher.artifact().tables(&lost));
        let display = manifest.locations.get(one.location.0 as usize).map(|entry| &entry.display);
        let mut shows = None;
        for request in requests.into_iter().take(left) {
            left -= 1;
            let Ok(verdict) = decide_record(matcher, manifest, &request, &mut scratch) else { continue };
            if verdict.code == Some("request.no_answer") && verdict.location.as_ref() == display {
                shows = Some(request);
                break;
            }
        }
        let Some(request) = shows else { continue };
        let message = format!("`location {}` can end without an answer: the request gets 404", location.display);
        let warning = Diagnostic::warning("no-answer", location.span, message);
        found.push(
            warning.note(format!("{} ends so", described(&request))).help("add a `return` or a `proxy` at its end"),
        );
    }
    found
}

/// `request` as a line of a `test` block.
fn described(request: &RequestRecord) -> String {
    let host = request.host.as_deref().unwrap_or("");
    let mut text = format!("`{} {}://{host}{}", request.method, request.scheme, request.target);
    let mut said: Vec<String> =
        request.headers.iter().map(|(name, value)| format!("header \"{name}: {value}\"")).collect();
    said.extend((request.body > 0).then(|| format!("body={}", request.body)));
    said.extend((!request.client.is_loopback()).then(|| format!("client={}", request.client)));
    said.extend(request.listener.iter().map(|name| format!("listener={name}")));
    said.extend(request.plan.iter().map(|plan| format!("plan={plan}")));
    said.extend(request.facts.iter().map(|(name, value)| format!("fact {name}={value}")));
    if !said.is_empty() {
        text = format!("{text} with {}", said.join(" "));
    }
    text + "`"
}

impl Open {
    /// What may end so.
    fn requests(
        &self,
        policy: &Policy,
        manifest: &Manifest,
        location: &Location,
        tables: Tables<'_>,
    ) -> Vec<RequestRecord> {
        let Some(service) = policy.services.get(location.service.0 as usize) else { return Vec::new() };
        // What the location and the service take, whatever class that is of, and what is of the class, whoever takes it.
        let paths = paths(location).into_iter().map(Some).chain([None]);
        let hosts = service.names.iter().take(HOSTS_MAX).map(|name| Some(host(&name.kind))).chain([None]);
        let places: Vec<_> = hosts.flat_map(|host| paths.clone().map(move |path| (host.clone(), path))).collect();
        let mut requests = Vec::new();
        for way in &self.ways {
            for (host, path) in &places {
                let mut made = Made::new(service, host.as_ref(), path.as_ref());
                let parts =
                    way.iter().map(|(variable, class)| made.with(*variable, *class, self.plans, manifest, tables));
                if parts.into_iter().all(|part| part.is_some()) {
                    requests.push(made.request());
                }
            }
        }
        requests
    }
}

/// Paths that `location` may take.
fn paths(location: &Location) -> Vec<Vec<u8>> {
    match &location.paths {
        LocationPaths::Exact(path) => vec![path.clone()],
        LocationPaths::Prefix { prefix, .. } => vec![prefix.clone(), [prefix, b"x".as_slice()].concat()],
        LocationPaths::Regex(pattern) => {
            let text = pattern.meaning.as_ref().map(|meaning| sample::of(&meaning.hir)).unwrap_or_default();
            vec![text.clone(), [b"/", text.as_slice()].concat(), [b"/x", text.as_slice()].concat()]
        }
        LocationPaths::Named => Vec::new(),
    }
}

/// A host that a name takes.
fn host(name: &ServerNameKind) -> String {
    match name {
        ServerNameKind::Exact(host) => host.clone(),
        ServerNameKind::Leading(suffix) => format!("x{suffix}"),
        ServerNameKind::Trailing(prefix) => format!("{prefix}x"),
        ServerNameKind::Regex(pattern) => {
            latin1(&pattern.meaning.as_ref().map(|meaning| sample::of(&meaning.hir)).unwrap_or_default())
        }
    }
}

/// A request while it is made.
struct Made {
    keeps_path: bool,
    keeps_host: bool,
    request: RequestRecord,
    path: Vec<u8>,
    arguments: Vec<Vec<u8>>,
    target: Option<Vec<u8>>,
}

impl Made {
    fn new(service: &Service, host: Option<&String>, path: Option<&Vec<u8>>) -> Self {
        let mut request = RequestRecord::new("");
        request.host = Some(host.cloned().unwrap_or_else(|| "unnamed.test".to_owned()));
        request.listener = service.listeners.first().cloned();
        let (keeps_path, keeps_host) = (path.is_some(), host.is_some());
        let path = path.cloned().unwrap_or_else(|| b"/".to_vec());
        Self { keeps_path, keeps_host, request, path, arguments: Vec::new(), target: None }
    }

    /// Gives what `variable` reads a value of `class`; None where there is none.
    fn with(
        &mut self,
        variable: u32,
        class: u32,
        plans: Option<PlanSourceId>,
        manifest: &Manifest,
        tables: Tables<'_>,
    ) -> Option<()> {
        let row = tables.variables().get(variable)?;
        match row.field {
            field::PLAN => {
                let source = manifest.plan_sources.get(plans?.0 as usize)?;
                let refused = ["?missing", "?unknown", "?failed"].map(str::to_owned);
                self.request.plan = Some(source.plans.iter().chain(&refused).nth(class as usize)?.clone());
            }
            field::FACT => {
                let fact = manifest.facts.get(row.automaton as usize)?;
                self.request.facts.insert(fact.name.clone(), fact.values.get(class as usize)?.clone());
            }
            field::CLIENT => {
                let stretch = tables.addresses().iter().find(|stretch| stretch.class == class)?;
                self.request.client = IpAddr::V6(Ipv6Addr::from_bits(stretch.first())).to_canonical();
            }
            field::BODY => self.request.body = u64::from(class > 0),
            _ if class == 0 => return self.without(row.field),
            field::PATH if self.keeps_path => {}
            field::HOST if self.keeps_host => {}
            _ => {
                let value = sample::of_class(tables, row, class)?;
                self.set(row, value, tables);
            }
        }
        Some(())
    }

    /// The field is absent; None where it never is.
    fn without(&mut self, kind: u32) -> Option<()> {
        match kind {
            field::LISTENER => self.request.listener = None,
            field::HEADER | field::QUERY | field::ARGUMENT | field::COOKIE => {}
            _ => return None,
        }
        Some(())
    }

    fn set(&mut self, row: Variable, value: Vec<u8>, tables: Tables<'_>) {
        let name = || tables.string(row.name);
        match row.field {
            field::METHOD => self.request.method = latin1(&value),
            field::SCHEME => self.request.scheme = latin1(&value),
            field::TARGET if self.keeps_path && !value.starts_with(b"/") => {}
            field::HOST => self.request.host = Some(latin1(&value)),
            field::LISTENER => self.request.listener = Some(latin1(&value)),
            field::PATH => self.path = value,
            field::ARGS => self.arguments = vec![value],
            field::TARGET => self.target = Some(value),
            field::QUERY | field::ARGUMENT => self.arguments.push([name(), b"=", &value].concat()),
            field::COOKIE => {
                let cookie = latin1(&[name(), b"=", &value].concat());
                self.request.headers.push(("Cookie".to_owned(), cookie));
            }
            field::HEADER if row.name != NONE => {
                let name = tables.header_names().row(row.name).lower(tables.strings().bytes);
                self.request.headers.push((latin1(name), latin1(&value)));
            }
            _ => {}
        }
    }

    fn request(mut self) -> RequestRecord {
        self.request.target = self.target.map_or_else(
            || {
                let query = if self.arguments.is_empty() {
                    Vec::new()
                } else {
                    [b"?", self.arguments.join(&b'&').as_slice()].concat()
                };
                escaped(&self.path) + &latin1(&query)
            },
            |target| latin1(&target),
        );
        self.request
    }
}

/// `path` as a target spells it.
fn escaped(path: &[u8]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.iter()
        .map(|byte| if is_plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
