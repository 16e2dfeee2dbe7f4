//! Guards over classes: one shared, ordered, hash-consed diagram with the leaves true and false.
//!
//! A node asks for the class of one variable and has a child for every class. Equal nodes are one, and a node whose
//! children are all the same is that child; so two guards are equal exactly if they are the same node.

use std::collections::HashMap;

/// A node: 0 is false, 1 is true, others count from 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// The guard that never holds.
pub const FALSE: NodeId = NodeId(0);
/// The guard that always holds.
pub const TRUE: NodeId = NodeId(1);

/// What an inner node asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Node {
    /// The variable; children ask for greater ones only.
    pub variable: u32,
    /// By class.
    pub children: Vec<NodeId>,
}

/// The diagram has more nodes than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooLarge;

/// All guards of a policy.
#[derive(Debug, Default)]
pub struct Diagram {
    nodes: Vec<Node>,
    ids: HashMap<Node, NodeId>,
    conjunctions: HashMap<(NodeId, NodeId), NodeId>,
    nodes_max: usize,
}

impl Diagram {
    /// An empty one that may grow to `nodes_max` nodes.
    pub fn new(nodes_max: usize) -> Self {
        Self { nodes_max, ..Self::default() }
    }

    /// The inner nodes; node 2 is the first. Children stand before their parents.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The guard that is `children[class]` where `variable` has `class`.
    ///
    /// # Errors
    /// If the diagram would grow beyond its limit.
    pub fn node(&mut self, variable: u32, children: Vec<NodeId>) -> Result<NodeId, TooLarge> {
        if let Some(first) = children.first()
            && children.iter().all(|child| child == first)
        {
            return Ok(*first);
        }
        let node = Node { variable, children };
        if let Some(id) = self.ids.get(&node) {
            return Ok(*id);
        }
        if self.nodes.len() >= self.nodes_max {
            return Err(TooLarge);
        }
        let id = NodeId(u32::try_from(self.nodes.len() + 2).map_err(|_| TooLarge)?);
        self.nodes.push(node.clone());
        self.ids.insert(node, id);
        Ok(id)
    }

    /// Both hold. Costs at most the product of the two sizes.
    ///
    /// # Errors
    /// If the diagram would grow beyond its limit.
    pub fn and(&mut self, a: NodeId, b: NodeId) -> Result<NodeId, TooLarge> {
        if a == FALSE || b == FALSE {
            return Ok(FALSE);
        }
        if a == TRUE || a == b {
            return Ok(b);
        }
        if b == TRUE {
            return Ok(a);
        }
        let key = if a < b { (a, b) } else { (b, a) };
        if let Some(known) = self.conjunctions.get(&key) {
            return Ok(*known);
        }
        let variable = self.variable(a).min(self.variable(b));
        let mut children = Vec::new();
        for (a, b) in self.children_pairwise(variable, a, b) {
            children.push(self.and(a, b)?);
        }
        let both = self.node(variable, children)?;
        self.conjunctions.insert(key, both);
        Ok(both)
    }

    /// It does not hold.
    ///
    /// # Errors
    /// If the diagram would grow beyond its limit.
    pub fn not(&mut self, a: NodeId) -> Result<NodeId, TooLarge> {
        self.complement(a, &mut HashMap::new())
    }

    /// One of them holds.
    ///
    /// # Errors
    /// If the diagram would grow beyond its limit.
    pub fn or(&mut self, a: NodeId, b: NodeId) -> Result<NodeId, TooLarge> {
        let (not_a, not_b) = (self.not(a)?, self.not(b)?);
        let neither = self.and(not_a, not_b)?;
        self.not(neither)
    }

    /// Whether some inner node of `guard` asks for a variable from `first` on.
    pub fn asks_from(&self, guard: NodeId, first: u32) -> bool {
        // Variables ascend towards the leaves, so the deepest node of each path has the greatest.
        let mut waiting = vec![guard];
        let mut seen = std::collections::HashSet::new();
        while let Some(id) = waiting.pop() {
            let Some(node) = self.get(id) else { continue };
            if node.variable >= first {
                return true;
            }
            if seen.insert(id) {
                waiting.extend(&node.children);
            }
        }
        false
    }

    fn complement(&mut self, a: NodeId, known: &mut HashMap<NodeId, NodeId>) -> Result<NodeId, TooLarge> {
        let Some(node) = self.get(a).cloned() else {
            return Ok(if a == FALSE { TRUE } else { FALSE });
        };
        if let Some(known) = known.get(&a) {
            return Ok(*known);
        }
        let mut children = Vec::new();
        for child in node.children {
            children.push(self.complement(child, known)?);
        }
        let opposite = self.node(node.variable, children)?;
        known.insert(a, opposite);
        Ok(opposite)
    }

    fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get((id.0 as usize).checked_sub(2)?)
    }

    fn variable(&self, id: NodeId) -> u32 {
        self.get(id).map_or(u32::MAX, |node| node.variable)
    }

    /// The children of both by class of `variable`; a guard that does not ask for it is its own child.
    fn children_pairwise(&self, variable: u32, a: NodeId, b: NodeId) -> Vec<(NodeId, NodeId)> {
        let children = |id| self.get(id).filter(|node| node.variable == variable).map(|node| node.children.as_slice());
        match (children(a), children(b)) {
            (Some(a), Some(b)) => a.iter().copied().zip(b.iter().copied()).collect(),
            (Some(a), None) => a.iter().map(|child| (*child, b)).collect(),
            (None, Some(b)) => b.iter().map(|child| (a, *child)).collect(),
            (None, None) => Vec::new(),
        }
    }
}
