//! nginx-forward.json: what goes upstream, and where redirects point.

use super::{AS_NGINX, Tally, corpus, list, quoted, status, text};
use crate::engines::Engines;
use rulec::model::{RequestRecord, Verdict};
use serde_json::Value;
use std::collections::BTreeSet;

/// P-01 to P-08, R-01 to R-09.
#[test]
fn upstreams_receive_what_they_received_from_nginx() {
    let corpus: Value = serde_json::from_str(&corpus("nginx-forward.json")).expect("JSON");
    let (mut tally, mut left_out) = (Tally::default(), 0);
    for configuration in list(&corpus, "cases") {
        let translated = Translation::of(text(configuration, "conf"));
        let engines = Engines::new(&translated.rules);
        for case in list(configuration, "requests") {
            let request = request(case);
            let verdict = engines.decide(&request).expect("PCRE2 does not give up on these");
            if verdict.name.as_ref().is_some_and(|name| translated.left_out.contains(name)) {
                left_out += 1;
                continue;
            }
            let expected = Answer::expected(case);
            tally.check(&engines, &request, &expected, |verdict| expected.of(verdict));
        }
    }
    assert_eq!(left_out, LEFT_OUT, "requests that reach a location that waits for the importer");
    tally.finish(2_399 - LEFT_OUT);
}

/// Requests that reach a location of [`Translation::left_out`].
const LEFT_OUT: usize = 269;

/// What nginx did.
#[derive(Debug, PartialEq)]
struct Answer {
    status: Option<u64>,
    server: Option<String>,
    redirect: Option<String>,
    target: Option<String>,
    host: Option<String>,
    location: Option<String>,
    has_authorization: bool,
}

impl Answer {
    fn expected(case: &Value) -> Self {
        let field = |name: &str| case[name].as_str().map(str::to_owned);
        // `METHOD TARGET HTTP/1.0`
        let target =
            |line: String| line.split_once(' ').and_then(|(_, rest)| Some(rest.rsplit_once(' ')?.0.to_owned()));
        let status = match case["status"].as_u64() {
            // No location: nginx looks for a file then.
            Some(403..=405) => Some(404),
            status => status,
        };
        Self {
            status,
            // A header that edits bring; a 400 comes before them here.
            server: field("server").filter(|_| status != Some(400)),
            redirect: field("redirect"),
            target: field("upstream").and_then(target),
            host: field("up_host"),
            location: case["up_headers"]["x-loc"].as_str().map(str::to_owned),
            has_authorization: case["up_authorization"].is_string(),
        }
    }

    fn of(&self, verdict: &Verdict) -> Self {
        let forward = verdict.forward.as_ref();
        let set = |name: &str| {
            let lines = forward.map_or(&[][..], |forward| &forward.headers.set);
            lines.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone())
        };
        let dropped = |name: &str| forward.is_some_and(|forward| forward.headers.drop.iter().any(|own| own == name));
        let status = match status(verdict).map(u64::from) {
            // On purpose: the service is chosen before its path is read; nginx reads the target first.
            Some(421) if self.status == Some(400) => Some(400),
            status => status,
        };
        let server = verdict.response.set.iter().find(|(name, _)| name == "X-Server");
        Self {
            status,
            server: server.map(|(_, value)| value.clone()).filter(|_| status != Some(400)),
            redirect: verdict.redirect.clone(),
            target: forward.map(|forward| forward.target.clone()),
            host: forward.map(|_| set("Host").unwrap_or_else(|| "UPSTREAM".to_owned())),
            location: set("X-Loc"),
            has_authorization: forward.is_some() && !dropped("Authorization"),
        }
    }
}

fn request(case: &Value) -> RequestRecord {
    let mut request = RequestRecord::new(text(case, "target"));
    text(case, "method").clone_into(&mut request.method);
    request.host = case["host"].as_str().map(str::to_owned);
    request.headers =
        [("X-Own", "1"), ("Authorization", "Basic eDp5")].map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
    request.body = if request.method == "GET" { 0 } else { 4 };
    request
}

/// A configuration as rules.
#[derive(Default)]
struct Translation {
    rules: String,
    /// Names of locations whose meaning no single statement has: a `break` makes nginx skip a `return` and ignore the
    /// URI of a `proxy_pass`, but only where it matched; and `proxy_pass` with variables.
    left_out: BTreeSet<String>,
}

impl Translation {
    fn of(conf: &str) -> Self {
        let mut translation = Self { rules: "upstream u { server 127.0.0.1:1; }\n".to_owned(), ..Self::default() };
        let (mut services, mut locations) = (0, 0);
        let mut breaks = false;
        for line in conf.lines().map(str::trim) {
            let name = format!("l{locations}");
            let translated = if line == "server {" {
                services += 1;
                format!("service S{} {{ {AS_NGINX}", services - 1)
            } else if let Some(head) = line.strip_prefix("location ").and_then(|line| line.strip_suffix(" {")) {
                locations += 1;
                breaks = false;
                format!("location {head} as l{locations} {{")
            } else {
                breaks |= line.starts_with("rewrite") && line.ends_with("break;");
                let is_base = line.starts_with("proxy_pass http://UPSTREAM/");
                if (breaks && (line.starts_with("return") || is_base)) || (is_base && line.contains('$')) {
                    translation.left_out.insert(name);
                    // It still proxies, so that a missing slash is redirected.
                    (if is_base { "proxy u;" } else { "return 500;" }).to_owned()
                } else {
                    statement(line)
                }
            };
            translation.rules.push_str(&translated);
            translation.rules.push('\n');
        }
        translation
    }
}

fn statement(line: &str) -> String {
    let words: Vec<&str> = line.trim_end_matches(';').split_whitespace().collect();
    match words.as_slice() {
        // `listen ADDRESS; server_name ...` stand on one line.
        ["listen", _, "server_name", names @ ..] => {
            let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            format!("server_name {};", names.join(" "))
        }
        ["add_header", name, value, "always"] => format!("set response header {name} {value};"),
        ["proxy_set_header", name, "\"\""] => format!("drop request header {name};"),
        ["proxy_set_header", name, value] => format!("set request header {name} {value};"),
        ["proxy_pass", url] => match url.strip_prefix("http://UPSTREAM") {
            Some("") | None => "proxy u;".to_owned(),
            Some(base) => format!("proxy u {};", quoted(base)),
        },
        _ => line.to_owned(),
    }
}
