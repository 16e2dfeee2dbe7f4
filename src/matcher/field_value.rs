//! Values of fields that rules make.

use super::run::{Halt, Run};
use super::scratch::Slice;
use crate::artifact::format::part;

impl Run<'_, '_> {
    /// Fills `template` in for a field; None where a variable would bring a control byte into it.
    ///
    /// Blanks at the ends are no part of a value (RFC 9110, 5.5); HTTP/2 takes none there (RFC 9113, 8.2.1).
    pub(super) fn fill_value(&mut self, template: u32) -> Result<Option<Slice>, Halt> {
        let row = self.tables.templates().row(template);
        let mark = self.arena.mark();
        for piece in self.tables.parts().range(row.parts, row.parts_count) {
            let start = self.arena.mark();
            self.put_part(piece)?;
            let brought = self.arena.since(start).of(self.arena.bytes);
            if piece.kind != part::LITERAL && brought.iter().any(u8::is_ascii_control) {
                return Ok(None);
            }
        }
        Ok(Some(trimmed(self.arena.since(mark), self.arena.bytes)))
    }
}

fn trimmed(value: Slice, bytes: &[u8]) -> Slice {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let count = |blanks: usize| u32::try_from(blanks).unwrap_or(u32::MAX);
    let text = value.of(bytes);
    let end = value.end.saturating_sub(count(text.iter().rev().take_while(is_blank).count()));
    let start = value.start.saturating_add(count(text.iter().take_while(is_blank).count())).min(end);
    Slice { start, end }
}
