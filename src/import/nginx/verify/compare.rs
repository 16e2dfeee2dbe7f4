//! What nginx did beside what the rules say.

use super::client::Answer;
use super::echo::Received;
use super::instrument::{FILES, FOREIGN, PLACE};
use super::subject::Subject;
use super::upstream_answer::{ALWAYS, BODY};
use crate::matcher::is_escaped_in_location;
use crate::model::{HeaderChanges, RequestRecord, Verdict, VerdictKind};
use std::collections::BTreeSet;

/// What came of one comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "who counts has to count all")]
pub enum Outcome {
    /// Both do the same.
    Same,
    /// One of the differences on purpose: which.
    OnPurpose(&'static str),
    /// They differ: how.
    Differs(String),
}

/// Takes down a part of an answer: what it is, nginx's, the rules'.
type Differ<'a> = &'a mut dyn FnMut(&str, String, String);

impl Subject {
    /// `answer`, which nginx gave to `request`, beside `verdict`.
    pub fn compare(&self, request: &RequestRecord, answer: &Answer, verdict: &Verdict) -> Outcome {
        let mut differences = Vec::new();
        let mut differ = |what: &str, theirs: String, ours: String| {
            if theirs != ours {
                differences.push(format!("{what}: nginx {theirs:?}, rules {ours:?}"));
            }
        };
        let proxied = verdict.verdict == Some(VerdictKind::Proxy);
        let told = answer.received.is_some() || answer.values("content-type") == ["image/gif"];
        let theirs = if told { "proxied" } else { "answered" };
        differ("handler", theirs.to_owned(), if proxied { "proxied" } else { "answered" }.to_owned());
        let upstreams = answer.received.as_ref().map_or(200, |received| received.answer.status);
        let status = match verdict.verdict {
            Some(VerdictKind::Close) => 0,
            _ => verdict.status.unwrap_or(upstreams),
        };
        differ("status", answer.status.to_string(), status.to_string());
        match &answer.received {
            Some(received) if proxied => {
                self.forwarded(request, received, verdict, &mut differ);
                if request.method != "HEAD" && !matches!(answer.status, 204 | 304) {
                    differ("body", answer.body.clone(), BODY.to_owned());
                }
            }
            _ if proxied => {}
            _ => self.answered(request, answer, verdict, &mut differ),
        }
        if verdict.verdict != Some(VerdictKind::Close) {
            self.response(request, answer, verdict, &mut differ);
            differ("location", self.place_of(answer), self.place(verdict));
        }
        match self.on_purpose(request, answer, verdict, differences.is_empty()) {
            Some(why) => Outcome::OnPurpose(why),
            None if differences.is_empty() => Outcome::Same,
            None => Outcome::Differs(differences.join("\n")),
        }
    }

    /// An answer that is nginx's own.
    fn answered(&self, request: &RequestRecord, answer: &Answer, verdict: &Verdict, differ: Differ<'_>) {
        let location = self.original(&answer.values("location").join(" and "));
        let ours = verdict.redirect.clone().unwrap_or_default();
        let theirs = if spellings(&location, request).contains(&ours) { ours.clone() } else { location };
        differ("Location", theirs, ours);
        if let Some(body) = verdict.body.as_ref().filter(|_| request.method != "HEAD") {
            differ("body", answer.body.clone(), body.clone());
        }
    }

    /// What the upstream received.
    fn forwarded(&self, request: &RequestRecord, received: &Received, verdict: &Verdict, differ: Differ<'_>) {
        let Some(forward) = &verdict.forward else { return };
        let method = forward.method.as_ref().unwrap_or(&request.method);
        let (line, _) = received.line.rsplit_once(' ').unwrap_or((&received.line, ""));
        differ("request line", line.to_owned(), format!("{method} {}", forward.target));
        let upstream = verdict.upstream.clone().unwrap_or_default();
        if !self.is_same_upstream(&received.upstream, &upstream) {
            differ("upstream", self.original(&received.upstream), upstream);
        }
        let lines: Vec<(String, String)> = request
            .headers
            .iter()
            .filter(|(name, value)| !forward.omit.contains(name) && !value.trim().is_empty())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let edited = forward.headers.set.iter().chain(&forward.headers.add).map(|(name, _)| name.to_ascii_lowercase());
        let all = lines.iter().chain(&received.headers).map(|(name, _)| name.clone()).chain(edited);
        let all: BTreeSet<String> = all.filter(|name| is_told(name) && name != "host").collect();
        for name in all {
            let theirs: Vec<String> = of_name(&received.headers, &name).map(|value| self.original(value)).collect();
            let theirs: Vec<String> = theirs.into_iter().filter(|value| !value.is_empty()).collect();
            let ours = applied(of_name(&lines, &name).map(str::to_owned).collect(), &forward.headers, &name);
            differ(&format!("request header {name}"), theirs.join(" and "), ours.join(" and "));
        }
        if ![FILES, FOREIGN].contains(&received.upstream.as_str()) {
            // Of two `proxy_set_header`s for Host nginx sends both lines, and the rules the last.
            let host = of_name(&received.headers, "host").last().map(|value| self.original(value));
            let set = forward.headers.set.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case("host"));
            let ours: Vec<String> =
                set.map(|(_, value)| value).or(forward.host.as_ref()).cloned().into_iter().collect();
            if !ours.is_empty() || forward.host.is_some() {
                differ("Host", host.unwrap_or_default(), ours.join(" and "));
            }
        }
        let body = if forward.body == "forward" { request.body } else { 0 };
        differ("bytes of the body", received.body.to_string(), body.to_string());
    }

    /// The fields of an answer.
    fn response(&self, request: &RequestRecord, answer: &Answer, verdict: &Verdict, differ: Differ<'_>) {
        let succeeds = matches!(answer.status, 200 | 201 | 204 | 206 | 301 | 302 | 303 | 304 | 307 | 308);
        let answered = answer.received.as_ref().map(|received| received.answer.headers.clone()).unwrap_or_default();
        let told = ALWAYS.iter().map(|(name, _)| *name).chain(["location"]);
        let names = told.chain(self.instrumented.response_names.iter().map(String::as_str));
        for name in names.collect::<BTreeSet<_>>() {
            // Of nginx's own answers these follow from what is answered.
            let is_own = answer.received.is_none() && matches!(name, "location" | "content-type");
            if !is_told(name) || is_own {
                continue;
            }
            let is_location = name == "location";
            let original = |value: &str| {
                if is_location { self.instrumented.addresses.restored_url(value) } else { self.original(value) }
            };
            let before = of_name(&answered, name).map(original);
            let before = match name {
                "location" => before.map(|location| relocated(location, verdict)).collect(),
                _ => before.collect(),
            };
            let mut ours = applied(before, &verdict.response, name);
            if succeeds {
                ours = applied(ours, &verdict.response_on_success, name);
            }
            let mut theirs: Vec<String> = answer.values(name).iter().map(|value| original(value)).collect();
            if let ("location", [location], [own]) = (name, theirs.as_slice(), ours.as_slice())
                && spellings(location, request).contains(own)
            {
                theirs.clone_from(&ours);
            }
            // nginx writes its own lines in an order of its own.
            ours.sort();
            theirs.sort();
            differ(&format!("response header {name}"), theirs.join(" and "), ours.join(" and "));
        }
    }

    /// `text` with the addresses of the original in place of ours.
    fn original(&self, text: &str) -> String {
        self.instrumented.addresses.restored(text)
    }

    /// The location that nginx came to.
    fn place_of(&self, answer: &Answer) -> String {
        let tags = answer.values(&PLACE.to_ascii_lowercase());
        let place = tags.first().and_then(|tag| self.instrumented.places.get(tag.parse::<usize>().ok()?));
        place.map_or_else(|| "none".to_owned(), |span| self.parsed.sources.place(*span))
    }

    /// The location that the rules came to, where it stands in the configuration.
    fn place(&self, verdict: &Verdict) -> String {
        let key = (verdict.service.clone().unwrap_or_default(), verdict.location.clone().unwrap_or_default());
        self.places.get(&key).map_or_else(|| "none".to_owned(), |span| self.parsed.sources.place(*span))
    }

    fn is_same_upstream(&self, theirs: &str, ours: &str) -> bool {
        let Some(upstream) = self.manifest.upstreams.iter().find(|upstream| upstream.name == ours) else {
            return false;
        };
        match theirs {
            FILES => upstream.external && ours.starts_with("files"),
            FOREIGN => upstream.external,
            theirs => self.instrumented.addresses.is_same(theirs, upstream),
        }
    }
}

/// Whether a field is compared: others a gateway sets by itself, or they are an upstream's affair.
fn is_told(name: &str) -> bool {
    const UNTOLD: &[&str] = &[
        "connection",
        "upgrade",
        "keep-alive",
        "transfer-encoding",
        "te",
        "trailer",
        "content-length",
        "expect",
        "last-modified",
        "etag",
        "server",
        "date",
        "expires",
        "allow",
    ];
    !UNTOLD.contains(&name) && !name.starts_with("x-rulec-")
}

fn of_name<'l>(lines: &'l [(String, String)], name: &str) -> impl Iterator<Item = &'l str> {
    lines.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
}

/// An upstream's Location as the first `proxy_redirect` that begins it makes it; a path then gets the origin before it.
fn relocated(location: String, verdict: &Verdict) -> String {
    let made = verdict.relocate.iter().find_map(|(from, to)| Some(format!("{to}{}", location.strip_prefix(from)?)));
    match made {
        Some(path) if path.starts_with('/') => format!("{}{path}", verdict.relocate_origin.as_deref().unwrap_or("")),
        Some(made) => made,
        None => location,
    }
}

/// The values of `name` after `changes`.
fn applied(before: Vec<String>, changes: &HeaderChanges, name: &str) -> Vec<String> {
    let of_name = |pair: &&(String, String)| pair.0.eq_ignore_ascii_case(name);
    let mut values = before;
    let drops = |own: &String| {
        own.eq_ignore_ascii_case(name)
            || own.strip_suffix('*').is_some_and(|start| name.starts_with(&start.to_ascii_lowercase()))
    };
    if changes.drop.iter().any(drops) {
        values.clear();
    }
    if let Some((_, value)) = changes.set.iter().rev().find(of_name) {
        values = vec![value.clone()];
    }
    values.extend(changes.add.iter().filter(of_name).map(|(_, value)| value.clone()));
    values.retain(|value| !value.is_empty());
    values
}

/// The ways to write what nginx says in a Location.
///
/// A redirect to a path begins with exactly one slash, on purpose: browsers take two for a host. What no URI holds is
/// escaped. And nginx has no TLS here, so that what it makes absolute by itself says `http`.
fn spellings(sent: &str, request: &RequestRecord) -> Vec<String> {
    let location = escaped(sent);
    let mut spellings = vec![sent.to_owned(), location.clone()];
    let host = request.host.clone().unwrap_or_default().to_ascii_lowercase();
    let host = host.split(':').next().unwrap_or_default();
    let path = location.strip_prefix("http://").and_then(|rest| rest.strip_prefix(host));
    if let Some((port, path)) = path.and_then(|path| path.split_at_checked(path.find('/')?)) {
        let path = path.trim_start_matches(['/', '\\']);
        spellings.push(format!("http://{host}{port}/{path}"));
        if request.scheme == "https" {
            spellings.push(format!("https://{host}{port}/{path}"));
        }
    }
    if request.scheme == "https" {
        spellings.extend(location.strip_prefix("http://").map(|rest| format!("https://{rest}")));
    }
    if location.starts_with('/') {
        spellings.push(format!("/{}", location.trim_start_matches(['/', '\\'])));
    }
    spellings
}

/// `location` (Latin-1) as the rules send it.
fn escaped(location: &str) -> String {
    let escape = |letter: char| match u8::try_from(letter) {
        Ok(byte) if is_escaped_in_location(byte) => format!("%{byte:02X}"),
        _ => letter.to_string(),
    };
    location.chars().map(escape).collect()
}
