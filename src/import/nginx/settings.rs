//! Settings of a level: headers, error pages, bodies, with what nginx drops of the outer levels.

use super::importer::{Importer, Lack};
use super::place::Place;
use super::rules::{Node, quoted, word};
use super::tree::Directive;
use std::collections::BTreeSet;

/// Settings of which a level replaces all that it inherits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `proxy_set_header`
    RequestHeaders,
    /// `add_header`, `expires` and `proxy_hide_header`, which the rules drop together.
    ResponseHeaders,
    /// `error_page`
    ErrorPages,
    /// `client_max_body_size`
    Body,
    /// `proxy_redirect`
    Redirects,
}

const KINDS: [(Kind, &[&str]); 5] = [
    (Kind::ErrorPages, &["error_page"]),
    (Kind::RequestHeaders, &["proxy_set_header"]),
    (Kind::ResponseHeaders, &["proxy_hide_header", "expires", "add_header"]),
    (Kind::Redirects, &["proxy_redirect"]),
    (Kind::Body, &["client_max_body_size"]),
];

impl<'p> Importer<'p> {
    /// What a service says: all that counts there.
    pub(super) fn all_settings(&mut self, place: &Place<'_, 'p>) -> Vec<Node> {
        let mut nodes = Vec::new();
        for (_, names) in KINDS {
            for name in names {
                for directive in place.level.effective(name) {
                    nodes.extend(self.setting(directive, place));
                }
            }
        }
        nodes
    }

    /// What a level says of its own, in place of what it inherits and of the kinds that an `if` has `changed` before;
    /// and which kinds those are.
    pub(super) fn own_settings(
        &mut self,
        place: &Place<'_, 'p>,
        changed: &BTreeSet<Kind>,
    ) -> (Vec<Node>, BTreeSet<Kind>) {
        let level = place.level.clone();
        let (mut nodes, mut own) = (Vec::new(), BTreeSet::new());
        for (kind, names) in KINDS {
            if names.iter().all(|name| level.own(name).is_empty()) {
                continue;
            }
            own.insert(kind);
            let inherits = names.iter().any(|name| !level.own(name).is_empty() && !level.inherited(name).is_empty());
            nodes.extend(self.settings_of(kind, names, inherits || changed.contains(&kind), place));
        }
        (nodes, own)
    }

    /// What counts on a level, said again where an `if` before may have said otherwise.
    pub(super) fn restored(&mut self, kinds: &BTreeSet<Kind>, place: &Place<'_, 'p>) -> Vec<Node> {
        let mut nodes = Vec::new();
        for (kind, names) in KINDS.into_iter().filter(|(kind, _)| kinds.contains(kind)) {
            nodes.extend(self.settings_of(kind, names, true, place));
        }
        nodes
    }

    fn settings_of(&mut self, kind: Kind, names: &[&str], replaces: bool, place: &Place<'_, 'p>) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut span = None;
        for name in names {
            let own = if replaces { place.level.effective(name) } else { place.level.own(name) };
            for directive in own {
                span = span.or(Some(directive.span));
                nodes.extend(self.setting(directive, place));
            }
        }
        let forget = match kind {
            Kind::RequestHeaders => "forget request headers",
            Kind::ResponseHeaders => "forget response headers",
            Kind::ErrorPages => "forget error_pages",
            Kind::Redirects => "proxy_redirect off",
            Kind::Body => return nodes,
        };
        let is_said = matches!(nodes.as_slice(), [Node::Line { text, .. }, ..] if text == forget);
        if replaces && !is_said {
            nodes.insert(0, Node::line(forget, span.unwrap_or_default()));
        }
        nodes
    }

    fn setting(&mut self, directive: &'p Directive, place: &Place<'_, 'p>) -> Vec<Node> {
        let said = match directive.name() {
            "add_header" => self.add_header(directive, place),
            "proxy_set_header" => self.set_header(directive, place),
            "proxy_hide_header" => hide_header(directive),
            "expires" => expires(directive),
            "error_page" => self.error_page(directive, place),
            "client_max_body_size" => body(directive),
            _ => self.redirect(directive, place),
        };
        let comments = directive.comments.iter().map(|comment| Node::Comment(comment.text.clone()));
        match said {
            Ok(lines) => {
                self.carried(directive);
                comments.chain(lines.into_iter().map(|line| Node::line(line, directive.span))).collect()
            }
            Err(Lack::Beyond(why)) => {
                self.not_carried(directive, why);
                Vec::new()
            }
            Err(wrong) => {
                self.lacks(directive, &wrong);
                Vec::new()
            }
        }
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
        if value.text.is_empty() {
            return Ok(Vec::new());
        }
        blank(&value.text)?;
        // Two that nginx replaces; the others stand beside what the upstream sent.
        let replaced = ["last-modified", "etag"].contains(&name.text.to_ascii_lowercase().as_str());
        let verb = if replaced { "set" } else { "add" };
        let when = if always.is_empty() { " on success" } else { "" };
        Ok(vec![format!("{verb} response header {} {template}{when}", word(&name.text))])
    }

    fn set_header(&mut self, directive: &'p Directive, place: &Place<'_, 'p>) -> Result<Vec<String>, Lack> {
        let [name, value] = directive.args.as_slice() else {
            return Err(Lack::Wrong("invalid number of arguments in \"proxy_set_header\" directive".to_owned()));
        };
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
                Ok(494..=499) => {}
                Ok(_) => return Err(Lack::Wrong(format!("value \"{}\" must be between 300 and 599", code.text))),
                Err(_) => return Err(Lack::Wrong(format!("invalid value \"{}\"", code.text))),
            }
        }
        if kept.is_empty() {
            return Err(Lack::beyond("these are errors of TLS and of requests that no rule sees"));
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
            [one] if one.text == "default" => {
                Err(Lack::beyond("say which `Location` of the upstream becomes which: `proxy_redirect FROM TO`"))
            }
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

fn hide_header(directive: &Directive) -> Result<Vec<String>, Lack> {
    editable(directive.arg(0))?;
    Ok(vec![format!("drop response header {}", word(directive.arg(0)))])
}

fn body(directive: &Directive) -> Result<Vec<String>, Lack> {
    let text = directive.arg(0);
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G']);
    let wrong = || Lack::Wrong(format!("\"client_max_body_size\" directive invalid value \"{text}\""));
    if text.len() > digits.len() + 1 {
        return Err(wrong());
    }
    match digits.parse::<u64>().map_err(|_| wrong())? {
        // nginx has no bound then; this one is never met.
        0 => Ok(vec!["body forward max=1000000g".to_owned()]),
        _ if text.eq_ignore_ascii_case("1m") => Ok(vec!["body forward".to_owned()]),
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

/// Whether rules can edit the header called `name`.
fn editable(name: &str) -> Result<(), Lack> {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(of_name) {
        return Err(Lack::beyond(format!("`{name}` is no name of a header")));
    }
    let framing = [
        "connection",
        "content-length",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    if framing.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(Lack::beyond(format!("`{name}` belongs to one connection, and the proxy writes it")));
    }
    Ok(())
}
