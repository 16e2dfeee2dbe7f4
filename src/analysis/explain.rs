//! Why a request is decided as it is: which locations took its path, which won, and why each other lost.

use crate::diagnostic::Span;
use crate::model::semantics::{self, Lookup, Regexes};
use crate::model::{Location, LocationId, LocationPaths, Policy, RequestRecord, Service, Verdict};
use serde::Serialize;

/// A decision and how it came about.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What is done.
    pub verdict: Verdict,
    /// Every lookup of a location, in order: one, unless rewrites ask for more.
    pub lookups: Vec<ExplainedLookup>,
}

/// One lookup of a location.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ExplainedLookup {
    /// The path, as Latin-1.
    pub path: String,
    /// Whether the path lacks only the final slash of the location found, and is redirected to it.
    pub adds_slash: bool,
    /// The locations that take the path, level by level, in file order.
    pub candidates: Vec<Candidate>,
}

/// A location that takes the path.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Candidate {
    /// Modifier and pattern, nested ones as a chain: `/a/ > ~ \.php$`.
    pub location: String,
    /// What `as` gives.
    pub name: Option<String>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Span,
    /// What became of it.
    pub standing: Standing,
    /// Why, in a few words.
    pub reason: String,
}

/// What became of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a candidate wins, encloses the winner or loses")]
pub enum Standing {
    /// It decides.
    Won,
    /// The winner is nested in it.
    Encloses,
    /// Another one decides.
    Lost,
}

/// Decides `request` by the definition, and says how.
///
/// As slow as [`semantics::decide`].
pub fn explain(policy: &Policy, request: &RequestRecord, regexes: &dyn Regexes) -> Explanation {
    let trace = semantics::trace(policy, request, regexes);
    let service = trace.service.and_then(|id| policy.services.get(id.0 as usize));
    let explained = |lookup| service.map(|service| explain_lookup(policy, service, lookup, regexes));
    let lookups = trace.lookups.iter().filter_map(explained).collect();
    Explanation { verdict: trace.verdict, lookups }
}

fn explain_lookup(policy: &Policy, service: &Service, lookup: &Lookup, regexes: &dyn Regexes) -> ExplainedLookup {
    let mut levels = Levels { policy, lookup, regexes, candidates: Vec::new() };
    let named: Vec<LocationId> = lookup.location.into_iter().collect();
    levels.level(if lookup.is_named { &named } else { &service.locations });
    ExplainedLookup {
        path: lookup.path.iter().copied().map(char::from).collect(),
        adds_slash: lookup.is_redirect,
        candidates: levels.candidates,
    }
}

/// The levels that a lookup visits.
struct Levels<'a> {
    policy: &'a Policy,
    lookup: &'a Lookup,
    regexes: &'a dyn Regexes,
    candidates: Vec<Candidate>,
}

/// A location of a level that takes the path.
#[derive(Clone, Copy)]
struct Taker<'a> {
    id: LocationId,
    location: &'a Location,
}

impl<'a> Levels<'a> {
    fn level(&mut self, level: &[LocationId]) {
        let takers: Vec<Taker<'a>> = level.iter().filter_map(|id| self.taker(*id)).collect();
        let longest = takers.iter().max_by_key(|taker| prefix_octets(taker.location)).copied();
        let longest = longest.filter(|taker| prefix_octets(taker.location).is_some());
        let decider = takers.iter().find(|taker| self.encloses_winner(taker.id)).copied();
        for taker in &takers {
            let (standing, reason) = self.standing(*taker, decider, longest);
            self.candidates.push(Candidate {
                location: chain(self.policy, taker.id),
                name: taker.location.name.clone(),
                span: taker.location.span,
                standing,
                reason,
            });
        }
        // Inner levels of the longest prefix are searched even where an outer regex wins in the end.
        let ends_here = decider
            .is_some_and(|taker| self.lookup.location == Some(taker.id) && ends_search(self.lookup, taker.location));
        let visited = [longest.filter(|_| !ends_here), decider.filter(|taker| is_regex(taker.location))];
        for taker in visited.into_iter().flatten() {
            self.level(&taker.location.nested);
        }
    }

    /// The location if it takes the path, or lacks only its final slash where that decided.
    fn taker(&self, id: LocationId) -> Option<Taker<'a>> {
        let location = self.policy.locations.get(id.0 as usize)?;
        let path = &self.lookup.path;
        let parent = location.parent.and_then(|parent| self.policy.locations.get(parent.0 as usize));
        let takes = match &location.paths {
            // As in nginx, nothing but regexes is looked at inside a regex.
            LocationPaths::Exact(_) | LocationPaths::Prefix { .. } if parent.is_some_and(is_regex) => false,
            LocationPaths::Exact(own) => own == path,
            LocationPaths::Prefix { prefix, .. } => path.starts_with(prefix),
            LocationPaths::Regex(pattern) => self.regexes.captures(pattern, path).is_some(),
            LocationPaths::Named => false,
        };
        (takes || self.lookup.location == Some(id)).then_some(Taker { id, location })
    }

    fn encloses_winner(&self, id: LocationId) -> bool {
        let parent = |id: &LocationId| self.policy.locations.get(id.0 as usize).and_then(|location| location.parent);
        core::iter::successors(self.lookup.location, parent).any(|own| own == id)
    }

    fn standing(&self, taker: Taker<'_>, decider: Option<Taker<'_>>, longest: Option<Taker<'_>>) -> (Standing, String) {
        if self.lookup.location == Some(taker.id) {
            return (Standing::Won, self.why_won(taker.location));
        }
        if self.encloses_winner(taker.id) {
            return (Standing::Encloses, "the winner is nested in it".to_owned());
        }
        let display = |other: Taker<'_>| other.location.display.clone();
        let longer = longest.filter(|longest| longest.id != taker.id && prefix_octets(taker.location).is_some());
        let reason = match (decider, longer) {
            (Some(other), _) if self.lookup.is_redirect && self.lookup.location == Some(other.id) => {
                format!("a missing slash, that of `{}`, is added first", display(other))
            }
            (Some(other), _) if matches!(other.location.paths, LocationPaths::Exact(_)) => {
                format!("`{}` is exact and ends the search", display(other))
            }
            (_, Some(longer)) => format!("`{}` is a longer prefix", display(longer)),
            (Some(other), None) if is_regex(other.location) && is_regex(taker.location) => {
                format!("`{}` stands before it", display(other))
            }
            (Some(other), None) if is_regex(other.location) => {
                format!("the regex `{}` goes before prefixes", display(other))
            }
            (Some(other), None) if stops_regex(other.location) => {
                format!("`{}` keeps the regexes of its level out", display(other))
            }
            (Some(other), None) => format!("the search ended inside `{}`", display(other)),
            (None, None)
                if longest.is_some_and(|longest| stops_regex(longest.location)) && is_regex(taker.location) =>
            {
                let silencer = longest.map(display).unwrap_or_default();
                format!("`{silencer}` keeps the regexes of its level out")
            }
            (None, None) => "a regex of an outer level goes before prefixes".to_owned(),
        };
        (Standing::Lost, reason)
    }

    fn why_won(&self, location: &Location) -> String {
        let why = match &location.paths {
            _ if self.lookup.is_redirect => "the path lacks only its final slash, and it proxies",
            LocationPaths::Exact(_) => "it is exactly the path",
            LocationPaths::Prefix { stops_regex: true, .. } => "it is the longest prefix, and keeps regexes out",
            LocationPaths::Prefix { .. } => "it is the longest prefix, and no regex matches",
            LocationPaths::Regex(_) => "it is the first regex that matches",
            LocationPaths::Named => "a `goto` or an `error_page` names it",
        };
        why.to_owned()
    }
}

/// Whether nothing of a level is looked at once `location` of it is found: an exact one, or a missing slash.
fn ends_search(lookup: &Lookup, location: &Location) -> bool {
    lookup.is_redirect || matches!(location.paths, LocationPaths::Exact(_))
}

fn prefix_octets(location: &Location) -> Option<usize> {
    match &location.paths {
        LocationPaths::Prefix { prefix, .. } => Some(prefix.len()),
        _ => None,
    }
}

fn stops_regex(location: &Location) -> bool {
    matches!(location.paths, LocationPaths::Prefix { stops_regex: true, .. })
}

fn is_regex(location: &Location) -> bool {
    matches!(location.paths, LocationPaths::Regex(_))
}

/// Modifiers and patterns of `id` and the locations around it, outermost first.
fn chain(policy: &Policy, id: LocationId) -> String {
    let at = |id: LocationId| policy.locations.get(id.0 as usize);
    let locations = core::iter::successors(at(id), |location| location.parent.and_then(at));
    let mut displays: Vec<&str> = locations.map(|location| location.display.as_str()).collect();
    displays.reverse();
    displays.join(" > ")
}
