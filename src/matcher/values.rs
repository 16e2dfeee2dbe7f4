//! The class of a value among many: a look-up by its hash.

use crate::artifact::Tables;
use crate::artifact::format::{NONE, Slot, ValueHash, Variable};

/// The class of the value with `hash`; `is` says whether it is a text.
pub(super) fn class(tables: &Tables<'_>, variable: Variable, hash: ValueHash, is: impl Fn(&[u8]) -> bool) -> u32 {
    for place in Slot::places(hash, variable.slots_count) {
        let Some(slot) = tables.slots().get(variable.slots.saturating_add(place)) else { break };
        if slot.class == NONE {
            break;
        }
        if is(tables.strings().text(slot.start, slot.octets)) {
            return slot.class;
        }
    }
    // Of a value that stands nowhere.
    1
}
