//! What nginx answered, case by case: `../shared/corpora` beside the project, or `RULEC_CORPORA`.

pub(crate) mod conf;
mod curated;
mod forward;
mod location;
mod server_names;
mod trees;
mod uri;

use crate::engines::Engines;
use rulec::matcher::is_escaped_in_location;
use rulec::model::{RequestRecord, Verdict, VerdictKind};
use serde_json::Value;
use std::path::PathBuf;

/// The text of a corpus.
pub(crate) fn corpus(name: &str) -> String {
    let file = corpora().join(name);
    std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("the corpora are data of their own: {} ({error})", file.display()))
}

/// The folder of the corpora.
pub(crate) fn corpora() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    std::env::var_os("RULEC_CORPORA").map_or_else(beside, PathBuf::from)
}

/// A Location of nginx's as ours holds it: nginx sends what it has decoded. Bytes are Latin-1.
pub(crate) fn escaped_location(theirs: &str) -> String {
    let escape = |letter: char| match u8::try_from(letter) {
        Ok(byte) if is_escaped_in_location(byte) => format!("%{byte:02X}"),
        _ => letter.to_string(),
    };
    theirs.chars().map(escape).collect()
}

/// The lines of a corpus of JSON lines, without the first, which explains the fields.
fn lines(name: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).expect("a line is JSON");
    corpus(name).lines().skip(1).map(parse).collect()
}

pub(crate) fn text<'a>(value: &'a Value, of: &str) -> &'a str {
    value[of].as_str().unwrap_or_else(|| panic!("`{of}` of {value} is a text"))
}

pub(crate) fn list<'a>(value: &'a Value, of: &str) -> &'a [Value] {
    value[of].as_array().map_or(&[], Vec::as_slice)
}

/// Cases that were run, and those that came out otherwise than nginx's.
#[derive(Default)]
struct Tally {
    cases: usize,
    failures: Vec<String>,
}

impl Tally {
    /// Decides `request` and compares what `of` takes from the verdict with what nginx answered.
    fn check<T: PartialEq + core::fmt::Debug>(
        &mut self,
        engines: &Engines,
        request: &RequestRecord,
        expected: &T,
        of: impl FnOnce(&Verdict) -> T,
    ) {
        self.cases += 1;
        let Some(verdict) = engines.decide(request) else {
            self.failures.push(format!("PCRE2 gave up on {request:?}"));
            return;
        };
        let got = of(&verdict);
        if got != *expected {
            let rules = engines.rules();
            self.failures.push(format!("{rules}\n{request:?}\nnginx: {expected:?}\nhere:  {got:?}\n{verdict:?}"));
        }
    }

    /// Every case came out as nginx's, and none is missing.
    fn finish(self, cases: usize) {
        let shown = self.failures.iter().take(5).map(String::as_str).collect::<Vec<_>>().join("\n----\n");
        assert!(self.failures.is_empty(), "{} of {} cases differ:\n{shown}", self.failures.len(), self.cases);
        assert_eq!(self.cases, cases, "the corpus has another size");
    }
}

/// The status that a client sees; a request that is sent upstream counts as 200. No file is there.
fn status(verdict: &Verdict) -> Option<u16> {
    match verdict.verdict {
        Some(VerdictKind::Proxy) if verdict.upstream.as_deref() == Some("files") => Some(404),
        Some(VerdictKind::Proxy) => Some(200),
        _ => verdict.status,
    }
}
