//! nginx-forward.json: what goes upstream, and where redirects point.

use super::conf::{engines, http};
use super::{Tally, corpus, escaped_location, list, status, text};
use rulec::model::{RequestRecord, Verdict};
use serde_json::Value;

/// P-01 to P-08, R-01 to R-09.
#[test]
fn upstreams_receive_what_they_received_from_nginx() {
    let corpus: Value = serde_json::from_str(&corpus("nginx-forward.json")).expect("JSON");
    let mut tally = Tally::default();
    for configuration in list(&corpus, "cases") {
        // What no name takes: the corpus says 421 for it.
        let servers = format!("server {{ listen 127.0.0.1:8080; return 421; }}\n{}", text(configuration, "conf"));
        let engines = engines(&http(&servers.replace("PORT", "8080")));
        for case in list(configuration, "requests") {
            let request = request(case);
            let expected = Answer::expected(case);
            tally.check(&engines, &request, &expected, Answer::of);
        }
    }
    tally.finish(2_399);
}

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
            redirect: field("redirect").as_deref().map(escaped_location),
            target: field("upstream").and_then(target),
            host: field("up_host"),
            location: case["up_headers"]["x-loc"].as_str().map(str::to_owned),
            has_authorization: case["up_authorization"].is_string(),
        }
    }

    fn of(verdict: &Verdict) -> Self {
        let forward = verdict.forward.as_ref().filter(|_| verdict.upstream.as_deref() != Some("files"));
        let set = |name: &str| {
            let lines = forward.map_or(&[][..], |forward| &forward.headers.set);
            lines.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value.clone())
        };
        let dropped = |name: &str| forward.is_some_and(|forward| forward.headers.drop.iter().any(|own| own == name));
        let status = status(verdict).map(u64::from);
        let server = verdict.response.add.iter().find(|(name, _)| name == "X-Server");
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
