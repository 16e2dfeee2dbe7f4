//! nginx-trees.jsonl: which location takes a path, slash redirects included.

use super::conf::{engines, http, quoted};
use super::{Tally, lines, list, text};
use rulec::model::{RequestRecord, Verdict, VerdictKind};
use serde_json::Value;

/// What nginx answered: the location's id, a redirect's path, or a status.
#[derive(Debug, PartialEq)]
enum Answer {
    Location(String),
    Redirect(String),
    Status(u64),
}

/// L-01 to L-22.
#[test]
fn paths_find_the_location_that_nginx_finds() {
    let mut tally = Tally::default();
    for line in lines("nginx-trees.jsonl") {
        let mut tree = String::new();
        locations(list(&line, "locations"), &mut tree);
        let engines = engines(&http(&format!("server {{ listen 8080; server_name localhost;\n{tree}}}")));
        for case in list(&line, "cases") {
            let request = RequestRecord::new(case[0].as_str().expect("a target"));
            tally.check(&engines, &request, &expected(&case[1]), answer);
        }
    }
    tally.finish(7_344);
}

fn locations(tree: &[Value], conf: &mut String) {
    for location in tree {
        let (id, modifier, pattern) = (text(location, "id"), text(location, "mod"), text(location, "pattern"));
        conf.push_str(&format!("location {modifier} {} {{\n", quoted(pattern)));
        locations(list(location, "nested"), conf);
        let proxies = location["proxy"].as_bool() == Some(true) || location["proxy"].is_string();
        let answer = if proxies { format!("proxy_pass http://{id}; }}\n") } else { format!("return 200 {id}; }}\n") };
        conf.push_str(&answer);
    }
}

fn expected(result: &Value) -> Answer {
    match result {
        Value::Null => Answer::Status(404),
        Value::String(id) => Answer::Location(id.clone()),
        _ => result["redirect"].as_str().map_or_else(
            || Answer::Status(result["status"].as_u64().expect("a status")),
            |path| Answer::Redirect(format!("http://localhost{path}")),
        ),
    }
}

fn answer(verdict: &Verdict) -> Answer {
    let redirect = verdict.redirect.clone().unwrap_or_default();
    match (verdict.verdict, verdict.body.clone().or_else(|| verdict.upstream.clone())) {
        (Some(VerdictKind::Redirect), _) if verdict.status == Some(301) => Answer::Redirect(redirect),
        (Some(VerdictKind::Respond | VerdictKind::Proxy), Some(id)) => Answer::Location(id),
        _ => Answer::Status(verdict.status.map_or(0, u64::from)),
    }
}
