//! Settings of a level: headers, error pages, bodies, with what nginx drops of the outer levels.

use super::cgi;
use super::importer::{Importer, Lack};
use super::kind::{KINDS, Kind, unsaid_redirect};
use super::level::Level;
use super::map::Maps;
use super::place::Place;
use super::proxy::default_redirect;
use super::rules::{Node, quoted, word};
use super::table::{self, Class};
use super::tree::Directive;
use crate::contract::field_name::FRAMING;
use crate::diagnostic::Span;
use std::collections::BTreeSet;

/// What nginx hides of an upstream's fields unless `proxy_pass_header` names them; `Date` is each server's own.
const HIDDEN: [&str; 7] = [
    "Server",
    "X-Pad",
    "X-Accel-Expires",
    "X-Accel-Redirect",
    "X-Accel-Limit-Rate",
    "X-Accel-Buffering",
    "X-Accel-Charset",
];

impl<'p> Importer<'p> {
    /// What a service says: all that counts there.
    pub(super) fn all_settings(&mut self, place: &Place<'_, 'p>, span: Span) -> Vec<Node> {
        let mut nodes = Vec::new();
        for kind in KINDS {
            if kind == Kind::ResponseHeaders {
                nodes.extend(hidden(place, span));
            }
            for directive in kind.names().flat_map(|name| place.level.effective(name)) {
                nodes.extend(self.setting(directive, place));
            }
        }
        beside(nodes)
    }

    /// What a level says of its own, in place of what it inherits and of the kinds that an `if` has `changed` before;
    /// and which kinds those are.
    pub(super) fn own_settings(
        &mut self,
        place: &Place<'_, 'p>,
        changed: &BTreeSet<Kind>,
    ) -> (Vec<Node>, BTreeSet<Kind>) {
        let (mut nodes, mut own) = (Vec::new(), BTreeSet::new());
        for kind in KINDS.into_iter().filter(|kind| kind.is_own(&place.level)) {
            own.insert(kind);
            nodes.extend(self.settings_of(kind, kind.replaces(&place.level) || changed.contains(&kind), place));
        }
        (nodes, own)
    }

    /// What counts on a level, said again where an `if` before may have said otherwise.
    pub(super) fn restored(&mut self, kinds: &BTreeSet<Kind>, place: &Place<'_, 'p>) -> Vec<Node> {
        kinds.iter().flat_map(|kind| self.settings_of(*kind, true, place)).collect()
    }

    fn settings_of(&mut self, kind: Kind, replaces: bool, place: &Place<'_, 'p>) -> Vec<Node> {
        let level = &place.level;
        let of_level = |name| if replaces { level.effective(name) } else { level.own(name) };
        let directives: Vec<&'p Directive> = kind.names().flat_map(of_level).collect();
        let span = directives.first().or(level.directives.first().as_ref()).map_or(Span::default(), |own| own.span);
        let mut nodes = Vec::new();
        if kind == Kind::ResponseHeaders && replaces {
            nodes.extend(hidden(place, span));
        }
        for directive in &directives {
            nodes.extend(self.setting(directive, place));
        }
        if kind == Kind::Redirects
            && let Some((from, to)) = unsaid_redirect(level)
        {
            nodes.push(Node::line(format!("proxy_redirect {} {}", quoted(&from), quoted(&to)), span));
        }
        let mut nodes = beside(nodes);
        let Some(forget) = kind.forget() else { return nodes };
        let is_said = matches!(nodes.as_slice(), [Node::Line { text, .. }, ..] if text == forget);
        if replaces && !is_said {
            nodes.insert(0, Node::line(forget, span));
        }
        nodes
    }

    fn setting(&mut self, directive: &'p Directive, place: &Place<'_, 'p>) -> Vec<Node> {
        let said = match directive.name() {
            "add_header" => self.add_header(directive, place),
            "proxy_set_header" | "grpc_set_header" => self.set_header(directive, place),
            "proxy_hide_header" => hide_header(directive, &place.level),
            "proxy_pass_header" => editable(directive.arg(0)).map(|()| Vec::new()),
            "proxy_pass_request_headers" => Ok(pass_request_headers(directive)),
            "expires" => expires(directive),
            "error_page" => self.error_page(directive, place),
            "client_max_body_size" => body(directive),
            "proxy_redirect" => self.redirect(directive, place),
            _ => parameter_of_another(directive),
        };
        let lines = match said {
            Ok(lines) => {
                self.carried(directive);
                lines
            }
            Err(Lack::Beyond(why)) => {
                let drops = dropped(directive);
                let is_dropped = if drops.is_empty() { "" } else { "; of no client is it passed on either" };
                if self.gap(directive, &format!("{why}{is_dropped}")) { drops } else { Vec::new() }
            }
            Err(wrong) => {
                self.lacks(directive, &wrong);
                return Vec::new();
            }
        };
        let comments = directive.comments.iter().map(|comment| Node::Comment(comment.text.clone()));
        comments.chain(lines.into_iter().map(|line| Node::line(line, directive.span))).collect()
    }

    fn add_header(&mut self, directive: &'p Directive, place: &Place<'_, 'p>) -> Result<Vec<String>, Lack> {
        let [name, value, rest @ ..] = directive.args.as_slice() else {
            return Err(Lack::Wrong("invalid number of arguments in \"add_header\" directive".to_owned()));
        };
        editable(&name.text)?;
        let always = match rest {
            [] => "",
            [word] if word.text == "always" => "always",
            _ => {
                return Err(Lack::Wrong(format!(
                    "invalid parameter \"{}\"",
                    rest.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
                )));
            }
        };
        let template = self.template(value, place)?;
        // Two that nginx replaces, also with nothing; the others stand beside what the upstream sent.
        let replaced = ["last-modified", "etag"].contains(&name.text.to_ascii_lowercase().as_str());
        if value.text.is_empty() && !replaced {
            return Ok(Vec::new());
        }
        if !value.text.is_empty() {
            blank(&value.text)?;
        }
        let verb = if replaced { "set" } else { "add" };
        let when = if always.is_empty() { " on success" } else { "" };
        Ok(vec![format!("{verb} response header {} {template}{when}", word(&name.text))])
    }

    fn set_header(&mut self, directive: &'p Directive, place: &Place<'_, 'p>) -> Result<Vec<String>, Lack> {
        let [name, value] = directive.args.as_slice() else {
            return Err(Lack::Wrong("invalid number of arguments in \"proxy_set_header\" directive".to_owned()));
        };
        if is_of_connection(&name.text, &value.text, &self.maps) {
            return Ok(Vec::new());
        }
        editable(&name.text)?;
        let is_host = name.text.eq_ignore_ascii_case("host");
        if value.text.is_empty() {
            if is_host {
                return Err(Lack::beyond("a request has exactly one `Host`"));
            }
            return Ok(vec![format!("drop request header {}", word(&name.text))]);
        }
        blank(&value.text)?;
        // nginx's own default.
        if is_host && value.text == "$proxy_host" {
            return Ok(Vec::new());
        }
        Ok(vec![format!("set request header {} {}", word(&name.text), self.template(value, place)?)])
    }

    fn error_page(&mut self, directive: &'p Directive, place: &Place<'_, 'p>) -> Result<Vec<String>, Lack> {
        let Some((target, front)) = directive.args.split_last() else {
            return Err(Lack::Wrong("invalid number of arguments in \"error_page\" directive".to_owned()));
        };
        let (status, codes) = match front.split_last() {
            Some((status, codes)) if status.text.starts_with('=') => (Some(status.text.as_str()), codes),
            _ => (None, front),
        };
        let mut kept = Vec::new();
        for code in codes {
            match code.text.parse::<u16>() {
                Ok(code @ 300..=599) if !(494..=499).contains(&code) => kept.push(code.to_string()),
                Ok(494..=499) => {
                    let why = "these are errors of TLS and of requests that no rule sees";
                    return Err(Lack::beyond(format!("{}: {why}", code.text)));
                }
                Ok(_) => return Err(Lack::Wrong(format!("value \"{}\" must be between 300 and 599", code.text))),
                Err(_) => return Err(Lack::Wrong(format!("invalid value \"{}\"", code.text))),
            }
        }
        if kept.is_empty() {
            return Err(Lack::Wrong("invalid number of arguments in \"error_page\" directive".to_owned()));
        }
        let status = match status {
            None => String::new(),
            Some(status) => format!(" {status}"),
        };
        let target_text = if target.text.starts_with('@') { word(&target.text) } else { self.template(target, place)? };
        if target.text.strip_prefix('@').is_some_and(|name| !place.server.named.contains(name)) {
            return Err(Lack::beyond(format!("no location is called `{}`: nginx answers 500", target.text)));
        }
        Ok(vec![format!("error_page {}{status} {target_text}", kept.join(" "))])
    }

    fn redirect(&mut self, directive: &'p Directive, place: &Place<'_, 'p>) -> Result<Vec<String>, Lack> {
        match directive.args.as_slice() {
            [one] if one.text == "off" => Ok(vec!["proxy_redirect off".to_owned()]),
            [one] if one.text == "default" => match default_redirect(&place.level) {
                Some((from, to)) => Ok(vec![format!("proxy_redirect {} {}", quoted(&from), quoted(&to))]),
                None => Err(Lack::Wrong(
                    "\"proxy_redirect default\" cannot be used with \"proxy_pass\" directive with variables".to_owned(),
                )),
            },
            [from, _] if from.text.starts_with('~') => {
                Err(Lack::beyond("a `Location` of an upstream is compared with a prefix, not with a regex"))
            }
            [from, to] => {
                let [from, to] = [self.template_text(&from.text, place)?, self.template_text(&to.text, place)?];
                Ok(vec![format!("proxy_redirect {} {}", quoted(&from), quoted(&to))])
            }
            _ => Err(Lack::Wrong("invalid number of arguments in \"proxy_redirect\" directive".to_owned())),
        }
    }
}

/// `nodes` of one list, in which a second `proxy_set_header` for a name stands beside the first, as nginx sends both; of
/// two for Host the last counts, since a request with two is none (RFC 9112 3.2).
fn beside(nodes: Vec<Node>) -> Vec<Node> {
    let mut set = BTreeSet::new();
    let mut kept = Vec::new();
    for node in nodes {
        let Node::Line { text, span, remark } = node else {
            kept.push(node);
            continue;
        };
        let mut words = text.splitn(5, ' ');
        let (verb, of, name) = (words.next(), (words.next(), words.next()), words.next().unwrap_or_default());
        let name = name.to_ascii_lowercase();
        match (verb, of) {
            (Some("set"), (Some("request"), Some("header"))) if !set.insert(name.clone()) && name != "host" => {
                let text = text.replacen("set", "add", 1);
                kept.push(Node::Line { text, span, remark });
            }
            // nginx leaves the empty one out.
            (Some("drop"), (Some("request"), Some("header"))) if set.contains(&name) => {}
            _ => kept.push(Node::Line { text, span, remark }),
        }
    }
    kept
}

/// What another module would make of fields of the request: where it does what everybody does, nothing is to say.
fn parameter_of_another(directive: &Directive) -> Result<Vec<String>, Lack> {
    if cgi::is_standard(directive) {
        return Ok(Vec::new());
    }
    if cgi::is_empty(directive) {
        return Ok(dropped(directive));
    }
    let Class::Decides(row) = table::class(directive.name()) else { return Ok(Vec::new()) };
    Err(Lack::beyond(format!("without it {}", row.without)))
}

/// What nginx hides of an upstream's fields, unless it is told not to.
fn hidden(place: &Place<'_, '_>, span: Span) -> Option<Node> {
    let names: Vec<&str> = HIDDEN.into_iter().filter(|name| !is_shown(name, &place.level)).collect();
    let is_needed = place.server.passes_on && !names.is_empty();
    is_needed.then(|| Node::line(format!("drop response header {}", names.join(" ")), span))
}

fn is_shown(name: &str, level: &Level<'_>) -> bool {
    level.effective("proxy_pass_header").iter().any(|shown| shown.arg(0).eq_ignore_ascii_case(name))
}

fn hide_header(directive: &Directive, level: &Level<'_>) -> Result<Vec<String>, Lack> {
    editable(directive.arg(0))?;
    if is_shown(directive.arg(0), level) {
        return Ok(Vec::new());
    }
    Ok(vec![format!("drop response header {}", word(directive.arg(0)))])
}

fn pass_request_headers(directive: &Directive) -> Vec<String> {
    if directive.arg(0) == "off" { vec!["drop request header *".to_owned()] } else { Vec::new() }
}

/// What keeps a field that `directive` would make from coming from a client, where it is left out.
fn dropped(directive: &Directive) -> Vec<String> {
    let names: Vec<String> = match directive.name() {
        "proxy_set_header" | "grpc_set_header" => vec![directive.arg(0).to_owned()],
        "fastcgi_param" | "uwsgi_param" | "scgi_param" => cgi::field(directive.arg(0)).into_iter().collect(),
        "more_set_input_headers" | "more_clear_input_headers" => cgi::fields_of_more(directive),
        _ => Vec::new(),
    };
    let names = names.into_iter().filter(|name| !name.eq_ignore_ascii_case("host") && editable(name).is_ok());
    names.map(|name| format!("drop request header {}", word(&name))).collect()
}

fn body(directive: &Directive) -> Result<Vec<String>, Lack> {
    let text = directive.arg(0);
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G']);
    let wrong = || Lack::Wrong(format!("\"client_max_body_size\" directive invalid value \"{text}\""));
    if text.len() > digits.len() + 1 {
        return Err(wrong());
    }
    match digits.parse::<u64>().map_err(|_| wrong())? {
        // No bound.
        0 => Ok(vec!["body forward".to_owned()]),
        _ => Ok(vec![format!("body forward max={}", text.to_ascii_lowercase())]),
    }
}

fn expires(directive: &Directive) -> Result<Vec<String>, Lack> {
    let set = |name: &str, value: &str| format!("set response header {name} {value} on success");
    let word = directive.arg(0);
    if directive.args.len() > 1 {
        return Err(Lack::beyond("`modified` depends on the upstream's answer"));
    }
    match word {
        "off" => Ok(Vec::new()),
        "epoch" => Ok(vec![set("Expires", "\"Thu, 01 Jan 1970 00:00:01 GMT\""), set("Cache-Control", "no-cache")]),
        "max" => {
            Ok(vec![set("Expires", "\"Thu, 31 Dec 2037 23:55:55 GMT\""), set("Cache-Control", "max-age=315360000")])
        }
        _ if word.starts_with('$') => Err(Lack::beyond("the time is known when the answer is")),
        _ if word.starts_with('@') => Err(Lack::beyond("what time of the day it is is not known beforehand")),
        _ => {
            let (sign, time) = word.strip_prefix('-').map_or(("", word), |time| ("-", time));
            let time = time.strip_prefix('+').unwrap_or(time);
            let seconds = seconds(time).ok_or_else(|| Lack::Wrong("invalid value".to_owned()))?;
            if sign == "-" {
                return Ok(vec![set("Cache-Control", "no-cache")]);
            }
            Ok(vec![set("Cache-Control", &format!("max-age={seconds}"))])
        }
    }
}

/// nginx's times: `1y 6M 2w 30d 12h 30m 10s`, or seconds.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut total = 0u64;
    let mut least = u64::MAX;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let unit = rest.get(digits..)?.chars().next();
        let factor = match unit {
            Some('y') => 31_536_000,
            Some('M') => 2_592_000,
            Some('w') => 604_800,
            Some('d') => 86_400,
            Some('h') => 3_600,
            Some('m') => 60,
            None | Some('s' | ' ') => 1,
            _ => return None,
        };
        if factor >= least {
            return None;
        }
        least = factor;
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = rest.get(digits + usize::from(unit.is_some())..)?.trim_start();
    }
    (!text.is_empty()).then_some(total)
}

fn blank(value: &str) -> Result<(), Lack> {
    if value.trim().is_empty() {
        return Err(Lack::beyond("a header value of blanks is an empty one"));
    }
    if value.contains(['\r', '\n', '\0']) {
        return Err(Lack::beyond("a header value holds no line end"));
    }
    Ok(())
}

/// Whether the field `name` is about the connection to the upstream, which the proxy writes, and `value` is one of
/// those that people give it.
fn is_of_connection(name: &str, value: &str, maps: &Maps<'_>) -> bool {
    let known: &[&str] = match name.to_ascii_lowercase().as_str() {
        "connection" => &["", "close", "keep-alive", "upgrade", "$http_connection", "$http_upgrade"],
        "upgrade" => &["", "websocket", "$http_upgrade"],
        "keep-alive" | "proxy-connection" | "te" | "trailer" | "transfer-encoding" | "http2-settings" => &[""],
        _ => return false,
    };
    let is_known = |value: &str| known.contains(&value.to_ascii_lowercase().as_str());
    let of_table = value.strip_prefix('$').and_then(|name| maps.literal_values(&name.to_ascii_lowercase()));
    is_known(value)
        || of_table.is_some_and(|(default, others)| is_known(&default) && others.iter().all(|own| is_known(own)))
}

/// Whether rules can edit the header called `name`.
fn editable(name: &str) -> Result<(), Lack> {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(of_name) {
        return Err(Lack::beyond(format!("`{name}` is no name of a header")));
    }
    if FRAMING.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(Lack::beyond(format!("`{name}` belongs to one connection, and the proxy writes it")));
    }
    Ok(())
}
