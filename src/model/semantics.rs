//! THE DEFINITION: what a policy means, short and slow.
//!
//! It follows "How a request is decided" of the language guide step by step, with nginx's normalisation and choice of
//! locations, on the policy as resolved: no automaton, no table. Everything that is clever is tested against it.

mod answer;
mod arrival;
mod choice;
mod course;
mod engine;
mod escape;
mod facts;
mod fields;
mod guard;
mod location;
mod omission;
mod request;
mod rewrite;
mod service;
mod spelling;
mod target;
mod template;
mod walk;

pub(crate) use engine::Prepared;
pub use engine::Simulation;
pub(crate) use guard::satisfies;

use super::{LocationId, Pattern, Policy, RequestRecord, ServiceId, Verdict};
use crate::contract::Caller;
use answer::verdict;
use arrival::arrive;
use core::ops::Range;
use request::Request;
use walk::Walk;

/// Something that can match a pattern: the definition says what a match decides, not how it is found.
pub trait Regexes {
    /// Where the leftmost match of `pattern` in `subject` and its groups are; None if it does not match.
    fn captures(&self, pattern: &Pattern, subject: &[u8]) -> Option<Vec<Option<Range<usize>>>>;
}

/// What `policy` does with `request`.
///
/// Costs a look at every location and every pattern that might matter. A `plan` that the service does not know counts
/// as `?unknown`, a value that a fact cannot have as not said, a character above `ÿ` as `?`.
pub fn decide(policy: &Policy, request: &RequestRecord, regexes: &dyn Regexes) -> Verdict {
    trace(policy, request, regexes).verdict
}

/// A decision, and how it came about.
#[derive(Debug)]
pub(crate) struct Trace {
    /// What is done.
    pub(crate) verdict: Verdict,
    /// The service that the host chose.
    pub(crate) service: Option<ServiceId>,
    /// Every lookup of a location, in order.
    pub(crate) lookups: Vec<Lookup>,
}

/// One lookup of a location.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// The path looked up.
    pub(crate) path: Vec<u8>,
    /// What was found; for a slash redirect the location whose slash was missing.
    pub(crate) location: Option<LocationId>,
    /// Whether it is a slash redirect.
    pub(crate) is_redirect: bool,
    /// Whether no path was looked up: `goto` or `error_page` named the location.
    pub(crate) is_named: bool,
}

/// [`decide`], with the lookups on the way.
pub(crate) fn trace(policy: &Policy, record: &RequestRecord, regexes: &dyn Regexes) -> Trace {
    let request = Request::new(policy, record);
    match arrive(policy, request, regexes) {
        Ok((arrival, seen)) => {
            let service = Some(arrival.service_id);
            let mut walk = Walk::new(policy, &seen, regexes, arrival);
            let verdict = walk.decide();
            Trace { verdict, service, lookups: walk.lookups }
        }
        Err(refused) => {
            let service = refused.service.and_then(|id| policy.services.get(id.0 as usize));
            let verdict =
                Verdict { service: service.map(|service| service.name.clone()), ..verdict::refusal(refused.refusal) };
            Trace { verdict, service: refused.service, lookups: Vec::new() }
        }
    }
}

/// The text that carries `bytes` as Latin-1.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The bytes that `text` carries as Latin-1.
fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}
