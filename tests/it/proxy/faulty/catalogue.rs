//! Whether every code of the catalogue is met by some test.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const CATALOGUE: &str = include_str!("../../../../src/proxy/fault.rs");

/// Those that no test can produce, and why.
const UNMET: [(&str, &str); 4] = [
    ("gateway.out_of_memory", "a kernel that is out of memory for sockets takes the machine with it"),
    ("upstream.not_configured", "a policy with an external upstream that has no server is not served"),
    ("upstream.dns.failed", "the rest of what the resolver may say: all that is known of it has its own code"),
    ("upstream.tls.certificate", "the rest of what the verifier may say: all that is known of it has its own code"),
];

fn read(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            read(&entry, into);
        } else if entry.extension().is_some_and(|ending| ending == "rs") && !entry.ends_with("faulty/catalogue.rs") {
            into.push_str(&fs::read_to_string(&entry).expect("text"));
        }
    }
}

#[test]
fn every_code_is_met_by_a_test_or_it_is_said_why_not() {
    let mut tests = String::new();
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it")), &mut tests);
    let codes = CATALOGUE.split('"').filter(|text| {
        let is_code = ["request.", "upstream.", "gateway."].iter().any(|kind| text.starts_with(kind));
        is_code && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c))
    });
    let unmet: BTreeSet<_> = codes.filter(|code| !tests.contains(&format!("{code}\""))).collect();
    let expected: BTreeSet<_> = UNMET.iter().map(|(code, _)| *code).collect();
    assert_eq!(unmet, expected);
}
