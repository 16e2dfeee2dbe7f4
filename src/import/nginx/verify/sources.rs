//! What a configuration asks of requests.

use super::super::tree::Directive;
use super::Random;
use super::sample::Sample;
use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

/// A text, or a regex for texts.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Regex(Sample),
}

impl Value {
    /// `text` as tables and names write it: behind `~` or `~*` a regex.
    fn of(text: &str) -> Self {
        let regex = match text.strip_prefix("~*") {
            Some(source) => Sample::of(source, true),
            None => text.strip_prefix('~').and_then(|source| Sample::of(source, false)),
        };
        regex.map_or_else(|| Self::Text(text.strip_prefix('\\').unwrap_or(text).to_owned()), Self::Regex)
    }

    fn of_regex(source: &str, caseless: bool) -> Self {
        Sample::of(source, caseless).map_or_else(|| Self::Text(source.to_owned()), Self::Regex)
    }

    pub(super) fn text(&self, random: &mut Random) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Regex(sample) => sample.text(random),
        }
    }
}

/// What a server is asked with.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerSource {
    /// By number: where it listens.
    pub(super) sockets: Vec<usize>,
    pub(super) names: Vec<Value>,
    pub(super) paths: Vec<Value>,
}

impl ServerSource {
    /// The server whose block is `directives`.
    pub(super) fn of(directives: &[Directive], sockets: Vec<usize>) -> Self {
        let mut source = Self { sockets, ..Self::default() };
        for directive in directives.iter().filter(|directive| directive.name() == "server_name") {
            source.names.extend(directive.args.iter().map(|name| Value::of(&name.text)));
        }
        source.paths(directives);
        source
    }

    fn paths(&mut self, directives: &[Directive]) {
        for directive in directives {
            match directive.name() {
                "location" => {
                    let pattern = directive.args.last().map_or("", |word| word.text.as_str());
                    let value = match directive.arg(0) {
                        "~" => Value::of_regex(pattern, false),
                        "~*" => Value::of_regex(pattern, true),
                        _ => Value::of(pattern.trim_start_matches(['=', '^'])),
                    };
                    self.paths.push(value);
                }
                "rewrite" => {
                    self.paths.push(Value::of_regex(directive.arg(0), false));
                    self.paths.extend(path(directive.arg(1)));
                }
                "try_files" | "error_page" => {
                    self.paths.extend(directive.args.last().and_then(|last| path(&last.text)));
                }
                "if" => {
                    let (variable, value) = condition(directive);
                    if matches!(variable, "uri" | "request_uri" | "document_uri" | "request_filename") {
                        self.paths.extend(value);
                    }
                }
                _ => {}
            }
            self.paths(directive.children());
        }
    }
}

fn path(text: &str) -> Option<Value> {
    let path = text.split(['$', '?']).next()?;
    path.starts_with('/').then(|| Value::Text(path.to_owned()))
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Header(String),
    Cookie(String),
    Arg(String),
    Args,
    Method,
    Path,
    Host,
}

impl Field {
    fn of(variable: &str) -> Option<Self> {
        let name = variable.to_ascii_lowercase();
        if let Some(header) = name.strip_prefix("http_") {
            return match header {
                "host" => Some(Self::Host),
                "cookie" | "connection" | "content_length" | "transfer_encoding" | "expect" | "upgrade" => None,
                header if header.starts_with("x_rulec") => None,
                header => Some(Self::Header(header.replace('_', "-"))),
            };
        }
        if let Some(argument) = name.strip_prefix("arg_") {
            return Some(Self::Arg(argument.to_owned()));
        }
        if name.starts_with("cookie_") {
            return Some(Self::Cookie(variable.get("cookie_".len()..)?.to_owned()));
        }
        match name.as_str() {
            "args" | "query_string" | "is_args" => Some(Self::Args),
            "request_method" => Some(Self::Method),
            "uri" | "document_uri" | "request_uri" => Some(Self::Path),
            "host" => Some(Self::Host),
            "content_type" => Some(Self::Header("content-type".to_owned())),
            _ => None,
        }
    }
}

/// What all of a configuration asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) fields: BTreeMap<Field, Vec<Value>>,
    pub(super) clients: Vec<IpAddr>,
    pub(super) bodies: Vec<u64>,
    /// Fields that nginx sets or removes: a client may send them all the same.
    pub(super) set: BTreeSet<String>,
}

/// What `directives` ask for.
pub(super) fn asked(directives: &[Directive]) -> Asked {
    let mut asked = Asked { bodies: vec![DEFAULT_BYTES, DEFAULT_BYTES + 1], ..Asked::default() };
    // What every client may send, and what is nobody's but the upstream's.
    asked.set.extend(["cookie", "x-request-id"].map(str::to_owned));
    let clients = ["127.0.0.1", "192.0.2.7", "10.1.2.3", "2001:db8::7"];
    asked.clients = clients.iter().filter_map(|client| client.parse().ok()).collect();
    asked.directives(directives);
    for values in asked.fields.values_mut() {
        values.extend(["1", "0", "x", "A"].map(|text| Value::Text(text.to_owned())));
    }
    asked
}

impl Asked {
    fn directives(&mut self, directives: &[Directive]) {
        for directive in directives {
            for variable in directive.args.iter().flat_map(|word| variables(&word.text)) {
                if let Some(field) = Field::of(&variable) {
                    self.fields.entry(field).or_default();
                }
            }
            match directive.name() {
                "if" => {
                    let (variable, value) = condition(directive);
                    if let (Some(field), Some(value)) = (Field::of(variable), value) {
                        self.fields.entry(field).or_default().push(value);
                    }
                }
                "map" => {
                    let field = Field::of(directive.arg(0).trim_start_matches('$'));
                    for inner in directive.children() {
                        if let Some(field) = field.clone() {
                            self.fields.entry(field).or_default().push(Value::of(inner.name()));
                        }
                    }
                }
                "geo" => directive.children().iter().for_each(|inner| self.network(inner.name())),
                "allow" | "deny" => self.network(directive.arg(0)),
                "limit_except" => {
                    let methods = directive.args.iter().map(|word| Value::Text(word.text.clone()));
                    self.fields.entry(Field::Method).or_default().extend(methods);
                }
                "client_max_body_size" => self.bodies.extend(bodies_at(directive.arg(0))),
                "proxy_set_header" => drop(self.set.insert(directive.arg(0).to_ascii_lowercase())),
                name if name.ends_with("_param") => {
                    let field = directive.arg(0).strip_prefix("HTTP_");
                    self.set.extend(field.map(|field| field.to_ascii_lowercase().replace('_', "-")));
                }
                _ => {}
            }
            self.directives(directive.children());
        }
    }

    /// A client within, and those at its edges.
    fn network(&mut self, text: &str) {
        let Some((network, bits)) = super::super::access::network(text) else { return };
        let Ok(address) = network.split('/').next().unwrap_or("").parse::<IpAddr>() else { return };
        self.clients.push(address);
        match address {
            IpAddr::V4(address) => {
                let size = 1_u32.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                let first = u32::from(address);
                for other in [first.wrapping_add(size).wrapping_sub(1), first.wrapping_add(size), first.wrapping_sub(1)]
                {
                    self.clients.push(IpAddr::V4(other.into()));
                }
            }
            IpAddr::V6(address) => {
                let size = 1_u128.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                let first = u128::from(address);
                for other in [first.wrapping_add(size).wrapping_sub(1), first.wrapping_add(size)] {
                    self.clients.push(IpAddr::V6(other.into()));
                }
            }
        }
    }
}

/// `client_max_body_size` where nobody says it.
const DEFAULT_BYTES: u64 = 1 << 20;

/// The largest body that the bound `text` lets through, and the smallest that it does not. Of bounds beyond what is sent
/// only the latter, which nginx refuses by its head alone.
fn bodies_at(text: &str) -> Vec<u64> {
    let lower = text.to_ascii_lowercase();
    let (digits, unit) = match lower.strip_suffix(['k', 'm', 'g']) {
        Some(digits) => (digits, 1 << (10 * (1 + lower.chars().last().and_then(|c| "kmg".find(c)).unwrap_or(0)))),
        None => (lower.as_str(), 1),
    };
    match digits.parse::<u64>().ok().and_then(|size| size.checked_mul(unit)) {
        Some(0) | None => Vec::new(),
        Some(size) if size > super::client::BODY_BYTES_MAX => size.checked_add(1).into_iter().collect(),
        Some(size) => vec![size, size + 1],
    }
}

/// The variable that an `if` asks, and what it compares it with.
fn condition(directive: &Directive) -> (&str, Option<Value>) {
    let words: Vec<&str> =
        directive.args.iter().map(|word| word.text.as_str()).filter(|word| !matches!(*word, "(" | ")")).collect();
    let (Some(variable), Some(operator)) = (words.first(), words.get(1)) else { return ("", None) };
    let value =
        words.get(2).map(|value| if words.len() == 3 { value.strip_suffix(')').unwrap_or(value) } else { value });
    let value = value.map(|value| match *operator {
        "~" | "!~" => Value::of_regex(value, false),
        "~*" | "!~*" => Value::of_regex(value, true),
        _ => Value::Text(value.to_owned()),
    });
    (variable.trim_start_matches(['(', '$']), value)
}

/// Names behind `$` in `text`.
fn variables(text: &str) -> BTreeSet<String> {
    let name = |part: &str| -> String {
        part.trim_start_matches('{').chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    text.split('$').skip(1).map(name).filter(|name| !name.is_empty()).collect()
}
