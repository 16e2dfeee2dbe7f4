//! What nginx did beside what the rules say.

use super::client::Answer;
use super::echo::{self, Received};
use super::instrument::{FILES, FOREIGN, PLACE};
use super::subject::Subject;
use crate::matcher::is_escaped_in_location;
use crate::model::{HeaderChanges, RequestRecord, Verdict, VerdictKind};

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

impl Subject {
    /// `answer`, which nginx gave to `request`, beside `verdict`.
    pub fn compare(&self, request: &RequestRecord, answer: &Answer, verdict: &Verdict) -> Outcome {
        if let Some(why) = self.on_purpose(request, answer, verdict) {
            return Outcome::OnPurpose(why);
        }
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
        let status = match verdict.verdict {
            Some(VerdictKind::Close) => 0,
            _ => verdict.status.unwrap_or(200),
        };
        differ("status", answer.status.to_string(), status.to_string());
        if proxied {
            if let Some(received) = &answer.received {
                self.forwarded(request, received, verdict, &mut differ);
            }
        } else {
            let location = answer.values("location").join(" and ");
            let ours = verdict.redirect.clone().unwrap_or_default();
            let theirs = if spellings(&location, request).contains(&ours) { ours.clone() } else { location };
            differ("Location", theirs, ours);
            if let Some(body) = verdict.body.as_ref().filter(|_| request.method != "HEAD") {
                differ("body", answer.body.clone(), body.clone());
            }
        }
        if verdict.verdict != Some(VerdictKind::Close) {
            self.response(answer, verdict, &mut differ);
            differ("location", self.place_of(answer), self.place(verdict));
        }
        if differences.is_empty() { Outcome::Same } else { Outcome::Differs(differences.join("\n")) }
    }

    /// THE PLACE for differences on purpose: what cannot be compared, and why.
    fn on_purpose(&self, request: &RequestRecord, answer: &Answer, verdict: &Verdict) -> Option<&'static str> {
        if verdict.needs_fact.is_some() || verdict.needs_plan {
            return Some("something that only the host knows was not said");
        }
        let is_bad = verdict.verdict == Some(VerdictKind::Refuse) && verdict.status == Some(400);
        if is_bad && self.instrumented.pages_bad_requests {
            return Some("a request that cannot be read is refused before any rule, error pages too");
        }
        if verdict.code == Some("request.target_unsafe") {
            return Some("a target that would be another request line is refused");
        }
        if verdict.forward.as_ref().is_some_and(|forward| !forward.target.starts_with('/')) {
            return Some("a target that does not begin with a slash is not sent");
        }
        if verdict.forward.is_some() && request.target.contains('#') {
            return Some("a fragment is no part of a target");
        }
        if answer.values("location").iter().any(|location| location.contains('\n')) {
            return Some("a Location that holds a line feed is refused");
        }
        let is_file = verdict.upstream.as_ref().is_some_and(|upstream| upstream.starts_with("files"));
        if is_file && answer.received.is_none() && !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Some("what a file server does with other methods than GET is its affair");
        }
        if answer.status == 500 && verdict.status != Some(500) {
            // PCRE2 gives up on some patterns; a subrequest of `auth_request` can fail for reasons of its own.
            return answer.values("x-rulec-place").is_empty().then_some("nginx gives up on a pattern");
        }
        None
    }

    fn forwarded(
        &self,
        request: &RequestRecord,
        received: &Received,
        verdict: &Verdict,
        differ: &mut dyn FnMut(&str, String, String),
    ) {
        let Some(forward) = &verdict.forward else { return };
        let original = |text: &str| self.original(text);
        let method = forward.method.as_ref().unwrap_or(&request.method);
        let (line, _) = received.line.rsplit_once(' ').unwrap_or((&received.line, ""));
        differ("request line", line.to_owned(), format!("{method} {}", forward.target));
        let upstream = verdict.upstream.clone().unwrap_or_default();
        if !self.is_same_upstream(&received.upstream, &upstream) {
            differ("upstream", original(&received.upstream), upstream);
        }
        let foreign = [FILES, FOREIGN].contains(&received.upstream.as_str());
        let own = |name: &str| -> Vec<String> {
            let lines = request.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
            lines.map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
        };
        for name in self.instrumented.request_names.iter().filter(|name| !UNTOLD.contains(&name.as_str())) {
            let theirs: Vec<String> =
                received.headers.iter().filter(|(own, _)| own == name).map(|(_, v)| original(v)).collect();
            let ours = applied(own(name), &forward.headers, name);
            differ(&format!("request header {name}"), theirs.join(" and "), ours.join(" and "));
        }
        if !foreign {
            let host = received.headers.iter().find(|(name, _)| name == "host").map(|(_, value)| original(value));
            let before = forward.host.iter().cloned().collect();
            let ours = applied(before, &forward.headers, "host");
            if !ours.is_empty() || forward.host.is_some() {
                differ("Host", host.unwrap_or_default(), ours.join(" and "));
            }
        }
        let body = if forward.body == "forward" { request.body } else { 0 };
        differ("octets of the body", received.body.to_string(), body.to_string());
    }

    fn response(&self, answer: &Answer, verdict: &Verdict, differ: &mut dyn FnMut(&str, String, String)) {
        let succeeds = matches!(answer.status, 200 | 201 | 204 | 206 | 301 | 302 | 303 | 304 | 307 | 308);
        let answered = if answer.received.is_some() { echo::answered() } else { Vec::new() };
        for name in self.instrumented.response_names.iter().filter(|name| !UNTOLD.contains(&name.as_str())) {
            let before = answered.iter().filter(|(own, _)| own == name).map(|(_, value)| value.clone()).collect();
            let mut ours = applied(before, &verdict.response, name);
            if succeeds {
                ours = applied(ours, &verdict.response_on_success, name);
            }
            let mut theirs: Vec<String> = answer.values(name).iter().map(|value| self.original(value)).collect();
            // nginx writes its own lines in an order of its own.
            ours.sort();
            theirs.sort();
            differ(&format!("response header {name}"), theirs.join(" and "), ours.join(" and "));
        }
    }

    /// `text` with the addresses of the original in place of ours.
    fn original(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (own, address) in self.instrumented.renamed.iter().filter(|_| text.contains("rulec_")).collect::<Vec<_>>() {
            text = text.replace(own, address);
        }
        text
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
        let named = |name: &str| super::super::rules::name(&name.replace(['.', ':'], "_"));
        match theirs {
            FILES => ours.starts_with("files"),
            FOREIGN => self.manifest.upstreams.iter().any(|upstream| upstream.name == ours && upstream.external),
            theirs => {
                let theirs = self.original(theirs);
                ours.starts_with(&named(&theirs))
                    || ours.starts_with(&super::super::rules::name(&theirs))
                    || theirs.starts_with("unix:")
            }
        }
    }
}

/// Headers that a gateway sets by itself, or that are an upstream's affair.
const UNTOLD: &[&str] = &[
    "host",
    "connection",
    "upgrade",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "content-length",
    "expect",
    "accept-encoding",
    "last-modified",
    "etag",
    "content-type",
    "server",
    "date",
    "expires",
    "allow",
];

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

/// A redirect to a path begins with exactly one slash, on purpose: browsers take two for a host. What no URI holds is
/// escaped. And nginx has no TLS here, so that what it makes absolute by itself says `http`.
fn spellings(sent: &str, request: &RequestRecord) -> Vec<String> {
    let location = escaped(sent);
    let mut spellings = vec![sent.to_owned(), location.clone()];
    let host = request.host.clone().unwrap_or_default().to_ascii_lowercase();
    let origin = format!("http://{host}");
    if let Some(path) = location.strip_prefix(&origin).filter(|path| path.starts_with('/')) {
        let path = path.trim_start_matches(['/', '\\']);
        spellings.push(format!("{origin}/{path}"));
        if request.scheme == "https" {
            spellings.push(format!("https://{host}/{path}"));
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
