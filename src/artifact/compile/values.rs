//! Many values of one field: a table that is looked up by their hash.
//!
//! Not an automaton: values such as tenants share little, and a state for each of their octets would be some fifty times
//! as large.

use super::asked::Question;
use super::tables::{Builder, index};
use crate::artifact::format::{NONE, Slot, ValueHash, Variable};
use crate::diagnostic::Span;
use crate::model::Field;
use std::collections::BTreeMap;

impl<'p> Builder<'p> {
    /// Gives `field` a variable that tells which of `values` it has, each of which answers a question.
    pub(super) fn classify_values(&mut self, field: &'p Field, questions: &[Question<'p>], values: &[(&'p [u8], u32)]) {
        let mut by_value: BTreeMap<&[u8], Vec<u32>> = BTreeMap::new();
        for (value, own) in values {
            by_value.entry(value).or_default().push(*own);
        }
        // Class 1 is of all other values: no question is in their set, which sorts before all others.
        let mut labels: BTreeMap<&[u32], u32> = BTreeMap::from([(&[][..], 0)]);
        by_value.values_mut().for_each(Vec::dedup);
        for set in by_value.values() {
            let fresh = index(labels.len());
            labels.entry(set).or_insert(fresh);
        }
        let mut sets: Vec<(u32, Vec<u32>)> = labels.iter().map(|(set, label)| (*label, set.to_vec())).collect();
        sets.sort_unstable();
        let sets: Vec<Vec<u32>> = sets.into_iter().map(|(_, set)| set).collect();
        let span = questions.first().map_or(Span::default(), |question| question.span);
        let Some((order, classes)) = self.ordered(&sets, span) else { return };
        let class = |set: &Vec<u32>| {
            let label = labels.get(set.as_slice()).copied().unwrap_or(0);
            order.get(label as usize).map_or(0, |place| place + 1)
        };
        let rows: Vec<(&[u8], u32)> = by_value.iter().map(|(value, set)| (*value, class(set))).collect();
        let (slots, slots_count) = self.slots_of(&rows, |value| ValueHash::START.feed(value));
        let (kind, name) = self.field(field);
        let variable = self.fields.add_variable(classes);
        self.variables.push(&Variable { field: kind, name, automaton: NONE, classes, slots, slots_count });
        self.answers(field, variable, &sets, &order, |own| own);
    }

    /// Writes slots in which `rows` are found by their `hash`: the first, and their number.
    pub(super) fn slots_of(&mut self, rows: &[(&[u8], u32)], hash: fn(&[u8]) -> ValueHash) -> (u32, u32) {
        let first = self.slots.next();
        let table = table(rows, hash);
        for slot in &table {
            let row = slot.map_or(Slot { class: NONE, ..Slot::default() }, |(value, class)| {
                let text = self.text(value);
                Slot { start: text.start, octets: text.octets, class }
            });
            self.slots.push(&row);
        }
        (first, index(table.len()))
    }
}

/// `rows` in as many slots as let each be found.
fn table<'v>(rows: &[(&'v [u8], u32)], hash: fn(&[u8]) -> ValueHash) -> Vec<Option<(&'v [u8], u32)>> {
    let mut count = (rows.len() * 2).next_power_of_two();
    loop {
        let mut slots = vec![None; count];
        let all = rows.iter().all(|row| {
            let places = Slot::places(hash(row.0), index(count));
            let free = places.map(|place| place as usize).find(|place| slots.get(*place) == Some(&None));
            free.and_then(|place| slots.get_mut(place)).map(|slot| *slot = Some(*row)).is_some()
        });
        if all {
            return slots;
        }
        count *= 2;
    }
}
