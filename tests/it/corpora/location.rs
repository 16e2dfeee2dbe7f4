//! nginx-location.json: location trees as nginx.conf text, pasted as they are.

use super::{AS_NGINX, Tally, corpus, list, status, text};
use crate::engines::Engines;
use rulec::model::{RequestRecord, Verdict};
use serde_json::Value;

#[test]
fn pasted_trees_answer_as_they_did_in_nginx() {
    let corpus: Value = serde_json::from_str(&corpus("nginx-location.json")).expect("JSON");
    let (mut tally, mut look_around) = (Tally::default(), 0);
    for tree in list(&corpus, "cases") {
        let conf = utf8(text(tree, "conf"));
        let rules = format!("service s default {{ {AS_NGINX} server_name localhost;\n{conf}\n}}\n");
        let holds_look_around = ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|look| conf.contains(look));
        let engines = if holds_look_around { Engines::definition_only(&rules) } else { Engines::new(&rules) };
        look_around += usize::from(holds_look_around);
        for case in list(tree, "requests") {
            let request = RequestRecord::new(text(case, "target"));
            tally.check(&engines, &request, &expected(case), answer);
        }
    }
    // Until look-around is compiled, these trees are decided by the definition alone.
    assert_eq!(look_around, 45);
    tally.finish(6_000);
}

/// Rules are UTF-8; the corpus carries bytes as Latin-1.
fn utf8(latin1: &str) -> String {
    let bytes = latin1.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect();
    String::from_utf8(bytes).expect("the trees are UTF-8")
}

/// Status, and what the location's text says: its id, `$uri`, `$args`, `$1`.
type Answer = (Option<u64>, Option<String>);

fn expected(case: &Value) -> Answer {
    if case["location"].is_null() {
        // No location: nginx looks for a file then, and is not allowed to.
        let status = case["status"].as_u64().map(|status| if status == 400 { 400 } else { 404 });
        return (status, None);
    }
    let [id, uri, args, group] = ["location", "uri", "args", "c1"].map(|field| text(case, field));
    (Some(200), Some(format!("{id}|{uri}|{args}|{group}")))
}

fn answer(verdict: &Verdict) -> Answer {
    (status(verdict).map(u64::from), verdict.body.clone())
}
