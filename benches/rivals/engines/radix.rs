//! A radix tree of exact and prefix locations: what every engine of regexes gets beside it, and a rival by itself.

use super::{Engine, NOTHING};
use crate::families::policy::{Kind, Location, Policy};
use crate::measure::Timed;
use core::ops::Range;
use std::collections::VecDeque;

/// Nodes in the order of their depth, so that those near the root lie together.
pub(super) struct Radix {
    nodes: Vec<Node>,
    /// Labels of all nodes.
    labels: Vec<u8>,
    /// First bytes of the children of all nodes.
    firsts: Vec<u8>,
}

#[derive(Clone)]
struct Node {
    label: Range<usize>,
    firsts: Range<usize>,
    /// Its children stand in the order of their first bytes.
    children: usize,
    exact: u32,
    prefix: u32,
}

/// What was found, as nginx goes on from it.
#[derive(Clone, Copy)]
pub(super) enum Literal {
    Exact(u32),
    /// The longest prefix, or [`NOTHING`].
    Prefix(u32),
}

/// Locations to put into a node: those whose pattern is the same up to the node.
struct Pending<'a> {
    node: usize,
    depth: usize,
    entries: Vec<(&'a Location, u32)>,
}

impl Radix {
    pub(super) fn new<'a>(locations: impl Iterator<Item = (&'a Location, u32)>) -> Self {
        let mut entries: Vec<_> = locations.filter(|(location, _)| !location.kind.is_regex()).collect();
        entries.sort_by_key(|(location, _)| location.pattern.as_bytes());
        let mut tree = Self { nodes: vec![Node::empty()], labels: Vec::new(), firsts: Vec::new() };
        let mut pending = VecDeque::from([Pending { node: 0, depth: 0, entries }]);
        while let Some(next) = pending.pop_front() {
            tree.fill(&next, &mut pending);
        }
        tree
    }

    fn fill<'a>(&mut self, of: &Pending<'a>, pending: &mut VecDeque<Pending<'a>>) {
        let [(first, _), .., (last, _)] = of.entries.as_slice() else {
            return self.fill_single(of);
        };
        let (first, last) = (&first.pattern.as_bytes()[of.depth..], &last.pattern.as_bytes()[of.depth..]);
        let shared = first.iter().zip(last).take_while(|(a, b)| a == b).count();
        self.label(of.node, &first[..shared]);
        let depth = of.depth + shared;
        let ends = of.entries.iter().take_while(|(location, _)| location.pattern.len() == depth).count();
        self.end(of.node, &of.entries[..ends]);
        let groups =
            of.entries[ends..].chunk_by(|(a, _), (b, _)| a.pattern.as_bytes()[depth] == b.pattern.as_bytes()[depth]);
        self.nodes[of.node].children = self.nodes.len();
        let firsts = self.firsts.len();
        for group in groups {
            pending.push_back(Pending { node: self.nodes.len(), depth, entries: group.to_vec() });
            self.nodes.push(Node::empty());
            self.firsts.push(group[0].0.pattern.as_bytes()[depth]);
        }
        self.nodes[of.node].firsts = firsts..self.firsts.len();
    }

    fn fill_single(&mut self, of: &Pending<'_>) {
        if let Some((location, _)) = of.entries.first() {
            self.label(of.node, &location.pattern.as_bytes()[of.depth..]);
            self.end(of.node, &of.entries);
        }
    }

    fn label(&mut self, node: usize, label: &[u8]) {
        let start = self.labels.len();
        self.labels.extend_from_slice(label);
        self.nodes[node].label = start..self.labels.len();
    }

    fn end(&mut self, node: usize, entries: &[(&Location, u32)]) {
        for &(location, index) in entries {
            let place =
                if location.kind == Kind::Exact { &mut self.nodes[node].exact } else { &mut self.nodes[node].prefix };
            *place = index;
        }
    }

    #[inline]
    pub(super) fn find(&self, path: &[u8]) -> Literal {
        let mut best = NOTHING;
        let mut rest = path;
        let mut node = &self.nodes[0];
        while let Some(behind) = rest.strip_prefix(&self.labels[node.label.clone()]) {
            rest = behind;
            if node.prefix != NOTHING {
                best = node.prefix;
            }
            let Some(first) = rest.first() else {
                if node.exact != NOTHING {
                    return Literal::Exact(node.exact);
                }
                break;
            };
            let Some(nth) = self.firsts[node.firsts.clone()].iter().position(|byte| byte == first) else { break };
            node = &self.nodes[node.children + nth];
        }
        Literal::Prefix(best)
    }
}

impl Node {
    fn empty() -> Self {
        Self { label: 0..0, firsts: 0..0, children: 0, exact: NOTHING, prefix: NOTHING }
    }
}

/// Where there is no regex and no nesting, the tree alone is enough.
pub(super) fn make(policy: &Policy) -> Option<Box<dyn Timed>> {
    let fits = policy.locations.iter().all(|location| !location.kind.is_regex() && location.parent.is_none());
    fits.then(|| -> Box<dyn Timed> { Box::new(Radix::new(policy.locations.iter().zip(0..))) })
}

impl Engine for Radix {
    fn find(&mut self, path: &str) -> u32 {
        match Self::find(self, path.as_bytes()) {
            Literal::Exact(location) | Literal::Prefix(location) => location,
        }
    }
}
