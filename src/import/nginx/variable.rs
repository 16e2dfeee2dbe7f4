//! nginx's variables: as fields that guards ask for, and as parts of texts.

use super::field::Field;
use super::importer::{Importer, Lack};
use super::place::Place;
use super::rules::template_word;
use super::tree::Word;

/// A piece of a text with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Itself.
    Text(String),
    /// The value of this variable.
    Variable(String),
}

/// The parts of `text`, as nginx reads it.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, Lack> {
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        push_text(&mut parts, rest.get(..at).unwrap_or(""));
        let behind = rest.get(at + 1..).unwrap_or("");
        let (name, octets) = if behind.starts_with(|c: char| matches!(c, '1'..='9')) {
            (behind.get(..1).unwrap_or(""), 1)
        } else if let Some(inside) = behind.strip_prefix('{') {
            let Some(end) = inside.find('}') else {
                return Err(Lack::Wrong(format!("the closing bracket in `{text}` is missing")));
            };
            (inside.get(..end).unwrap_or(""), end + 2)
        } else {
            let end = behind.find(|c| !of_name(c)).unwrap_or(behind.len());
            (behind.get(..end).unwrap_or(""), end)
        };
        if name.is_empty() || name.contains(|c| !of_name(c)) {
            return Err(Lack::Wrong("invalid variable name".to_owned()));
        }
        parts.push(Part::Variable(name.to_owned()));
        rest = behind.get(octets..).unwrap_or("");
    }
    push_text(&mut parts, rest);
    Ok(parts)
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => before.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

impl<'p> Importer<'p> {
    /// `word` as a template of the rules, quoted where it has to be.
    pub(super) fn template(&mut self, word: &Word, place: &Place<'_, 'p>) -> Result<String, Lack> {
        self.template_text(&word.text, place)
            .map(|text| if text.is_empty() { "\"\"".to_owned() } else { template_word(&text) })
    }

    /// `text` as a template of the rules, unquoted.
    pub(super) fn template_text(&mut self, text: &str, place: &Place<'_, 'p>) -> Result<String, Lack> {
        let parts = parts(text)?;
        self.template_of(&parts, place)
    }

    /// `parts` as a template of the rules, unquoted.
    pub(super) fn template_of(&mut self, parts: &[Part], place: &Place<'_, 'p>) -> Result<String, Lack> {
        let mut template = String::new();
        let mut open = false;
        for part in parts {
            let piece = match part {
                Part::Text(text) => Part::Text(text.clone()),
                Part::Variable(name) => self.piece(name, place)?,
            };
            match piece {
                Part::Text(text) => {
                    if text.chars().any(super::decode::is_byte) {
                        return Err(Lack::beyond("rules are UTF-8, and this text is not"));
                    }
                    // `$host` and `name` must not run together.
                    let runs_on = open && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
                    if let Some(start) = template.rfind('$').filter(|_| runs_on) {
                        template.insert(start + 1, '{');
                        template.push('}');
                    }
                    template.push_str(&text);
                    open = false;
                }
                Part::Variable(name) => {
                    // `$1` takes one digit and needs no end.
                    open = !matches!(name.as_bytes(), [b'1'..=b'9']);
                    template.push('$');
                    template.push_str(&name);
                }
            }
        }
        Ok(template)
    }

    /// The variable called `name` as a part of a text of the rules.
    fn piece(&mut self, name: &str, place: &Place<'_, 'p>) -> Result<Part, Lack> {
        let lower = name.to_ascii_lowercase();
        let own = |name: &str| Ok(Part::Variable(name.to_owned()));
        if matches!(lower.as_bytes(), [b'1'..=b'9']) {
            return own(&lower);
        }
        if place.server.sets.contains_key(&lower) && lower != "args" {
            self.said.insert(lower.clone());
            return own(&set_name(&lower));
        }
        if let Some(group) = place.server.groups.iter().find(|group| group.eq_ignore_ascii_case(&lower)) {
            self.said.insert(lower.clone());
            return own(group);
        }
        if self.maps.is_declared(&lower) {
            return self.use_map_at(&lower, place).map(Part::Variable);
        }
        self.check_server(&lower, place)?;
        match lower.as_str() {
            "proxy_add_x_forwarded_for"
            | "request_id"
            | "remote_addr"
            | "is_args"
            | "uri"
            | "args"
            | "host"
            | "scheme"
            | "request_method"
            | "request_uri" => own(&lower),
            "query_string" => own("args"),
            "document_uri" => own("uri"),
            "content_type" => own("http_content_type"),
            "content_length" => own("http_content_length"),
            "server_name" => Ok(Part::Text(place.server.first_name.clone())),
            "proxy_host" => match &place.proxy_host {
                Some(host) => Ok(Part::Text(host.clone())),
                None => Err(Lack::beyond("`$proxy_host` is known where requests are passed on")),
            },
            "proxy_port" => match place.proxy_host.as_deref().map(|host| host.rsplit_once(':')) {
                Some(Some((_, port))) => Ok(Part::Text(port.to_owned())),
                _ => Err(Lack::beyond("`$proxy_port` is known where a port is written")),
            },
            "server_port" => match &place.server.port {
                Some(port) => Ok(Part::Text(port.clone())),
                None => Err(Lack::beyond("the server listens on several ports")),
            },
            "https" => match place.server.is_tls {
                Some(is_tls) => Ok(Part::Text(if is_tls { "on" } else { "" }.to_owned())),
                None => Err(Lack::beyond("`$https` is a scheme here: ask for `$scheme`")),
            },
            "nginx_version" => Ok(Part::Text("1.22.1".to_owned())),
            _ if ["arg_", "http_", "cookie_"].iter().any(|prefix| is_behind(&lower, prefix)) => own(&lower),
            _ if self.variables.contains(&lower) => Ok(Part::Text(String::new())),
            _ => Err(self.unknown(&lower)),
        }
    }

    /// The field that the variable called `name` is.
    pub(super) fn field(&mut self, name: &str, place: &Place<'_, 'p>) -> Result<Field, Lack> {
        let lower = name.to_ascii_lowercase();
        let moved = |what: &str| {
            Err(Lack::beyond(format!(
                "a rewrite may have changed {what} before, and guards see the request as it came"
            )))
        };
        let named = |kind: &str, name: &str| Ok(Field::Named(format!("{kind} {name}")));
        if matches!(lower.as_bytes(), [b'1'..=b'9'])
            || place.server.groups.iter().any(|group| group.eq_ignore_ascii_case(&lower))
        {
            return Err(Lack::beyond(format!("the value of `${name}` is made of captures")));
        }
        if self.maps.is_declared(&lower) {
            return self.use_map_at(&lower, place).map(|name| Field::Plain(format!("${name}")));
        }
        self.check_server(&lower, place)?;
        match lower.as_str() {
            "host" => Ok(Field::Plain("host".to_owned())),
            "request_uri" => Ok(Field::Plain("target".to_owned())),
            "args" | "query_string" if place.moves.args => moved("the query"),
            "args" | "query_string" => Ok(Field::Plain("args".to_owned())),
            "uri" | "document_uri" if place.moves.path => moved("the path"),
            "uri" | "document_uri" => Ok(Field::Plain("path".to_owned())),
            "request_method" => Ok(Field::Method),
            "scheme" => Ok(Field::Scheme),
            "https" => Ok(Field::Https),
            "remote_addr" => Ok(Field::Client),
            "content_type" => named("header", "Content-Type"),
            "content_length" => named("header", "Content-Length"),
            "server_name" => Ok(Field::Text(place.server.first_name.clone())),
            "server_port" => match &place.server.port {
                Some(port) => Ok(Field::Text(port.clone())),
                None => Err(Lack::beyond("the server listens on several ports")),
            },
            "is_args" => Err(Lack::beyond("ask for `$args`")),
            _ => {
                if let Some(header) = lower.strip_prefix("http_").filter(|name| !name.is_empty()) {
                    return named("header", &header_name(header));
                }
                if let Some(argument) = lower.strip_prefix("arg_").filter(|name| !name.is_empty()) {
                    return if place.moves.args { moved("the query") } else { named("query", argument) };
                }
                if let Some(cookie) = lower.strip_prefix("cookie_").filter(|name| !name.is_empty()) {
                    return named("cookie", cookie);
                }
                // Another server sets it: here it is empty.
                if self.variables.contains(&lower) {
                    return Ok(Field::Text(String::new()));
                }
                Err(self.unknown(&lower))
            }
        }
    }

    /// Refuses, in a table, the variable called `name` if its value is another one in each server.
    fn check_server(&self, name: &str, place: &Place<'_, 'p>) -> Result<(), Lack> {
        if place.server.is_any && (name == "server_name" || self.variables.contains(name)) {
            return Err(Lack::beyond(format!("a table does not see what `${name}` is in the server that asks")));
        }
        Ok(())
    }

    /// Why the variable called `name` is neither a field nor a part of a text.
    fn unknown(&self, name: &str) -> Lack {
        let known = HOSTS.contains(&name) || HOSTS_FAMILIES.iter().any(|prefix| is_behind(name, prefix));
        if known || self.maps.is_opaque(name) {
            return Lack::beyond(format!("only the host knows `${name}`"));
        }
        Lack::Wrong(format!("unknown \"{name}\" variable"))
    }
}

fn is_behind(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty())
}

/// `x_api_key` as `X-Api-Key`.
pub(super) fn header_name(variable: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    variable.split('_').map(capital).collect::<Vec<_>>().join("-")
}

/// How the rules call the variable `name` that `set` keeps.
pub(super) fn set_name(name: &str) -> String {
    if name == "plan" { "plan_".to_owned() } else { name.to_owned() }
}

/// Variables whose values rules know nothing of.
const HOSTS: &[&str] = &[
    "hostname",
    "pid",
    "msec",
    "connection",
    "connection_requests",
    "connection_time",
    "connections_active",
    "connections_reading",
    "connections_waiting",
    "connections_writing",
    "binary_remote_addr",
    "remote_port",
    "remote_user",
    "server_addr",
    "server_protocol",
    "request",
    "request_filename",
    "request_body",
    "request_body_file",
    "request_completion",
    "request_length",
    "request_time",
    "document_root",
    "realpath_root",
    "body_bytes_sent",
    "bytes_sent",
    "pipe",
    "status",
    "time_iso8601",
    "time_local",
    "tcpinfo_rtt",
    "tcpinfo_rttvar",
    "tcpinfo_snd_cwnd",
    "tcpinfo_rcv_space",
    "limit_rate",
    "limit_req_status",
    "limit_conn_status",
    "gzip_ratio",
    "invalid_referer",
    "secure_link",
    "secure_link_expires",
    "slice_range",
    "memcached_key",
    "date_gmt",
    "date_local",
    "ancient_browser",
    "modern_browser",
    "msie",
    "uid_got",
    "uid_set",
    "uid_reset",
    "fastcgi_script_name",
    "fastcgi_path_info",
    "proxy_internal_body_length",
    "proxy_internal_chunked",
    "spdy",
    "http2",
    "http3",
    "realip_remote_addr",
    "realip_remote_port",
    "nginx_build",
];
const HOSTS_FAMILIES: &[&str] = &[
    "sent_http_",
    "sent_trailer_",
    "upstream_",
    "ssl_",
    "geoip_",
    "geoip2_",
    "proxy_protocol_",
    "jwt_",
    "otel_",
    "limit_",
    "grpc_",
    "js_",
];
