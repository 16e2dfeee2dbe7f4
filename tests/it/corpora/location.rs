//! nginx-location.json: whole location trees, and what a text says in them.

use super::conf::{http, rules};
use super::{Tally, corpus, list, status, text};
use crate::engines::Engines;
use rulec::model::{RequestRecord, Verdict};
use serde_json::Value;

/// L-01 to L-22, U-01 to U-13.
#[test]
fn locations_and_their_texts_are_nginxs() {
    let corpus: Value = serde_json::from_str(&corpus("nginx-location.json")).expect("JSON");
    let mut tally = Tally::default();
    for tree in list(&corpus, "cases") {
        let conf = text(tree, "conf");
        let conf = http(&format!("server {{ listen 8080; server_name localhost;\n{conf}\n}}"));
        let engines = Engines::new(&rules(&conf));
        for case in list(tree, "requests") {
            let request = RequestRecord::new(text(case, "target"));
            tally.check(&engines, &request, &expected(case), answer);
        }
    }
    tally.finish(6_000);
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
