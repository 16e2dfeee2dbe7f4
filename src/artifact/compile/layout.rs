//! What of a scanner gets cells of its own, and in which order.
//!
//! Most states become rows. A text that is read one way only becomes a chain; a state that stays on many octets becomes
//! a loop, and what it does on the others a row behind it, its body.

use crate::artifact::format::{CHAIN_BYTE_MIN, CHAIN_MAX, CHAIN_WORD_ENDS, OctetSet};
use crate::automaton::scanner::{DEAD, Output, Scanner};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::VecDeque;

/// A state of the scanner, or the body of the state `node - states`.
pub(super) type Node = u32;

/// Where a node goes that is no loop: to a node by default, or by its class.
pub(super) struct Row<'s> {
    pub(super) default: Node,
    pub(super) edges: Cow<'s, [(u8, Node)]>,
}

/// A node that has cells of its own.
pub(super) struct Placed {
    pub(super) node: Node,
    pub(super) kind: Kind,
}

/// What the cells of a node are.
pub(super) enum Kind {
    Row,
    /// A text as it stands in what is read, and where it leads.
    Chain {
        text: Vec<u8>,
        end: Node,
    },
    Loop {
        set: OctetSet,
        some: bool,
        body: Node,
    },
}

/// Shorter texts are cheaper as states.
const CHAIN_MIN: usize = 2;

/// States that stay on fewer octets are no loops: they stay seldom.
const LOOP_OCTETS_MIN: u32 = 4;

/// States that lead to more others are no loops: they seldom stay for long.
const LOOP_WAYS_MAX: usize = 2;

/// As many branches are laid out by themselves, or more: of what is before them most paths read much the same.
const BRANCHES: usize = 256;

/// How the states of a scanner are laid out.
pub(super) struct Layout<'s> {
    scanner: &'s Scanner,
    backward: bool,
    /// By class: its byte, if it has only one.
    letters: Vec<Option<u8>>,
    /// The octets on which states stay that are loops.
    loops: FxHashMap<u32, OctetSet>,
}

impl<'s> Layout<'s> {
    pub(super) fn new(scanner: &'s Scanner, backward: bool) -> Self {
        let mut layout = Self { scanner, backward, letters: letters(scanner), loops: FxHashMap::default() };
        for state in 0..layout.states() {
            if let Some(set) = layout.stays(state) {
                layout.loops.insert(state, set);
            }
        }
        layout
    }

    fn states(&self) -> u32 {
        u32::try_from(self.scanner.states.len()).unwrap_or(DEAD)
    }

    /// Numbers of nodes are below it.
    pub(super) fn nodes(&self) -> usize {
        2 * self.scanner.states.len()
    }

    /// The state that `node` is, or whose body it is; and whether it is a body.
    fn state(&self, node: Node) -> (u32, bool) {
        node.checked_sub(self.states()).map_or((node, false), |state| (state, true))
    }

    /// What `node` tells.
    pub(super) fn output(&self, node: Node) -> &'s Output {
        const NONE: &Output = &Output::NONE;
        self.scanner.states.get(self.state(node).0 as usize).map_or(NONE, |state| &state.output)
    }

    /// Where `node` goes on.
    pub(super) fn row(&self, node: Node) -> Row<'s> {
        let (state, is_body) = self.state(node);
        if is_body {
            let others = self.others(state);
            let default = if others.iter().any(|(_, next)| *next == DEAD) { DEAD } else { most_common(&others) };
            return Row { default, edges: others.into_iter().filter(|(_, next)| *next != default).collect() };
        }
        self.scanner.states.get(state as usize).map_or(Row { default: DEAD, edges: Cow::Borrowed(&[]) }, |state| Row {
            default: state.default,
            edges: Cow::Borrowed(&state.edges),
        })
    }

    /// Where `state` leads: classes and states.
    fn ways(&self, state: u32) -> impl Iterator<Item = (u8, u32)> {
        let state = self.scanner.states.get(state as usize);
        let default = state.map_or(DEAD, |state| state.default);
        let mut edges = state.map_or([].as_slice(), |state| state.edges.as_slice()).iter().peekable();
        (0..=u8::MAX).take(self.scanner.stride).map(move |class| {
            let own = edges.next_if(|(edge, _)| *edge == class);
            (class, own.map_or(default, |(_, next)| *next))
        })
    }

    /// Where `state` leads that does not stay.
    fn others(&self, state: u32) -> Vec<(u8, u32)> {
        self.ways(state).filter(|(_, next)| *next != state).collect()
    }

    /// The octets on which `state` goes to `next`.
    fn set(&self, state: u32, next: u32) -> OctetSet {
        let ways: Vec<u32> = self.ways(state).map(|(_, next)| next).collect();
        let mut set = OctetSet::default();
        for (octet, class) in (0..=u8::MAX).zip(self.scanner.classes) {
            if ways.get(usize::from(class)) == Some(&next) {
                set.insert(octet);
            }
        }
        set
    }

    /// The octets on which `state` stays, if it is a loop.
    fn stays(&self, state: u32) -> Option<OctetSet> {
        let own = self.scanner.states.get(state as usize)?;
        if own.output.tells_on_the_way() || own.default != state && own.edges.iter().all(|(_, next)| *next != state) {
            return None;
        }
        let mut others: Vec<u32> = self.others(state).into_iter().map(|(_, next)| next).collect();
        others.sort_unstable();
        others.dedup();
        // What comes back at most octets, as the start of what may stand anywhere, is left too often.
        let default = |state: u32| self.scanner.states.get(state as usize).map_or(DEAD, |state| state.default);
        if others.iter().any(|other| default(*other) == state) {
            return None;
        }
        let set = self.set(state, state);
        (others.len() <= LOOP_WAYS_MAX && set.len() >= LOOP_OCTETS_MIN).then_some(set)
    }

    /// What `node` is, if it is a loop.
    fn loops(&self, node: Node) -> Option<Kind> {
        let body = |state: u32| self.states() + state;
        if let Some(set) = self.loops.get(&node) {
            return Some(Kind::Loop { set: *set, some: false, body: body(node) });
        }
        let (state, is_body) = self.state(node);
        let own = self.scanner.states.get(state as usize).filter(|_| !is_body)?;
        let next = own.edges.iter().map(|(_, next)| *next).chain([own.default]).find(|next| *next != DEAD)?;
        let set = self.loops.get(&next)?;
        let is_before = own.output == Output::NONE
            && self.ways(state).all(|(_, way)| way == next || way == DEAD)
            && self.set(state, next) == *set;
        is_before.then_some(Kind::Loop { set: *set, some: true, body: body(next) })
    }

    /// The one class on which `node` goes on, and where, if it tells nothing.
    fn only_way(&self, node: Node) -> Option<(u8, u32)> {
        if *self.output(node) != Output::NONE {
            return None;
        }
        let (state, is_body) = self.state(node);
        if is_body {
            let mut ways = self.others(state).into_iter().filter(|(_, next)| *next != DEAD);
            return ways.next().filter(|_| ways.next().is_none());
        }
        let own = self.scanner.states.get(state as usize)?;
        match own.edges.as_slice() {
            [way] if own.default == DEAD => Some(*way),
            _ => None,
        }
    }

    /// The text that `node` and those behind it read one way only, and where it ends.
    fn chain(&self, node: Node) -> (Vec<u8>, Node) {
        let mut text = Vec::new();
        let mut at = node;
        while let Some((class, next)) = self.only_way(at)
            && let Some(Some(letter)) = self.letters.get(usize::from(class))
            && *letter >= CHAIN_BYTE_MIN
            && (CHAIN_WORD_ENDS.contains(letter) || !self.backward && text.len() % 8 < 7)
            && text.len() < CHAIN_MAX
            && next != at
        {
            text.push(*letter);
            at = next;
        }
        (text, at)
    }

    fn kind(&self, node: Node) -> Kind {
        let (mut text, end) = self.chain(node);
        if text.len() >= CHAIN_MIN {
            if self.backward {
                text.reverse();
            }
            return Kind::Chain { text, end };
        }
        self.loops(node).unwrap_or(Kind::Row)
    }

    /// Nodes in the order in which they get their cells. Those near a start, which most paths visit, stand together;
    /// behind them each branch by itself, so that what one path reads is close together.
    pub(super) fn order(&self) -> Vec<Placed> {
        let mut known = vec![false; self.nodes()];
        let mut waiting: VecDeque<Node> = self.scanner.starts.iter().copied().collect();
        let mut is_near = true;
        let mut placed = Vec::new();
        while let Some(node) = waiting.pop_front() {
            let Some(is_known) = known.get_mut(node as usize).filter(|known| !**known) else { continue };
            *is_known = true;
            let kind = self.kind(node);
            let row = self.row(node);
            let behind: Vec<Node> = match &kind {
                Kind::Row => row.edges.iter().map(|(_, next)| *next).chain([row.default]).collect(),
                Kind::Chain { end, .. } => vec![*end],
                Kind::Loop { body, .. } => vec![*body],
            };
            is_near &= waiting.len() < BRANCHES;
            if is_near && !matches!(kind, Kind::Loop { .. }) {
                waiting.extend(behind);
            } else {
                behind.into_iter().rev().for_each(|next| waiting.push_front(next));
            }
            placed.push(Placed { node, kind });
        }
        placed
    }
}

fn letters(scanner: &Scanner) -> Vec<Option<u8>> {
    let mut letters = vec![None; scanner.stride];
    let mut counts = vec![0; scanner.stride];
    for (byte, class) in (0..=u8::MAX).zip(scanner.classes) {
        if let (Some(letter), Some(count)) = (letters.get_mut(usize::from(class)), counts.get_mut(usize::from(class))) {
            *count += 1;
            *letter = (*count == 1).then_some(byte);
        }
    }
    letters
}

/// Where most of `ways` lead.
fn most_common(ways: &[(u8, u32)]) -> u32 {
    let mut sorted: Vec<u32> = ways.iter().map(|(_, next)| *next).collect();
    sorted.sort_unstable();
    let longest = sorted.chunk_by(|a, b| a == b).max_by_key(|chunk| chunk.len());
    longest.and_then(<[u32]>::first).copied().unwrap_or(DEAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automaton::Limits;
    use crate::automaton::scanner::Literal;
    use crate::automaton::search::search;
    use crate::model::{LocationPaths, load_text};

    /// What follows a state behind the first branches stands right behind it: a path reads few pages.
    #[test]
    fn a_branch_stands_together() {
        let texts: Vec<String> =
            (0..2_000).map(|number| format!("/{}/{}/r{number}/", number % 37, number % 41)).collect();
        let mut literals: Vec<Literal<'_>> =
            texts.iter().zip(0..).map(|(text, mark)| Literal { text: text.as_bytes(), mark }).collect();
        literals.sort_by_key(|literal| literal.text);
        let limits = Limits::default();
        let found = search(&[], Some(&literals), &limits, &mut limits.steps_max.clone()).expect("within the limits");
        let scanner = found.scanners.first().expect("literals have a scanner");
        let layout = Layout::new(scanner, false);
        let placed = layout.order();
        let near = 4 * BRANCHES;
        let apart = placed.windows(2).skip(near).filter(|pair| {
            let [one, other] = pair else { return false };
            let next = match &one.kind {
                Kind::Row => layout.row(one.node).edges.first().map(|(_, next)| *next),
                Kind::Chain { end, .. } => Some(*end),
                Kind::Loop { body, .. } => Some(*body),
            };
            next.is_some_and(|next| next != other.node)
        });
        assert!(placed.len() > 2 * near, "{} states", placed.len());
        assert_eq!(apart.count(), 0);
    }

    /// What the first scanner of `pattern` is laid out as: texts, loops with one of their octets, `.` for a row.
    fn laid_out(pattern: &str) -> String {
        let rules = format!(
            "upstream u {{ server 127.0.0.1:1; }} service s {{ server_name s; location ~ {pattern:?} {{ proxy u; }} }}"
        );
        let loaded = load_text("s.rules", &rules);
        let regexes = loaded.policy.locations.iter().filter_map(|location| match &location.paths {
            LocationPaths::Regex(pattern) => pattern.meaning.as_ref(),
            _ => None,
        });
        let limits = Limits::default();
        let found = search(&regexes.collect::<Vec<_>>(), None, &limits, &mut limits.steps_max.clone());
        let found = found.expect("within the limits");
        let backward = found.scans.first().expect("one scan").backward;
        let layout = Layout::new(found.scanners.first().expect("one scanner"), backward);
        let kind = |placed: Placed| match placed.kind {
            Kind::Row => ".".to_owned(),
            Kind::Chain { text, .. } => format!("{:?}", String::from_utf8_lossy(&text)),
            Kind::Loop { set, some, .. } => format!("({} octets{})", set.len(), if some { ", some" } else { "" }),
        };
        layout.order().into_iter().map(kind).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn octets_that_may_be_many_are_one_cell() {
        let cases = [
            // The rows are the end, and the end behind a newline.
            ("^/r1/[0-9]+/edit$", r#""/r1/" (10 octets, some) "/edit" . ."#),
            ("^/r1/[^/]+/edit$", r#""/r1/" (255 octets, some) "/edit" . ."#),
            ("^/r1/[0-9]*/edit$", r#""/r1/" (10 octets) "/edit" . ."#),
            ("^/r1/[a-z]+$", r#""/r1/" (26 octets, some) . ."#),
            // What stays on few octets has a row for them.
            ("^/r1/[ab]+$", r#""/r1/" . . ."#),
            // From the end on: the text, and its rest behind a newline and a `t`.
            ("/[0-9]+/edit$", r#". "/edit" "/edi" (10 octets, some) . ."#),
        ];
        let wrong: Vec<String> = cases
            .iter()
            .map(|(pattern, expected)| (pattern, expected, laid_out(pattern)))
            .filter(|(_, expected, found)| **expected != found.as_str())
            .map(|(pattern, _, found)| format!("{pattern}: {found}"))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
