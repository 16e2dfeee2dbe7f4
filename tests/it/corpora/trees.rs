//! nginx-trees.jsonl: which location takes a path, slash redirects included.

use super::{AS_NGINX, Tally, lines, list, quoted, text};
use crate::engines::Engines;
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
        let mut rules = String::from("upstream u { server 127.0.0.1:1; }\n");
        rules.push_str(&format!("service s default {{ {AS_NGINX} server_name localhost;\n"));
        locations(list(&line, "locations"), &mut rules);
        rules.push_str("}\n");
        let engines = Engines::new(&rules);
        for case in list(&line, "cases") {
            let request = RequestRecord::new(case[0].as_str().expect("a target"));
            tally.check(&engines, &request, &expected(&case[1]), answer);
        }
    }
    tally.finish(7_344);
}

fn locations(tree: &[Value], rules: &mut String) {
    for location in tree {
        let (id, modifier, pattern) = (text(location, "id"), text(location, "mod"), text(location, "pattern"));
        rules.push_str(&format!("location {modifier} {} as {id} {{\n", quoted(pattern)));
        locations(list(location, "nested"), rules);
        let proxies = location["proxy"].as_bool() == Some(true) || location["proxy"].is_string();
        rules.push_str(if proxies { "proxy u; }\n" } else { "return 200; }\n" });
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
    match (verdict.verdict, &verdict.name) {
        (Some(VerdictKind::Redirect), _) if verdict.status == Some(301) => {
            Answer::Redirect(verdict.redirect.clone().unwrap_or_default())
        }
        (Some(VerdictKind::Refuse), _) | (_, None) => Answer::Status(verdict.status.map_or(0, u64::from)),
        (_, Some(name)) => Answer::Location(name.clone()),
    }
}
