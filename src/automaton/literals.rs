//! Literal values as one automaton, without a subset construction: a trie of them all.

use super::determinise::Dfa;
use std::collections::{BTreeMap, HashMap};

/// A set of texts that needs no regex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum Literal<'l> {
    /// This text.
    Exact(&'l [u8]),
    /// All texts that begin so.
    Prefix(&'l [u8]),
}

/// The automaton that tells which languages hold a text; several literals may be of one language. Its labels number
/// the sets of languages that occur.
///
/// It takes time and memory linear in the literals: a state an octet at most, and one a set of beginnings.
pub fn trie(literals: &[(Literal<'_>, u32)]) -> Dfa {
    let nodes = collect(literals);
    let (classes, stride) = byte_classes(literals);
    let mut sets = Sets::default();
    // By node: the languages of the beginnings up to it, and what holds where the text ends there.
    let mut below = vec![0; nodes.len()];
    let mut labels = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let inherited = below.get(node.parent).copied().unwrap_or(0);
        let own = if at == 0 { sets.number(node.prefixes.clone()) } else { sets.with(inherited, &node.prefixes) };
        if let Some(place) = below.get_mut(at) {
            *place = own;
        }
        labels.push(sets.with(own, &node.exacts));
    }
    let mut transitions = vec![0; nodes.len() * stride];
    let mut sinks: BTreeMap<u32, u32> = BTreeMap::new();
    for ((row, node), below) in transitions.chunks_exact_mut(stride).zip(&nodes).zip(&below) {
        let fresh = u32::try_from(nodes.len() + sinks.len()).unwrap_or(u32::MAX);
        row.fill(*sinks.entry(*below).or_insert(fresh));
        for (byte, target) in &node.edges {
            let class = classes.get(usize::from(*byte)).copied().unwrap_or(0);
            if let Some(next) = row.get_mut(usize::from(class)) {
                *next = *target;
            }
        }
    }
    let mut sinks: Vec<(u32, u32)> = sinks.into_iter().map(|(set, state)| (state, set)).collect();
    sinks.sort_unstable();
    for (state, set) in sinks {
        transitions.extend(core::iter::repeat_n(state, stride));
        labels.push(set);
    }
    let (labels, sets) = sets.used(&labels);
    Dfa { classes, stride, transitions, labels, sets }
}

/// A node of the trie. A parent stands before its children.
#[derive(Debug, Default)]
struct Node {
    parent: usize,
    edges: Vec<(u8, u32)>,
    exacts: Vec<u32>,
    prefixes: Vec<u32>,
}

fn collect(literals: &[(Literal<'_>, u32)]) -> Vec<Node> {
    let mut nodes = vec![Node::default()];
    for (literal, language) in literals {
        let (Literal::Exact(text) | Literal::Prefix(text)) = literal;
        let mut at = 0;
        for byte in *text {
            let fresh = nodes.len();
            let Some(node) = nodes.get_mut(at) else { break };
            let parent = at;
            at = match node.edges.binary_search_by_key(byte, |(own, _)| *own) {
                Ok(place) => node.edges.get(place).map_or(0, |(_, target)| *target as usize),
                Err(place) => {
                    node.edges.insert(place, (*byte, u32::try_from(fresh).unwrap_or(u32::MAX)));
                    fresh
                }
            };
            if at == fresh {
                nodes.push(Node { parent, ..Node::default() });
            }
        }
        if let Some(node) = nodes.get_mut(at) {
            let held = if matches!(literal, Literal::Exact(_)) { &mut node.exacts } else { &mut node.prefixes };
            held.push(*language);
        }
    }
    nodes
}

/// A class of its own for every byte that occurs, and one for all others.
fn byte_classes(literals: &[(Literal<'_>, u32)]) -> ([u8; 256], usize) {
    let mut occurs = [false; 256];
    for (Literal::Exact(text) | Literal::Prefix(text), _) in literals {
        for byte in *text {
            if let Some(place) = occurs.get_mut(usize::from(*byte)) {
                *place = true;
            }
        }
    }
    // Where all occur there are no others, and one class is left for the last.
    let mut classes = [0; 256];
    let mut last = 0u8;
    for (class, _) in classes.iter_mut().zip(occurs).filter(|(_, occurs)| *occurs) {
        last = last.saturating_add(1);
        *class = last;
    }
    if occurs.iter().all(|occurs| *occurs) {
        for (class, byte) in classes.iter_mut().zip(0..=u8::MAX) {
            *class = byte;
        }
    }
    (classes, usize::from(last) + 1)
}

/// Sets of languages, each once.
#[derive(Debug, Default)]
pub(super) struct Sets {
    ids: HashMap<Vec<u32>, u32>,
    all: Vec<Vec<u32>>,
}

impl Sets {
    pub(super) fn number(&mut self, mut set: Vec<u32>) -> u32 {
        set.sort_unstable();
        set.dedup();
        if let Some(known) = self.ids.get(&set) {
            return *known;
        }
        let fresh = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(set.clone());
        self.ids.insert(set, fresh);
        fresh
    }

    /// The set `id` and `more`.
    pub(super) fn with(&mut self, id: u32, more: &[u32]) -> u32 {
        if more.is_empty() {
            return id;
        }
        let known = self.all.get(id as usize).map_or(&[][..], Vec::as_slice);
        self.number(known.iter().chain(more).copied().collect())
    }

    /// `labels` numbered anew, and the sets that they name.
    pub(super) fn used(self, labels: &[u32]) -> (Vec<u32>, Vec<Vec<u32>>) {
        let mut numbers = vec![None; self.all.len()];
        let mut sets = Vec::new();
        let number = |label: &u32| {
            let place = numbers.get_mut(*label as usize)?;
            let fresh = u32::try_from(sets.len()).unwrap_or(u32::MAX);
            Some(*place.get_or_insert_with(|| {
                sets.push(self.all.get(*label as usize).cloned().unwrap_or_default());
                fresh
            }))
        };
        let labels = labels.iter().filter_map(number).collect();
        (labels, sets)
    }
}
