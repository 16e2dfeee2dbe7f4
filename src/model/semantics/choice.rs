//! Which location takes a path (nginx: `ngx_http_core_find_location`).

use super::Regexes;
use crate::model::{Location, LocationId, LocationPaths, Policy};

/// What a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This location.
    Location(LocationId),
    /// The path lacks only the final slash of this location, which proxies.
    Redirect(LocationId),
}

impl Found {
    /// The location found, or the one whose slash is missing.
    pub(super) fn id(self) -> LocationId {
        match self {
            Self::Location(id) | Self::Redirect(id) => id,
        }
    }
}

/// A candidate of a level, and whether it ends the search of the levels around it.
struct Hit {
    found: Found,
    is_final: bool,
}

/// Looks `path` up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'p> {
    pub(super) policy: &'p Policy,
    pub(super) path: &'p [u8],
    /// Whether a missing slash is redirected.
    pub(super) adds_slash: bool,
}

impl<'p> Search<'p> {
    /// The location that takes the path, beginning with the locations of `level`.
    pub(super) fn find(self, level: &[LocationId], regexes: &dyn Regexes) -> Option<Found> {
        self.search(level, regexes).map(|hit| hit.found)
    }

    fn search(self, level: &[LocationId], regexes: &dyn Regexes) -> Option<Hit> {
        if let Some(id) = self.exact(level) {
            return Some(Hit { found: Found::Location(id), is_final: true });
        }
        let prefix = self.longest_prefix(level);
        let is_whole = prefix.is_some_and(|prefix| prefix.octets == self.path.len());
        if let Some(id) = self.redirect(level).filter(|_| !is_whole) {
            return Some(Hit { found: Found::Redirect(id), is_final: true });
        }
        let mut best = None;
        if let Some(prefix) = prefix {
            let inner = self.search(&self.location(prefix.id)?.nested, regexes);
            let inner = inner.unwrap_or(Hit { found: Found::Location(prefix.id), is_final: false });
            if inner.is_final || prefix.stops_regex {
                return Some(inner);
            }
            best = Some(inner);
        }
        self.first_regex(level, regexes).or(best)
    }

    /// The first regex that matches, or the innermost one nested in it.
    fn first_regex(self, level: &[LocationId], regexes: &dyn Regexes) -> Option<Hit> {
        let id = level.iter().find(|id| self.location(**id).is_some_and(|own| self.regex_matches(own, regexes)))?;
        // nginx builds no tree of the exact and prefix locations inside a regex: only regexes are found there.
        let inner = self.first_regex(&self.location(*id)?.nested, regexes);
        let found = inner.map_or(*id, |inner| inner.found.id());
        Some(Hit { found: Found::Location(found), is_final: true })
    }

    fn regex_matches(self, location: &Location, regexes: &dyn Regexes) -> bool {
        matches!(&location.paths, LocationPaths::Regex(pattern) if regexes.captures(pattern, self.path).is_some())
    }

    fn exact(self, level: &[LocationId]) -> Option<LocationId> {
        let is_it = |location: &Location| matches!(&location.paths, LocationPaths::Exact(path) if path == self.path);
        level.iter().copied().find(|id| self.location(*id).is_some_and(is_it))
    }

    fn longest_prefix(self, level: &[LocationId]) -> Option<Prefix> {
        let prefixes = level.iter().filter_map(|id| match &self.location(*id)?.paths {
            LocationPaths::Prefix { prefix, stops_regex } if self.path.starts_with(prefix) => {
                Some(Prefix { id: *id, octets: prefix.len(), stops_regex: *stops_regex })
            }
            _ => None,
        });
        prefixes.max_by_key(|prefix| prefix.octets)
    }

    /// The location that proxies and whose final slash the path lacks; an exact one first.
    fn redirect(self, level: &[LocationId]) -> Option<LocationId> {
        let with_slash = [self.path, b"/"].concat();
        let named = |id: &&LocationId, wants_exact: bool| {
            let Some(location) = self.location(**id) else { return false };
            match &location.paths {
                LocationPaths::Exact(path) => wants_exact && *path == with_slash,
                LocationPaths::Prefix { prefix, .. } => !wants_exact && *prefix == with_slash,
                LocationPaths::Regex(_) | LocationPaths::Named => false,
            }
        };
        let exact = level.iter().find(|id| named(id, true));
        let prefix = level.iter().find(|id| named(id, false));
        let proxies = |id: &&LocationId| self.location(**id).is_some_and(|location| location.proxies);
        let asked_for = self.adds_slash && exact.iter().chain(&prefix).any(proxies);
        exact.or(prefix).copied().filter(|_| asked_for)
    }

    fn location(self, id: LocationId) -> Option<&'p Location> {
        self.policy.locations.get(id.0 as usize)
    }
}

/// The longest prefix of a level.
#[derive(Clone, Copy)]
struct Prefix {
    id: LocationId,
    octets: usize,
    stops_regex: bool,
}
