//! The class of a value among many: a look-up by its hash.

use crate::artifact::Tables;
use crate::artifact::format::{NONE, Slot, ValueHash, Variable};

/// The class of the value with `hash`; `is` says whether it is a text.
pub(super) fn class(tables: &Tables<'_>, variable: Variable, hash: ValueHash, is: impl Fn(&[u8]) -> bool) -> u32 {
    // 1: of a value that stands nowhere.
    find(tables, variable.slots, variable.slots_count, hash, is).unwrap_or(1)
}

/// The class that stands with the value in `count` slots from `first` on.
#[inline]
pub(super) fn find(
    tables: &Tables<'_>,
    first: u32,
    count: u32,
    hash: ValueHash,
    is: impl Fn(&[u8]) -> bool,
) -> Option<u32> {
    let slots = tables.slots();
    let own = Slot::places(hash, count).map(|place| slots.row(first.saturating_add(place)));
    let taken = own.take_while(|slot| slot.class != NONE);
    let bytes = tables.strings();
    taken.into_iter().find(|slot| is(bytes.text(slot.start, slot.octets))).map(|slot| slot.class)
}
