//! rulec: the policy as a `.rules` text, compiled, and `Matcher::find`.

use super::{Engine, NOTHING};
use crate::families::policy::Policy;
use crate::measure::Timed;
use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::matcher::{Found, Matcher};
use rulec::model::load_text;

struct Ours {
    matcher: Matcher<Vec<u8>>,
    /// Of each location of the artifact, its index in the policy.
    locations: Vec<u32>,
}

pub(crate) fn make(policy: &Policy) -> Option<Box<dyn Timed>> {
    let (rules, opens) = policy.rules();
    let matcher = Matcher::parse(artifact(&rules)?).expect("just compiled");
    let locations = locations(matcher.manifest(), &opens);
    Some(Box::new(Ours { matcher, locations }))
}

/// None, and why on stderr: `rules` cost more than the limits allow.
pub(crate) fn artifact(rules: &str) -> Option<Vec<u8>> {
    let loaded = load_text("bench.rules", rules);
    assert!(!loaded.has_errors(), "{:?}", loaded.diagnostics);
    match compile(&loaded.policy, &loaded.sources, &Limits::default()) {
        Ok(compiled) => Some(compiled.bytes),
        Err(refusals) => {
            eprintln!("refused: {}", refusals[0].message);
            None
        }
    }
}

fn locations(manifest: &[u8], opens: &[Option<usize>]) -> Vec<u32> {
    let manifest: serde_json::Value = serde_json::from_slice(manifest).expect("JSON");
    let entries = manifest["locations"].as_array().expect("a list");
    let index = |entry: &serde_json::Value| {
        let place = entry["place"].as_str().expect("file:line:column");
        let line: usize = place.split(':').nth(1).expect("a line").parse().expect("a number");
        u32::try_from(opens[line].expect("a line that opens a location")).expect("few locations")
    };
    entries.iter().map(index).collect()
}

impl Engine for Ours {
    fn find(&mut self, path: &str) -> u32 {
        match self.matcher.find(0, path.as_bytes()) {
            Found::Location(location) => location,
            Found::Nothing | Found::Redirect(_) => NOTHING,
        }
    }

    fn location(&self, found: u32) -> u32 {
        self.locations.get(found as usize).copied().unwrap_or(NOTHING)
    }
}
