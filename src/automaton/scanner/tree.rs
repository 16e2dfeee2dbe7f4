//! The literal beginnings of patterns: those that are equal are followed once.

use crate::automaton::letters::Letter;

/// Nodes of several trees.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

/// What is known when these letters have been read.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) edges: Vec<(Letter, u32)>,
    /// Jobs whose programs go on from here.
    pub(super) jobs: Vec<u32>,
    pub(super) mark: Option<u32>,
}

impl Tree {
    /// A new root.
    pub(super) fn root(&mut self) -> u32 {
        self.nodes.push(Node::default());
        u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn node(&self, node: u32) -> &Node {
        const NONE: &Node = &Node { edges: Vec::new(), jobs: Vec::new(), mark: None };
        self.nodes.get(node as usize).unwrap_or(NONE)
    }

    /// The node behind `letters`, made where it is missing.
    pub(super) fn insert(&mut self, root: u32, letters: impl IntoIterator<Item = Letter>) -> Option<&mut Node> {
        let mut at = root;
        for letter in letters {
            let known = self.node(at).edges.iter().find(|(own, _)| *own == letter).map(|(_, child)| *child);
            at = if let Some(child) = known {
                child
            } else {
                let child = self.root();
                self.nodes.get_mut(at as usize)?.edges.push((letter, child));
                child
            };
        }
        self.nodes.get_mut(at as usize)
    }
}
