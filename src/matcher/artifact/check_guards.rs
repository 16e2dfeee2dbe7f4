//! Whether fields, their classes and the diagram over them are good.

use super::check::{each, field_is_good, labels};
use super::format::{NONE, Node, VARIABLES_MAX, Variable, field};
use super::read::ArtifactError;
use super::tables::{Tables, rows};

/// Checks every row of the tables that guards are decided from.
pub(super) fn check_guards(t: &Tables<'_>) -> Result<(), ArtifactError> {
    let address_classes = addresses(t)?;
    each("slots", t.slots(), |slot| {
        slot.class == NONE || rows(slot.start, slot.octets).end <= t.strings().bytes.len()
    })?;
    each("variables", t.variables(), |_| true)?;
    // The slots of variables follow each other, so that each is looked at once.
    let mut slots = 0;
    for (index, variable) in (0u32..).zip(t.variables().iter()) {
        let is_good = (index as usize) < VARIABLES_MAX
            && (variable.slots_count == 0 || variable.slots == slots)
            && variable_is_good(t, variable, address_classes);
        if !is_good {
            return Err(ArtifactError::Invalid { table: "variables", row: index });
        }
        slots = u32::saturating_add(slots, variable.slots_count);
    }
    nodes(t)
}

fn variable_is_good(t: &Tables<'_>, variable: Variable, address_classes: u32) -> bool {
    let Variable { field, name, automaton, classes, slots, slots_count } = variable;
    let classes_are_good = match field {
        field::PLAN => automaton == NONE && classes >= 3,
        field::FACT => classes >= 1 && automaton < t.policy().row(0).facts,
        field::CLIENT => automaton == NONE && (1..=classes).contains(&address_classes),
        _ if slots_count > 0 => {
            let is_good = |class: u32| class == NONE || class < classes;
            automaton == NONE
                && classes >= 2
                && slots_count.is_power_of_two()
                && rows(slots, slots_count).end <= t.slots().len()
                && t.slots().range(slots, slots_count).all(|slot| is_good(slot.class))
        }
        _ => labels(t, automaton).is_some_and(|mut labels| labels.all(|label| label.saturating_add(1) < classes)),
    };
    field_is_good(t, field, name) && classes_are_good && u16::try_from(classes).is_ok()
}

/// One more than the greatest class of an address, after the stretches have been found to begin at 0 and to ascend.
fn addresses(t: &Tables<'_>) -> Result<u32, ArtifactError> {
    let mut classes = 0;
    let mut before = None;
    for (index, stretch) in (0..).zip(t.addresses().iter()) {
        let first = stretch.first();
        if before.map_or(first != 0, |before| first <= before) || stretch.class >= u32::from(u16::MAX) {
            return Err(ArtifactError::Invalid { table: "addresses", row: index });
        }
        before = Some(first);
        classes = classes.max(stretch.class + 1);
    }
    each("addresses", t.addresses(), |_| true)?;
    Ok(classes)
}

/// The children of nodes follow each other, so that each is looked at once.
fn nodes(t: &Tables<'_>) -> Result<(), ArtifactError> {
    let mut expected = 0;
    each("nodes", t.nodes(), |_| true)?;
    for (index, node) in (0u32..).zip(t.nodes().iter()) {
        let classes = t.variables().get(node.variable).map_or(0, |variable| variable.classes);
        let count = node.children_count(classes);
        let is_good = classes > 0
            && node.runs <= classes
            && node.children == expected
            && rows(expected, count).end <= t.children().len()
            && children_are_good(t, index, node, classes);
        if !is_good {
            return Err(ArtifactError::Invalid { table: "nodes", row: index });
        }
        expected += count;
    }
    each("children", t.children(), |_| true)
}

fn children_are_good(t: &Tables<'_>, index: u32, node: Node, classes: u32) -> bool {
    let firsts = node.runs.saturating_sub(1);
    let mut before = 0;
    let ascend = t.children().range(node.children, firsts).all(|first| {
        let is_behind = first.value > before && first.value < classes;
        before = first.value;
        is_behind
    });
    let count = node.children_count(classes) - firsts;
    let above = index.saturating_add(2);
    ascend && t.children().range(node.children.saturating_add(firsts), count).all(|child| child.value < above)
}
