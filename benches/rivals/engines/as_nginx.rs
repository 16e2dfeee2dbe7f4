//! nginx's choice of a location around an engine of regexes: a tree of literals first, then the first regex, level by
//! level.

use super::radix::{Literal, Radix};
use super::{Engine, NOTHING};
use crate::families::policy::{Kind, Location, Policy};

/// The regexes of one level, in order.
pub(crate) trait Regexes: Sized {
    /// None: it takes too much of something.
    fn new(regexes: &[&Location]) -> Option<Self>;

    /// Which of them is the first that matches.
    fn first(&mut self, path: &str) -> Option<usize>;
}

/// Levels of locations, the outermost first.
pub(crate) struct AsNginx<R> {
    levels: Vec<Level<R>>,
    /// Of each location: which level is inside it.
    inside: Vec<Option<usize>>,
    stops_regex: Vec<bool>,
}

struct Level<R> {
    literals: Radix,
    /// None: this level has no regex.
    regexes: Option<R>,
    locations: Vec<u32>,
}

impl<R: Regexes> AsNginx<R> {
    /// None: without a regex it would be the tree alone, which is a rival by itself.
    pub(crate) fn new(policy: &Policy) -> Option<Self> {
        if !policy.locations.iter().any(|location| location.kind.is_regex()) {
            return None;
        }
        let mut members: Vec<Vec<u32>> = vec![Vec::new()];
        let mut inside = vec![None; policy.locations.len()];
        for (location, index) in policy.locations.iter().zip(0..) {
            let level = location.parent.map_or(0, |parent| {
                *inside[parent].get_or_insert_with(|| {
                    members.push(Vec::new());
                    members.len() - 1
                })
            });
            members[level].push(index);
        }
        let levels = members.iter().map(|members| Level::new(policy, members)).collect::<Option<_>>()?;
        let stops_regex = policy.locations.iter().map(|location| location.kind == Kind::StopPrefix).collect();
        Some(Self { levels, inside, stops_regex })
    }

    /// Whether the search is over; the best so far is in `best`.
    fn level(&mut self, level: usize, path: &str, best: &mut u32) -> bool {
        let mut stops_regex = false;
        match self.levels[level].literals.find(path.as_bytes()) {
            Literal::Exact(location) => {
                *best = location;
                return true;
            }
            Literal::Prefix(NOTHING) => {}
            Literal::Prefix(location) => {
                *best = location;
                stops_regex = self.stops_regex[location as usize];
                if let Some(inside) = self.inside[location as usize]
                    && self.level(inside, path, best)
                {
                    return true;
                }
            }
        }
        if stops_regex {
            return false;
        }
        let level = &mut self.levels[level];
        match level.regexes.as_mut().and_then(|regexes| regexes.first(path)) {
            Some(nth) => {
                *best = level.locations[nth];
                true
            }
            None => false,
        }
    }
}

impl<R: Regexes> Level<R> {
    fn new(policy: &Policy, members: &[u32]) -> Option<Self> {
        let location = |index: u32| (&policy.locations[index as usize], index);
        let literals = Radix::new(members.iter().map(|&index| location(index)));
        let regexes = members.iter().map(|&index| location(index)).filter(|(location, _)| location.kind.is_regex());
        let (patterns, locations): (Vec<_>, Vec<_>) = regexes.unzip();
        let regexes = if patterns.is_empty() { None } else { Some(R::new(&patterns)?) };
        Some(Self { literals, regexes, locations })
    }
}

impl<R: Regexes> Engine for AsNginx<R> {
    fn find(&mut self, path: &str) -> u32 {
        let mut best = NOTHING;
        self.level(0, path, &mut best);
        best
    }
}
