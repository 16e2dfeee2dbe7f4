//! The diagram to rows: what guards lead to, and no more.

use super::tables::{Builder, index};
use crate::artifact::format::{MapCase, Node, Number, Operation};
use crate::artifact::write::Rows;
use crate::diagram::{self, NodeId};

impl Builder<'_> {
    /// Writes out what the guards of operations and maps lead to; no guard can be built afterwards. Other nodes were
    /// steps on the way, or asked by warnings.
    pub(super) fn diagram_tables(&mut self) {
        let operations: Vec<Operation> = core::mem::take(&mut self.operations).iter().collect();
        let cases: Vec<MapCase> = core::mem::take(&mut self.map_cases).iter().collect();
        let guards = operations.iter().map(|row| row.guard).chain(cases.iter().map(|row| row.guard));
        let numbers = self.used_nodes(guards);
        let number = |guard: u32| numbers.get(guard as usize).copied().unwrap_or(0);
        for row in operations {
            self.operations.push(&Operation { guard: number(row.guard), ..row });
        }
        for row in cases {
            self.map_cases.push(&MapCase { guard: number(row.guard), ..row });
        }
        let used = self.diagram.nodes().iter().zip(numbers.iter().skip(2)).filter(|(_, number)| **number != 0);
        for (node, _) in used {
            write(node, self.fields.classes_of(node.variable), number, &mut self.nodes, &mut self.children);
        }
    }

    /// By guard: its number in the artifact; 0 for nodes that no guard of `roots` leads to. Children stand before their
    /// parents in both.
    fn used_nodes(&self, roots: impl Iterator<Item = u32>) -> Vec<u32> {
        let nodes = self.diagram.nodes();
        let mut used = vec![false; nodes.len() + 2];
        let mut mark =
            |guard: NodeId| used.get_mut(guard.0 as usize).is_some_and(|place| !core::mem::replace(place, true));
        let mut waiting: Vec<NodeId> = roots.map(NodeId).filter(|root| mark(*root)).collect();
        while let Some(guard) = waiting.pop() {
            let node = (guard.0 as usize).checked_sub(2).and_then(|place| nodes.get(place));
            let children = node.into_iter().flat_map(|node| node.runs.iter().map(|run| run.child));
            waiting.extend(children.filter(|child| mark(*child)));
        }
        let mut next = 1;
        let mut number = |used: &bool| {
            next += u32::from(*used);
            if *used { next } else { 0 }
        };
        [0, 1].into_iter().chain(used.iter().skip(2).map(&mut number)).collect()
    }
}

/// Writes `node`, whose variable has `classes`: by class, or by run where that is less.
fn write(node: &diagram::Node, classes: u32, number: impl Fn(u32) -> u32, nodes: &mut Rows, children: &mut Rows) {
    let first = children.next();
    let by_run = Node { variable: node.variable, runs: index(node.runs.len()), children: first };
    if classes <= CLASSES_PLAIN || classes <= by_run.children_count(classes) {
        nodes.push(&Node { runs: 0, ..by_run });
        for class in 0..classes {
            children.push(&Number { value: number(node.child(class).0) });
        }
    } else {
        nodes.push(&by_run);
        for run in node.runs.iter().skip(1) {
            children.push(&Number { value: run.first });
        }
        for run in node.runs.iter() {
            children.push(&Number { value: number(run.child.0) });
        }
    }
}

/// Up to so many classes a node has a child each, whatever its runs: they fit into one line of the cache, and one load
/// is less than a search.
const CLASSES_PLAIN: u32 = 16;
