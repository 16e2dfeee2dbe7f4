//! One look at the headers of a request: where those stand that rules read.

use super::omission::Kept;
use super::request::Header;
use super::run::Run;
use crate::artifact::Tables;
use crate::artifact::format::{NONE, Policy};
use crate::artifact::header_hash::{Ends, length_bit};
use rulec_contract::field_name::{is_plain, is_same, letter};

/// In a note: more lines of the name follow.
const MORE: u32 = 1 << 31;

/// The headers that every decision reads.
pub(super) const HOST: u32 = 0;
pub(super) const CONNECTION: u32 = 1;

/// Notes for each header of `policy` the number, from 1, of its first line, and whether more follow.
pub(super) fn note(tables: Tables<'_>, policy: Policy, headers: &[Header<'_>], lines: &mut [u32]) {
    let lengths = u64::from(policy.lengths_high) << 32 | u64::from(policy.lengths_low);
    let (slots, names, bytes) = (tables.header_slots(), tables.header_names(), tables.strings().bytes);
    lines.fill(0);
    let mut number = 0;
    for (name, _) in headers {
        number = (number + 1) & !MORE;
        if lengths & length_bit(name) == 0 {
            continue;
        }
        let ends = Ends::of(name);
        let mut next = slots.number(ends.slot(policy.factor, policy.bits));
        // Ends: a name leads to later ones only.
        while next != NONE {
            let Some(row) = names.get(next) else {
                tables.lost().note();
                break;
            };
            if row.is(name, ends, bytes) {
                if let Some(line) = lines.get_mut(next as usize) {
                    *line = if *line == 0 { number } else { *line | MORE };
                }
                break;
            }
            next = row.next;
        }
    }
}

/// Notes what `note` does, where some names are not plain or a Connection names fields: of the lines that rules see.
///
/// Names of the policy are plain, so that one of a line is looked for by its plain spelling.
#[cold]
pub(super) fn note_unusual(
    tables: Tables<'_>,
    policy: Policy,
    headers: &[Header<'_>],
    is_seen: impl Fn(&[u8]) -> bool,
    lines: &mut [u32],
) {
    let (slots, names, bytes) = (tables.header_slots(), tables.header_names(), tables.strings().bytes);
    lines.fill(0);
    let mut number = 0;
    for (name, _) in headers {
        number = (number + 1) & !MORE;
        if !is_seen(name) {
            continue;
        }
        let mut next = slots.number(Ends::of_letters(name, letter).slot(policy.factor, policy.bits));
        // Ends: a name leads to later ones only.
        while next != NONE {
            let Some(row) = names.get(next) else {
                tables.lost().note();
                break;
            };
            if is_same(row.lower(bytes), name) {
                if let Some(line) = lines.get_mut(next as usize) {
                    *line = if *line == 0 { number } else { *line | MORE };
                }
                break;
            }
            next = row.next;
        }
    }
}

/// The values of the lines of one name.
#[derive(Debug)]
pub(super) struct Lines<'r> {
    first: Option<&'r [u8]>,
    /// Where the others are looked for.
    behind: &'r [Header<'r>],
    name: &'r [u8],
    /// Which other spellings count, where there may be several lines.
    kept: Option<Kept<'r>>,
}

impl<'r> Iterator for Lines<'r> {
    type Item = &'r [u8];

    #[inline]
    fn next(&mut self) -> Option<&'r [u8]> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        while let Some(((own, value), behind)) = self.behind.split_first() {
            self.behind = behind;
            if is_same(own, self.name) && (is_plain(own) || self.kept.is_some_and(|kept| kept.has(own))) {
                return Some(value);
            }
        }
        None
    }
}

impl<'d> Run<'d, '_> {
    /// Values of the lines of `header`, in order.
    #[inline]
    pub(super) fn lines(&self, header: u32) -> Lines<'d> {
        let note = self.note(header);
        let headers = self.request.headers;
        let first = (note & !MORE).checked_sub(1).and_then(|index| headers.get(index as usize..)?.split_first());
        let (first, behind) = first.map_or((None, [].as_slice()), |((_, value), behind)| (Some(*value), behind));
        if note & MORE == 0 {
            return Lines { first, behind: &[], name: &[], kept: None };
        }
        Lines { first, behind, name: self.header_name(header), kept: Some(self.kept()) }
    }

    /// The value of the first line of `header`.
    #[inline]
    pub(super) fn line(&self, header: u32) -> Option<&'d [u8]> {
        let index = (self.note(header) & !MORE).checked_sub(1)?;
        self.request.headers.get(index as usize).map(|(_, value)| *value)
    }

    /// Whether there is a line of `header`.
    pub(super) fn is_there(&self, header: u32) -> bool {
        self.note(header) != 0
    }

    #[inline]
    fn note(&self, header: u32) -> u32 {
        self.lines.get(header as usize).copied().unwrap_or_else(|| {
            self.tables.lost().note();
            0
        })
    }

    /// The name of `header` in lower case.
    fn header_name(&self, header: u32) -> &'d [u8] {
        self.tables.header_names().row(header).lower(self.tables.strings().bytes)
    }

    /// What stands between the lines of `header` when they are taken as one value.
    pub(super) fn separator(&self, header: u32) -> &'static [u8] {
        if header == self.policy.cookie { b"; " } else { b", " }
    }

    /// Whether `header` has more lines than one.
    #[inline]
    pub(super) fn is_repeated(&self, header: u32) -> bool {
        self.note(header) & MORE != 0
    }
}
