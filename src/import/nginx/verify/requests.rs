//! Requests made from a configuration: what it asks for, and what just misses that.

use super::client::{AUTH, SCHEME};
use super::instrument::Instrumented;
use super::socket::Socket;
use super::sources::{Field, ServerSource, Value};
use super::{Random, sources};
use crate::contract::manifest::Manifest;
use crate::import::nginx::Parsed;
use crate::model::RequestRecord;
use core::net::IpAddr;

/// What requests are made from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    servers: Vec<ServerSource>,
    sockets: Vec<Socket>,
    fields: Vec<(Field, Vec<Value>)>,
    clients: Vec<IpAddr>,
    /// Around bounds.
    bodies: Vec<u64>,
    /// Fields that nginx sets or removes.
    set: Vec<String>,
    facts: Vec<(String, Vec<String>)>,
}

impl Source {
    pub(super) fn of(parsed: &Parsed, instrumented: &Instrumented, manifest: &Manifest) -> Self {
        let asked = sources::asked(&parsed.directives);
        Self {
            servers: instrumented.sources.clone(),
            sockets: instrumented.sockets.clone(),
            fields: asked.fields.into_iter().collect(),
            clients: asked.clients,
            bodies: asked.bodies,
            set: asked.set.into_iter().filter(|name| is_end_to_end(name)).collect(),
            facts: manifest.facts.iter().map(|fact| (fact.name.clone(), fact.values.clone())).collect(),
        }
    }

    pub(super) fn request(&self, random: &mut Random) -> RequestRecord {
        let mut request = RequestRecord::new("/");
        let Some(server) = random.pick(&self.servers) else { return request };
        let socket = random.pick(&server.sockets);
        if let Some(socket) = socket.and_then(|socket| self.sockets.get(*socket)) {
            request.listener.clone_from(&socket.listener);
            request.port = socket.port;
            (if socket.is_tls { "https" } else { "http" }).clone_into(&mut request.scheme);
        }
        request.host = Some(host(server, random));
        request.method = method(random);
        let (mut path, mut query) = (path(server, random), Vec::new());
        let mut cookies = Vec::new();
        for (field, values) in &self.fields {
            if !random.chance(55) {
                continue;
            }
            let Some(value) = random.pick(values).map(|value| missed(value.text(random), random)) else { continue };
            match field {
                Field::Header(name) => request.headers.push((name.clone(), of_header(&value))),
                Field::Cookie(name) => {
                    cookies.push(format!("{name}={}", of_header(&value).replace([';', ' ', ','], "")));
                    again(&mut cookies, name, random);
                }
                Field::Arg(name) => {
                    query.push(format!("{name}={}", of_query(&value)));
                    again(&mut query, name, random);
                }
                Field::Args if random.chance(60) => query.push(of_query(&value)),
                Field::Method if random.chance(60) && is_method(&value) => request.method = value,
                Field::Path if random.chance(40) => path = format!("/{}", value.trim_start_matches('/')),
                Field::Host if random.chance(40) && is_host(&value) => request.host = Some(value),
                _ => {}
            }
        }
        if !cookies.is_empty() {
            request.headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        request.target = encoded(&path, random);
        if random.chance(20) {
            query.push(random.word(&["x=1", "a=%2F..&b", "", "?", "q=a+b", "a&&b=/x.php", "1"]).to_owned());
        }
        if !query.is_empty() {
            request.target.push('?');
            request.target.push_str(&query.join("&"));
        }
        request.client = random.pick(&self.clients).copied().unwrap_or(request.client);
        if random.chance(2) {
            request.body = random.pick(&self.bodies).copied().unwrap_or(0);
        } else if (request.method != "GET" && request.method != "HEAD" && random.chance(50)) || random.chance(4) {
            let small = self.bodies.iter().copied().filter(|body| *body <= SMALL_BYTES_MAX);
            let bodies: Vec<u64> = [0, 1, 3].into_iter().chain(small).collect();
            request.body = random.pick(&bodies).copied().unwrap_or(0);
        }
        self.strange(&mut request, random);
        if request.scheme == "https" {
            request.headers.push((SCHEME.to_owned(), "https".to_owned()));
        }
        self.facts(&mut request, random);
        request
    }

    /// Fields that a client has no business to send, and fields sent in ways that few clients do.
    fn strange(&self, request: &mut RequestRecord, random: &mut Random) {
        for name in &self.set {
            let is_asked = request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
            if is_asked || !random.chance(30) {
                continue;
            }
            let value = random.word(&["admin", "1", "203.0.113.9", "other.test", "a, b", "https"]);
            request.headers.push((name.clone(), value.to_owned()));
            // The lines of a field that guards ask are one value here, and in nginx from 1.23.
            let is_read = self.fields.iter().any(|(field, _)| *field == Field::Header(name.clone()));
            if !is_read && !is_single(name) && random.chance(20) {
                request.headers.push((name.to_ascii_uppercase(), "again".to_owned()));
            }
        }
        let known: Vec<String> = request.headers.iter().map(|(name, _)| name.clone()).collect();
        let Some(name) = random.pick(&known).filter(|name| is_end_to_end(name)) else { return };
        match random.below(40) {
            0 => request.headers.push(("Connection".to_owned(), name.clone())),
            1 => request.headers.push((spelled(name, '_'), "underscore".to_owned())),
            2 => request.headers.push((spelled(name, '.'), "dot".to_owned())),
            3 => request.headers.push((format!("{name}!"), "odd".to_owned())),
            _ => {}
        }
    }

    /// No files exist; who may pass is said by the request.
    fn facts(&self, request: &mut RequestRecord, random: &mut Random) {
        let (code, auth) = *random
            .pick(&[("204", "allowed"), ("401", "unauthorized"), ("403", "forbidden"), ("500", "failed")])
            .unwrap_or(&("204", "allowed"));
        let known = random.chance(60);
        let (mut asks_auth, mut asks_user) = (false, false);
        for (name, values) in &self.facts {
            let value = if name.starts_with("auth_basic") {
                asks_user = true;
                if known { "allowed" } else { "unauthorized" }
            } else if values.iter().any(|value| value == "unauthorized") {
                asks_auth = true;
                auth
            } else {
                "no"
            };
            request.facts.insert(name.clone(), value.to_owned());
        }
        if asks_auth {
            request.headers.push((AUTH.to_owned(), code.to_owned()));
        }
        if asks_user {
            request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            if known {
                request.headers.push(("Authorization".to_owned(), "Basic dXNlcjpwYXNzd29yZA==".to_owned()));
            }
        }
    }
}

/// Whether a field is the client's to send, and goes on to the upstream.
fn is_end_to_end(name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "host",
        "connection",
        "upgrade",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "content-length",
        "expect",
    ];
    !OTHERS.contains(&name.to_ascii_lowercase().as_str()) && !name.to_ascii_lowercase().starts_with("x-rulec-")
}

/// Whether nginx answers 400 to a second line of the field, or takes one of them by rules of its own.
fn is_single(name: &str) -> bool {
    const SINGLE: &[&str] =
        &["cookie", "range", "referer", "user-agent", "authorization", "content-type", "from", "via", "date"];
    SINGLE.contains(&name) || name.starts_with("if-") || name == "x-forwarded-for"
}

/// `name` with `letter` for its first `-`, or behind it where it has none.
fn spelled(name: &str, letter: char) -> String {
    if name.contains('-') { name.replacen('-', &letter.to_string(), 1) } else { format!("{name}{letter}") }
}

/// Now and then a second value of `name`, before or behind the first.
fn again(values: &mut Vec<String>, name: &str, random: &mut Random) {
    if random.chance(8) {
        values.push(format!("{name}=again"));
        if random.chance(50) {
            values.reverse();
        }
    }
}

/// Bodies up to here may stand in any request: larger ones would take the time of many.
const SMALL_BYTES_MAX: u64 = 8 << 10;

/// Letters in capitals only: others, TRACE and CONNECT are refused whatever the rules.
fn is_method(method: &str) -> bool {
    !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase()) && !matches!(method, "TRACE" | "CONNECT")
}

fn method(random: &mut Random) -> String {
    let others = [
        "HEAD",
        "POST",
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
        "POST",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "PURGE",
        "REPORT",
        "QUERY",
        "TRACE",
    ];
    (if random.chance(65) { "GET" } else { random.word(&others) }).to_owned()
}

/// What nginx and we take for a host; the others are 400 for both, by rules of their own.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() < 200
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && !host.split('.').any(str::is_empty)
}

fn host(server: &ServerSource, random: &mut Random) -> String {
    let name = random.pick(&server.names).map(|name| name.text(random)).unwrap_or_default();
    let mut host = match name.as_str() {
        name if random.chance(4) => format!("no{}", name.trim_start_matches(['*', '.'])),
        name if name.starts_with("*.") || name.starts_with('.') => {
            let rest = name.trim_start_matches(['*', '.']);
            format!("{}{rest}", random.word(&["a.", "b.c.", "", "www."]))
        }
        name if name.ends_with(".*") => format!("{}{}", name.trim_end_matches('*'), random.word(&["org", "co.uk"])),
        name => name.to_owned(),
    };
    if !is_host(&host) {
        random.word(&["unknown.test", "example.org", "localhost"]).clone_into(&mut host);
    }
    if random.chance(3) {
        host = host.to_ascii_uppercase();
    }
    host
}

fn path(server: &ServerSource, random: &mut Random) -> String {
    let mut path = match random.pick(&server.paths) {
        Some(value) if random.chance(88) => value.text(random),
        _ => String::new(),
    };
    if random.chance(35) || path.is_empty() {
        for _ in 0..=random.below(2) {
            path.push_str(if path.ends_with('/') || random.chance(15) { "" } else { "/" });
            path.push_str(random.word(&SEGMENTS));
        }
    }
    path = missed(path, random);
    if random.chance(12) {
        path.push('/');
    } else if path.len() > 1 && path.ends_with('/') && random.chance(35) {
        path.pop();
    }
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    path
}

const SEGMENTS: [&str; 14] =
    ["a", "b", "x.php", "img.PNG", "api", "v1", "1", "22", "index.html", ".git", "a b", "\u{c3}\u{bc}", "foo", "x-y_z"];

/// `text`, or now and then what just misses it.
fn missed(mut text: String, random: &mut Random) -> String {
    match random.below(24) {
        0 => {
            text.pop();
        }
        1 => text.push_str(random.word(&["x", "1", "/", ".", "-"])),
        2 => text = text.to_ascii_uppercase(),
        3 => {
            text = text.chars().skip(1).collect();
        }
        _ => {}
    }
    text
}

/// What a header can carry.
fn of_header(value: &str) -> String {
    let text: String = value.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    text.trim().to_owned()
}

/// What a query can carry, by RFC 3986.
fn of_query(value: &str) -> String {
    value.chars().filter(|c| c.is_ascii_alphanumeric() || "-._~!$'()*+,;=:@/?&".contains(*c)).collect()
}

/// `path` as a client might spell it: bytes that RFC 3986 forbids stand encoded, others now and then.
fn encoded(path: &str, random: &mut Random) -> String {
    let mut target = String::new();
    for (index, c) in path.chars().enumerate() {
        let byte = u8::try_from(c).unwrap_or(b'?');
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte);
        if !is_plain || (index > 0 && random.chance(2)) {
            target.push_str(&format_args!("%{byte:02X}").to_string());
        } else {
            target.push(c);
        }
        if byte == b'/' && random.chance(2) {
            target.push_str(random.word(&["/", "./", "../", "%2e/", "x/../", "%2F", "..", ".", "+", ";"]));
        }
    }
    if random.chance(4) {
        target
            .push_str(random.word(&["%0a", "%", "%zz", "+", "%3F", "%23", "%25", "%2B", "/..", "/.", "%22%3C", "%20"]));
    }
    target
}
