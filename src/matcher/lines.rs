//! One look at the headers of a request: where those stand that rules read.

use super::fields::header_lines;
use super::request::Header;
use super::run::Run;
use crate::artifact::Tables;
use crate::artifact::format::Policy;
use crate::artifact::header_hash::{key, length_bit, slot};

/// In a note: more lines of the name follow.
const MORE: u32 = 1 << 31;

/// The header that every decision reads.
pub(super) const HOST: u32 = 0;

/// Notes for each header of `policy` the number, from 1, of its first line, and whether more follow.
pub(super) fn note(tables: Tables<'_>, policy: Policy, headers: &[Header<'_>], lines: &mut [u32]) {
    let lengths = u64::from(policy.lengths_high) << 32 | u64::from(policy.lengths_low);
    let (slots, names, bytes) = (tables.header_slots(), tables.header_names(), tables.strings().bytes);
    lines.fill(0);
    for (index, (name, _)) in headers.iter().enumerate() {
        if lengths & length_bit(name) == 0 {
            continue;
        }
        let mut next = slots.number(slot(key(name), policy.factor, policy.bits));
        // Ends: a name leads to later ones only.
        while let Some(row) = names.get(next) {
            if is_lower_of(row.of(bytes), name) {
                let number = u32::try_from(index + 1).unwrap_or(0) & !MORE;
                if let Some(line) = lines.get_mut(next as usize) {
                    *line = if *line == 0 { number } else { *line | MORE };
                }
                break;
            }
            next = row.next;
        }
    }
}

impl<'d> Run<'d, '_> {
    /// Values of the lines of `header`, in order.
    pub(super) fn lines(&self, header: u32) -> impl Iterator<Item = &'d [u8]> + use<'d> {
        let note = self.lines.get(header as usize).copied().unwrap_or(0);
        let headers = self.request.headers;
        let (first, rest) =
            match (note & !MORE).checked_sub(1).and_then(|index| headers.split_at_checked(index as usize)) {
                Some((_, [(_, first), rest @ ..])) => (Some(*first), if note & MORE == 0 { &[] } else { rest }),
                _ => (None, [].as_slice()),
            };
        first.into_iter().chain(header_lines(rest, self.header_name(header)))
    }

    /// The name of `header` in lower case.
    fn header_name(&self, header: u32) -> &'d [u8] {
        self.tables.header_names().get(header).unwrap_or_default().of(self.tables.strings().bytes)
    }

    /// What stands between the lines of `header` when they are taken as one value.
    pub(super) fn separator(&self, header: u32) -> &'static [u8] {
        if header == self.policy.cookie { b"; " } else { b", " }
    }

    /// Whether `header` has more lines than one.
    pub(super) fn is_repeated(&self, header: u32) -> bool {
        self.lines.get(header as usize).is_some_and(|note| note & MORE != 0)
    }
}

/// Whether `name` in lower case is `lower`. Both are looked at eight octets at a time; the last eight overlap.
fn is_lower_of(lower: &[u8], name: &[u8]) -> bool {
    if lower.len() != name.len() {
        return false;
    }
    let (Some(last_lower), Some(last)) = (lower.last_chunk(), name.last_chunk()) else {
        return lower.iter().zip(name).all(|(lower, byte)| *lower == byte.to_ascii_lowercase());
    };
    let mut eights = lower.as_chunks().0.iter().zip(name.as_chunks().0);
    eights.all(|(lower, name)| is_lower_of_eight(*lower, *name)) && is_lower_of_eight(*last_lower, *last)
}

fn is_lower_of_eight(lower: [u8; 8], name: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let name = u64::from_le_bytes(name);
    // The highest bit of each octet says whether its other bits are at least `A`, and beyond `Z`.
    let low_bits = name & (0x7F * ONES);
    let (from_a, beyond_z) = (low_bits + (0x80 - 0x41) * ONES, low_bits + (0x80 - 0x5B) * ONES);
    let capitals = from_a & !beyond_z & !name & (0x80 * ONES);
    u64::from_le_bytes(lower) == name | capitals >> 2
}
