//! A decision allocates nothing, whatever the policy says.

use super::choices::Choices;
use super::policy::Sketch;
use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::matcher::{Body, Caller, Matcher, Request, Scheme, Scratch};
use rulec::model::{RequestRecord, load_text};

/// Policies, and requests for each.
const POLICIES: u64 = 150;
const REQUESTS: u64 = 60;

#[test]
fn a_decision_allocates_nothing() {
    let mut scratch = Box::new(Scratch::new());
    let mut decided = 0;
    for policy in 0..POLICIES {
        let sketch = Sketch::new(&mut Choices::of_seed(policy));
        let loaded = load_text("generated.rules", &sketch.rules);
        let Ok(compiled) = compile(&loaded.policy, &loaded.sources, &Limits::default()) else { continue };
        let matcher = Matcher::parse(compiled.bytes).expect("just compiled");
        for number in 0..REQUESTS {
            let record = sketch.request(&mut Choices::of_seed(policy << 32 | number));
            decided += decide(&matcher, &record, &mut scratch, &sketch.rules);
        }
    }
    assert!(decided > 6_000, "{decided} decisions");
}

/// Decides with the caller unknown and known; says how many decisions that were.
fn decide(matcher: &Matcher<Vec<u8>>, record: &RequestRecord, scratch: &mut Scratch, rules: &str) -> u64 {
    let mut headers: Vec<(&[u8], &[u8])> = Vec::new();
    headers.extend(record.host.iter().map(|host| (b"Host".as_slice(), host.as_bytes())));
    headers.extend(record.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let mut request = Request::get(record.target.as_bytes(), &headers);
    request.method = record.method.as_bytes();
    request.scheme = if record.scheme == "https" { Scheme::Https } else { Scheme::Http };
    request.body = if record.body > 0 { Body::Octets(record.body) } else { Body::None };
    request.client = record.client;
    request.listener = record.listener.as_ref().map(String::as_bytes);
    request.fault = record.fault;
    for caller in [None, Some(Caller::Plan(0))] {
        request.caller = caller;
        let counted = allocation_counter::measure(|| {
            matcher.decide(&request, scratch);
        });
        assert_eq!(counted.count_total, 0, "{rules}\n{record:?}");
    }
    2
}
