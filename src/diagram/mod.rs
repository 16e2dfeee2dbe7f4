//! Guards over classes: one shared, ordered, hash-consed diagram with the leaves true and false.
//!
//! A node asks for the class of one variable and has a child for every class. Neighbouring classes mostly lead to the
//! same, so children are kept as runs of classes: a guard that asks for one value of a thousand has three runs, not a
//! thousand children. Equal nodes are one, and a node whose children are all the same is that child; so two guards are
//! equal exactly if they are the same node.

mod operations;
mod runs;

use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;
use std::sync::Arc;

use operations::Operation;
use runs::joined;

/// A node: 0 is false, 1 is true, others count from 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// The guard that never holds.
pub const FALSE: NodeId = NodeId(0);
/// The guard that always holds.
pub const TRUE: NodeId = NodeId(1);

/// Classes that lead to the same child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ClassRun {
    /// The first of them; the last is the one before the next run.
    pub first: u32,
    /// Where they lead.
    pub child: NodeId,
}

/// What an inner node asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Node {
    /// The variable; children ask for greater ones only.
    pub variable: u32,
    /// The children by class. Invariant: the first run begins at class 0, firsts ascend, neighbours differ.
    pub runs: Arc<[ClassRun]>,
}

impl Node {
    /// The child for `class`.
    pub fn child(&self, class: u32) -> NodeId {
        let behind = self.runs.partition_point(|run| run.first <= class);
        behind.checked_sub(1).and_then(|index| self.runs.get(index)).map_or(FALSE, |run| run.child)
    }
}

/// The diagram is larger than the limit, or took more steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooLarge;

/// Results that are kept, so that none is worked out twice; when there are so many they are forgotten. At some 24 octets
/// each they take 100 MiB.
const KNOWN_MAX: usize = 4_000_000;

/// All guards of a policy.
#[derive(Debug, Default)]
pub struct Diagram {
    nodes: Vec<Node>,
    ids: HashMap<Node, NodeId, Fast>,
    known: HashMap<(Operation, NodeId, NodeId), NodeId, Fast>,
    runs: usize,
    runs_max: usize,
    steps: u64,
    steps_max: u64,
}

impl Diagram {
    /// An empty one whose nodes may have `runs_max` runs of children together, and whose operations may look at
    /// `steps_max` runs together.
    pub fn new(runs_max: usize, steps_max: u64) -> Self {
        Self { runs_max, steps_max, ..Self::default() }
    }

    /// The inner nodes; node 2 is the first. Children stand before their parents.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// From now on it may grow to `runs_max`, and its operations may have looked at `steps_max` runs since it was made;
    /// what it has it keeps.
    pub fn set_limit(&mut self, runs_max: usize, steps_max: u64) {
        (self.runs_max, self.steps_max) = (runs_max, steps_max);
    }

    /// Notes what two guards together are, and what that cost.
    fn note(&mut self, key: (Operation, NodeId, NodeId), result: NodeId, runs: usize) -> Result<(), TooLarge> {
        if self.known.len() >= KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(key, result);
        self.steps = self.steps.saturating_add(runs as u64);
        if self.steps > self.steps_max { Err(TooLarge) } else { Ok(()) }
    }

    /// The guard that is `children[class]` where `variable` has `class`.
    ///
    /// # Errors
    /// If the diagram would grow beyond its limit.
    pub fn node(&mut self, variable: u32, children: impl IntoIterator<Item = NodeId>) -> Result<NodeId, TooLarge> {
        let runs = (0..).zip(children).map(|(first, child)| ClassRun { first, child });
        self.node_of_runs(variable, joined(runs))
    }

    /// The guard that holds where `variable` has one of `classes`, which ascend and are below `count`, the number of
    /// its classes.
    ///
    /// # Errors
    /// If the diagram would grow beyond its limit.
    pub fn node_of_classes(&mut self, variable: u32, count: u32, classes: &[u32]) -> Result<NodeId, TooLarge> {
        let mut runs = vec![ClassRun { first: 0, child: FALSE }];
        for class in classes {
            match runs.last_mut() {
                Some(last) if last.first == *class => last.child = TRUE,
                _ => runs.push(ClassRun { first: *class, child: TRUE }),
            }
            if class + 1 < count {
                runs.push(ClassRun { first: class + 1, child: FALSE });
            }
        }
        self.node_of_runs(variable, joined(runs))
    }

    /// The guard of `runs`, which keep what [`Node::runs`] says.
    fn node_of_runs(&mut self, variable: u32, runs: Vec<ClassRun>) -> Result<NodeId, TooLarge> {
        if let [only] = runs.as_slice() {
            return Ok(only.child);
        }
        let node = Node { variable, runs: runs.into() };
        if let Some(id) = self.ids.get(&node) {
            return Ok(*id);
        }
        if self.runs + node.runs.len() > self.runs_max {
            return Err(TooLarge);
        }
        self.runs += node.runs.len();
        let id = NodeId(u32::try_from(self.nodes.len() + 2).map_err(|_| TooLarge)?);
        self.nodes.push(node.clone());
        self.ids.insert(node, id);
        Ok(id)
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
                waiting.extend(node.runs.iter().map(|run| run.child));
            }
        }
        false
    }

    fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get((id.0 as usize).checked_sub(2)?)
    }

    fn variable(&self, id: NodeId) -> u32 {
        self.get(id).map_or(u32::MAX, |node| node.variable)
    }
}

/// A hash of a few numbers, all made by ourselves: nobody could choose them to collide.
type Fast = BuildHasherDefault<Multiplying>;

/// Folds numbers by multiplication with an odd constant (2^64 by the golden ratio).
#[derive(Clone, Copy, Debug, Default)]
struct Multiplying(u64);

impl Multiplying {
    fn add(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for Multiplying {
    fn finish(&self) -> u64 {
        // The table takes the highest and the lowest bits; the lowest are the least mixed.
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.add(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.add(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }
}
