//! nginx-uri.jsonl: what a request target means.

use super::conf::{engines, http};
use super::{Tally, lines, status};
use rulec::model::{RequestRecord, Verdict};

/// U-01 to U-13.
#[test]
fn targets_mean_what_they_mean_to_nginx() {
    let engines = ["on", "off"].map(|merge_slashes| {
        engines(&http(&format!(
            "server {{ listen 8080; server_name localhost; merge_slashes {merge_slashes}; location / {{ return 200; }} }}"
        )))
    });
    let mut tally = Tally::default();
    for case in lines("nginx-uri.jsonl") {
        let engines = if case[0] == "on" { &engines[0] } else { &engines[1] };
        let field = |index: usize| case[index].as_str().map(str::to_owned);
        let expected = (case[2].as_u64(), field(3), field(4));
        tally.check(engines, &RequestRecord::new(field(1).expect("a target")), &expected, |verdict| {
            let Verdict { uri, args, .. } = verdict.clone();
            (status(verdict).map(u64::from), uri, args)
        });
    }
    tally.finish(6_000);
}
