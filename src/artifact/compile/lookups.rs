//! Exact and prefix locations of a service, of all levels, as literals of one scanner.
//!
//! Which of them takes a path, and on which levels regexes may go before it, is known with the last literal that the
//! path begins with: each literal gets an outcome for paths that go on, and one for the path that ends there.

use super::searches::Written;
use super::tables::{Builder, index};
use crate::artifact::format::{self, DEAD, LITERAL, NONE, NOWHERE, Number, ROOT_FIRST, ROOT_SEARCH, outcome_kind};
use crate::automaton::scanner::Literal;
use crate::model::{Location, LocationId, LocationPaths, Policy, Service, SlashRedirect};
use std::collections::{BTreeMap, HashMap};

/// A level of exact and prefix locations that can be reached: the outermost, or one nested in a prefix location.
struct Level<'p> {
    locations: &'p [LocationId],
    /// The search of its regexes; none where it has none.
    search: u32,
}

/// What a level says of one text.
#[derive(Default)]
struct Entry<'p> {
    exact: Option<(u32, &'p Location)>,
    prefix: Option<(u32, &'p Location)>,
    redirect: Option<u32>,
}

/// Entries by text, then by level.
type Entries<'p> = BTreeMap<Vec<u8>, BTreeMap<usize, Entry<'p>>>;

/// Levels that the longest prefixes so far lead to, outermost first, each with its longest prefix.
type Chain<'p> = Vec<(usize, Option<(u32, &'p Location)>)>;

impl Builder<'_> {
    /// Writes how a location of `service` is found.
    pub(super) fn lookup(&mut self, service: &Service) -> u32 {
        let policy = self.policy;
        let mut levels = Vec::new();
        let mut nested = HashMap::new();
        collect_levels(policy, &service.locations, &mut levels, &mut nested);
        for level in levels.iter_mut().skip(1) {
            level.search = self.level_search(level.locations);
        }
        let entries = entries(policy, &levels, service.slash_redirect);
        // The outermost level is searched together with the literals, and its row is the next one.
        let root_has_regexes = levels.first().is_some_and(|level| has_regexes(policy, level.locations));
        let root = if root_has_regexes { ROOT_SEARCH } else { NONE };
        if let Some(level) = levels.first_mut() {
            level.search = root;
        }
        let mut outcomes = Outcomes { builder: self, levels: &levels, nested: &nested, known: HashMap::new() };
        let start: Chain<'_> = vec![(0, None)];
        let outcome = outcomes.going_on(&start);
        let mut marks = Vec::new();
        let mut enclosing: Vec<(&[u8], Chain<'_>)> = Vec::new();
        for (text, entries) in &entries {
            while enclosing.last().is_some_and(|(prefix, _)| !text.starts_with(prefix)) {
                enclosing.pop();
            }
            let before = enclosing.last().map_or(&start, |(_, chain)| chain);
            let chain = outcomes.chain(before, entries);
            marks.push((outcomes.going_on(&chain), outcomes.ending(&chain, entries)));
            enclosing.push((text, chain));
        }
        let literals: Vec<Literal<'_>> = entries.keys().zip(0..).map(|(text, mark)| Literal { text, mark }).collect();
        let written = self.level(&service.locations, Some((&literals, &marks)));
        let Some(Written { search, repeating, literals: Some((start, classes)) }) = written else {
            return self.lookups.push(&format::Lookup { start: DEAD, classes: 0, outcome, root: NONE, repeating: 0 });
        };
        self.lookups.push(&format::Lookup { start, classes, outcome, root: search, repeating })
    }
}

fn collect_levels<'p>(
    policy: &'p Policy,
    locations: &'p [LocationId],
    levels: &mut Vec<Level<'p>>,
    nested: &mut HashMap<u32, usize>,
) {
    levels.push(Level { locations, search: NONE });
    for id in locations {
        let Some(location) = policy.locations.get(id.0 as usize) else { continue };
        if matches!(location.paths, LocationPaths::Prefix { .. }) && !location.nested.is_empty() {
            nested.insert(id.0, levels.len());
            collect_levels(policy, &location.nested, levels, nested);
        }
    }
}

fn has_regexes(policy: &Policy, locations: &[LocationId]) -> bool {
    let is_regex = |location: &Location| matches!(location.paths, LocationPaths::Regex(_));
    locations.iter().filter_map(|id| policy.locations.get(id.0 as usize)).any(is_regex)
}

fn entries<'p>(policy: &'p Policy, levels: &[Level<'p>], slash_redirect: SlashRedirect) -> Entries<'p> {
    let mut entries = Entries::new();
    for (level, Level { locations, .. }) in levels.iter().enumerate() {
        for id in *locations {
            let Some(location) = policy.locations.get(id.0 as usize) else { continue };
            let (text, is_exact) = match &location.paths {
                LocationPaths::Exact(path) => (path, true),
                LocationPaths::Prefix { prefix, .. } => (prefix, false),
                LocationPaths::Regex(_) | LocationPaths::Named => continue,
            };
            let entry = entries.entry(text.clone()).or_default().entry(level).or_default();
            let place = if is_exact { &mut entry.exact } else { &mut entry.prefix };
            *place = Some((id.0, location));
        }
    }
    if slash_redirect != SlashRedirect::Off {
        let redirects: Vec<(Vec<u8>, usize, u32)> = entries
            .iter()
            .flat_map(|(text, by_level)| by_level.iter().map(move |(level, entry)| (text, *level, entry)))
            .filter_map(|(text, level, entry)| Some((text.strip_suffix(b"/")?.to_vec(), level, redirect(entry)?)))
            .collect();
        for (text, level, location) in redirects {
            entries.entry(text).or_default().entry(level).or_default().redirect = Some(location);
        }
    }
    entries
}

/// The location that a path lacks only the slash of, if `entry` is that of the path with it (nginx: `auto_redirect` of
/// either kind counts for both, and the exact one is named).
fn redirect(entry: &Entry<'_>) -> Option<u32> {
    let proxies = [entry.exact, entry.prefix].iter().flatten().any(|(_, location)| location.proxies);
    let (named, _) = entry.exact.or(entry.prefix)?;
    proxies.then_some(named)
}

struct Outcomes<'b, 'p, 'l> {
    builder: &'b mut Builder<'p>,
    levels: &'l [Level<'l>],
    /// By location: the level nested in it.
    nested: &'l HashMap<u32, usize>,
    known: HashMap<(u32, u32, Vec<u32>), u32>,
}

impl<'l> Outcomes<'_, '_, 'l> {
    /// The chain behind a text that has `entries`.
    fn chain(&self, before: &Chain<'l>, entries: &BTreeMap<usize, Entry<'l>>) -> Chain<'l> {
        let mut chain = before.clone();
        let mut depth = 0;
        while let Some((level, longest)) = chain.get_mut(depth) {
            if let Some(prefix) = entries.get(level).and_then(|entry| entry.prefix) {
                *longest = Some(prefix);
                chain.truncate(depth + 1);
                chain.extend(self.nested.get(&prefix.0).map(|level| (*level, None)));
            }
            depth += 1;
        }
        chain
    }

    fn going_on(&mut self, chain: &Chain<'_>) -> u32 {
        let location = chain.iter().rev().find_map(|(_, longest)| *longest).map_or(NONE, |(id, _)| id);
        let mut eligible = Vec::new();
        for (level, longest) in chain.iter().rev() {
            let search = self.levels.get(*level).map_or(NONE, |level| level.search);
            let stops_regex = longest
                .is_some_and(|(_, location)| matches!(location.paths, LocationPaths::Prefix { stops_regex: true, .. }));
            if search != NONE && !stops_regex {
                eligible.push(search);
            }
        }
        match eligible.as_slice() {
            [] => literal(location),
            [ROOT_SEARCH] => literal(location) | ROOT_FIRST,
            _ => self.row(location, outcome_kind::OPEN, eligible),
        }
    }

    /// The outcome of the path that ends with a text that has `entries`; outer levels decide first.
    fn ending(&mut self, chain: &Chain<'_>, entries: &BTreeMap<usize, Entry<'_>>) -> u32 {
        for entry in chain.iter().filter_map(|(level, _)| entries.get(level)) {
            if let Some((id, _)) = entry.exact {
                return literal(id);
            }
            if let (None, Some(location)) = (entry.prefix, entry.redirect) {
                return self.row(location, outcome_kind::REDIRECT, Vec::new());
            }
        }
        self.going_on(chain)
    }

    fn row(&mut self, location: u32, kind: u32, eligible: Vec<u32>) -> u32 {
        let builder = &mut *self.builder;
        *self.known.entry((location, kind, eligible)).or_insert_with_key(|(location, kind, searches)| {
            let eligible = builder.eligible.next();
            for search in searches {
                builder.eligible.push(&Number { value: *search });
            }
            let eligible_count = index(searches.len());
            builder.outcomes.push(&format::Outcome { location: *location, kind: *kind, eligible, eligible_count })
        })
    }
}

/// The outcome that only says `location`, or none.
fn literal(location: u32) -> u32 {
    LITERAL | location.min(NOWHERE)
}
