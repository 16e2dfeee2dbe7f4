//! The text of a field, for a regex that takes groups from it.

use super::fields::{arguments, cookie};
use super::run::{Halt, Run};
use super::scratch::{Slice, Text};
use crate::artifact::format::field;

impl Run<'_, '_> {
    /// The text of field `kind`, called `name`, in the arena; None where the field is absent.
    pub(super) fn field_text(&mut self, kind: u32, name: u32) -> Result<Option<Slice>, Halt> {
        let text = match kind {
            field::HOST => Some(self.host),
            field::PATH => Some(self.original_path),
            field::METHOD => Some(Text::Given(self.method)),
            field::SCHEME => Some(Text::Given(self.request.scheme.name().as_bytes())),
            field::ARGS => Some(Text::Given(self.original_args)),
            field::TARGET => Some(self.raw),
            field::HEADER => return self.header_text(name),
            field::QUERY => arguments(self.original_args, self.tables.string(name)).next().map(Text::Given),
            field::COOKIE => cookie(self.lines(self.policy.cookie), self.tables.string(name)).map(Text::Given),
            _ => None,
        };
        let Some(text) = text else { return Ok(None) };
        let mark = self.arena.mark();
        self.arena.put_text(text)?;
        Ok(Some(self.arena.since(mark)))
    }

    fn header_text(&mut self, header: u32) -> Result<Option<Slice>, Halt> {
        let mark = self.arena.mark();
        let mut lines = 0;
        for line in self.lines(header) {
            if lines > 0 {
                self.arena.put(self.separator(header))?;
            }
            self.arena.put(line)?;
            lines += 1;
        }
        Ok((lines > 0).then(|| self.arena.since(mark)))
    }
}
