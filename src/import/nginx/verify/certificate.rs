//! What `--verify` can vouch for, and what it has not asked.

use super::{Nginx, Outcome, Subject, curl};
use crate::import::nginx::verify::client::Answer;
use crate::model::RequestRecord;
use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

/// What came of all comparisons.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Certificate {
    /// Requests on which both agree.
    pub agreed: u64,
    /// Requests on which they differ on purpose, by reason.
    pub on_purpose: BTreeMap<&'static str, u64>,
    /// The first differences: the request as a curl line, and how both answer.
    pub differences: Vec<String>,
    /// All differences.
    pub differing: u64,
    /// Locations that were reached, of how many.
    pub locations: (usize, usize),
    /// Servers.
    pub servers: usize,
    /// What was not asked, a line each.
    pub not_asked: Vec<String>,
    /// What `nginx -v` says.
    pub version: String,
    pub(super) reached: BTreeSet<String>,
}

/// Differences that are shown: a reader looks at the first.
const SHOWN_MAX: usize = 20;

/// What no request over a socket without TLS, to an nginx without files, can show.
const NEVER_ASKED: &str = "TLS and client certificates, HTTP/2, files that are there, upstreams that fail, and whatever \
                           takes time: rates, timeouts, caches";

impl Certificate {
    pub(super) fn count(&mut self, subject: &Subject, request: &RequestRecord, answer: &Answer) {
        self.reached
            .extend(answer.values("x-rulec-place").iter().filter(|tag| **tag != "s").map(|tag| (*tag).to_owned()));
        let Some(verdict) = subject.decide(request) else { return };
        match subject.compare(request, answer, &verdict) {
            Outcome::Same => self.agreed += 1,
            Outcome::OnPurpose(why) => *self.on_purpose.entry(why).or_default() += 1,
            Outcome::Differs(how) => {
                self.differing += 1;
                if self.differences.len() < SHOWN_MAX {
                    self.differences.push(format!("{}\n{how}", curl(request)));
                }
            }
        }
    }

    /// Takes down how much of `subject` was asked, and what was not.
    pub(super) fn close(&mut self, subject: &Subject, nginx: &Nginx) {
        let (locations, servers) = subject.size();
        self.locations = (self.reached.len(), locations);
        self.servers = servers;
        let untold = nginx.untold();
        if untold > 0 {
            self.differing += 1;
            self.differences.push(format!("{untold} requests reached upstreams beside those whose answers came back"));
        }
        let place = |span| subject.parsed.sources.place(span);
        for out in &subject.imported.left_out {
            self.not_asked.push(format!("`{}` ({}), left out on request: {}", out.name, place(out.span), out.why));
        }
        for (name, span, why) in &nginx.refused {
            self.not_asked.push(format!("`{name}` ({}), which this nginx does not take: {why}", place(*span)));
        }
        let omitted = subject.instrumented.omitted.iter();
        let omitted: Vec<String> = omitted
            .map(|(name, count)| if *count == 1 { format!("`{name}`") } else { format!("`{name}` ({count})") })
            .collect();
        if !omitted.is_empty() {
            self.not_asked.push(format!("directives that the nginx asked runs without: {}", omitted.join(", ")));
        }
        self.not_asked.push(NEVER_ASKED.to_owned());
    }
}

impl fmt::Display for Certificate {
    /// Without the version: what agreed, over how much, what could not be compared, and what was not asked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reached, all) = self.locations;
        for (why, count) in &self.on_purpose {
            writeln!(f, "{count} requests not compared: {why}")?;
        }
        if self.differing > 0 {
            writeln!(f, "{} requests differ", self.differing)?;
        }
        writeln!(f, "{} requests agreed, over {reached} of {all} locations of {} servers", self.agreed, self.servers)?;
        self.not_asked.iter().try_for_each(|what| writeln!(f, "not asked: {what}"))
    }
}
