//! Exact and prefix locations of a level as a trie.

use super::tables::{Builder, index};
use crate::artifact::format::{NONE, Number, TrieNode};
use crate::model::{Location, LocationPaths, Policy, SlashRedirect};
use std::collections::BTreeMap;

/// A node while its level is collected.
#[derive(Default)]
struct Node<'p> {
    exact: Option<(u32, &'p Location)>,
    prefix: Option<(u32, &'p Location)>,
    edges: BTreeMap<u8, usize>,
}

impl Builder<'_> {
    /// The trie of the exact and prefix locations among `locations`; its nodes are numbered from the root on.
    pub(super) fn trie(&mut self, locations: &[u32], slash_redirect: SlashRedirect) -> u32 {
        let nodes = collect(self.policy, locations);
        let root = self.trie.next();
        for node in &nodes {
            let redirect = redirect(&nodes, node, slash_redirect);
            let row = TrieNode {
                exact: node.exact.map_or(NONE, |(id, _)| id),
                prefix: node.prefix.map_or(NONE, |(id, _)| id),
                redirect: redirect.unwrap_or(NONE),
                edges: self.edges.next(),
                edges_count: index(node.edges.len()),
            };
            for (byte, target) in &node.edges {
                self.edges.push(&Number { value: u32::from(*byte) << 24 | (root + index(*target)) });
            }
            self.trie.push(&row);
        }
        root
    }
}

/// Nodes in an order in which none stands before its parent; the root is the first.
fn collect<'p>(policy: &'p Policy, locations: &[u32]) -> Vec<Node<'p>> {
    let mut nodes = vec![Node::default()];
    for id in locations {
        let Some(location) = policy.locations.get(*id as usize) else { continue };
        let (path, is_exact) = match &location.paths {
            LocationPaths::Exact(path) => (path, true),
            LocationPaths::Prefix { prefix, .. } => (prefix, false),
            LocationPaths::Regex(_) | LocationPaths::Named => continue,
        };
        let mut at = 0;
        for byte in path {
            let fresh = nodes.len();
            let Some(node) = nodes.get_mut(at) else { break };
            at = *node.edges.entry(*byte).or_insert(fresh);
            if at == fresh {
                nodes.push(Node::default());
            }
        }
        if let Some(node) = nodes.get_mut(at) {
            let place = if is_exact { &mut node.exact } else { &mut node.prefix };
            *place = Some((*id, location));
        }
    }
    nodes
}

/// The location that the path of `node` lacks only the slash of (nginx: `auto_redirect` of either kind counts for
/// both, and the exact one is named).
fn redirect(nodes: &[Node<'_>], node: &Node<'_>, slash_redirect: SlashRedirect) -> Option<u32> {
    if slash_redirect == SlashRedirect::Off {
        return None;
    }
    let with_slash = nodes.get(*node.edges.get(&b'/')?)?;
    let either = [with_slash.exact, with_slash.prefix];
    let proxies = either.iter().flatten().any(|(_, location)| location.proxies);
    let (named, _) = with_slash.exact.or(with_slash.prefix)?;
    proxies.then_some(named)
}
