//! nginx's choice of a location (`ngx_http_core_find_location`).

use super::automaton::first_of;
use crate::artifact::Tables;
use crate::artifact::format::{Level, NONE, TrieNode};

/// What a path leads to. Locations are numbered as in the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "nginx knows no other end of a lookup")]
pub enum Found {
    /// No location takes it.
    Nothing,
    /// This location.
    Location(u32),
    /// It lacks only the slash of this location.
    Redirect(u32),
}

/// Locations whose regexes matched on the way, outermost first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matched {
    locations: [u32; NESTING_MAX],
    count: usize,
}

/// How deep blocks nest; the parser lets no deeper ones through.
const NESTING_MAX: usize = 64;

impl Matched {
    pub(super) fn locations(&self) -> &[u32] {
        self.locations.get(..self.count).unwrap_or(&[])
    }

    fn push(&mut self, location: u32) {
        if let Some(place) = self.locations.get_mut(self.count) {
            *place = location;
            self.count += 1;
        }
    }
}

/// Looks `path` up among the locations of `level`.
pub(super) fn find(tables: &Tables<'_>, level: u32, path: &[u8]) -> (Found, Matched) {
    let matched = Matched { locations: [NONE; NESTING_MAX], count: 0 };
    let mut search = Search { tables, path, location: NONE, matched };
    let found = match search.level(level, 0) {
        Step::Redirect => Found::Redirect(search.location),
        _ if search.location == NONE => Found::Nothing,
        _ => Found::Location(search.location),
    };
    (found, search.matched)
}

/// What a level says; names as in nginx's source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// `NGX_OK`: decided.
    Decided,
    /// `NGX_DONE`
    Redirect,
    /// `NGX_AGAIN` or `NGX_DECLINED`: enclosing levels may find better.
    Open,
}

struct Search<'a, 't> {
    tables: &'a Tables<'t>,
    path: &'a [u8],
    location: u32,
    matched: Matched,
}

impl Search<'_, '_> {
    /// `depth` levels enclose this one.
    fn level(&mut self, level: u32, depth: usize) -> Step {
        let Some(level) = self.tables.levels().get(level).filter(|_| depth < NESTING_MAX) else { return Step::Open };
        let mut stops_regex = false;
        match self.walk_trie(level) {
            Literal::Exact(location) => {
                self.location = location;
                return Step::Decided;
            }
            Literal::Redirect(location) => {
                self.location = location;
                return Step::Redirect;
            }
            Literal::Prefix(location) => {
                self.location = location;
                let row = self.tables.locations().get(location).unwrap_or_default();
                stops_regex = row.stops_regex == 1;
                let nested = self.nested(row.nested, depth);
                if nested != Step::Open {
                    return nested;
                }
            }
            Literal::Nothing => {}
        }
        if stops_regex { Step::Open } else { self.regexes(level, depth) }
    }

    fn nested(&mut self, level: u32, depth: usize) -> Step {
        if level == NONE { Step::Open } else { self.level(level, depth + 1) }
    }

    fn regexes(&mut self, level: Level, depth: usize) -> Step {
        let rank = first_of(self.tables, level.ranked, level.ranked_count, self.path);
        if rank == NONE {
            return Step::Open;
        }
        let location = self.tables.regex_locations().number((level.regexes + rank) as usize);
        self.location = location;
        self.matched.push(location);
        let row = self.tables.locations().get(location).unwrap_or_default();
        // nginx builds no tree of the exact and prefix locations inside a regex: only regexes are found there.
        if let Some(nested) = self.tables.levels().get(row.nested).filter(|_| depth + 1 < NESTING_MAX) {
            self.regexes(nested, depth + 1);
        }
        Step::Decided
    }

    fn walk_trie(&self, level: Level) -> Literal {
        let mut node = self.tables.trie().get(level.trie).unwrap_or_default();
        let mut longest = node.prefix;
        for byte in self.path {
            let Some(next) = self.child(node, *byte) else { return Literal::prefix(longest) };
            node = next;
            if node.prefix != NONE {
                longest = node.prefix;
            }
        }
        if node.exact != NONE {
            Literal::Exact(node.exact)
        } else if node.prefix == NONE && node.redirect != NONE {
            Literal::Redirect(node.redirect)
        } else {
            Literal::prefix(longest)
        }
    }

    fn child(&self, node: TrieNode, byte: u8) -> Option<TrieNode> {
        let (mut low, mut high) = (node.edges, node.edges.saturating_add(node.edges_count));
        while low < high {
            let middle = low + (high - low) / 2;
            let edge = self.tables.edges().number(middle as usize);
            match (edge >> 24).cmp(&u32::from(byte)) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => return self.tables.trie().get(edge & 0x00FF_FFFF),
            }
        }
        None
    }
}

/// What the exact and prefix locations of a level say.
enum Literal {
    Exact(u32),
    Redirect(u32),
    Prefix(u32),
    Nothing,
}

impl Literal {
    fn prefix(location: u32) -> Self {
        if location == NONE { Self::Nothing } else { Self::Prefix(location) }
    }
}
