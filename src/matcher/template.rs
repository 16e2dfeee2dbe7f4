//! Text with variables, filled in.

use super::escape::{EscapeSet, put_escaped};
use super::fields::{argument_variable, cookie};
use super::run::{Halt, Run};
use super::scratch::{Full, Slice, Text};
use crate::artifact::format::{NONE, Part, part, plans};
use core::fmt::{self, Write};
use rulec_contract::Caller;

/// How groups are put into a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Groups {
    /// As they are.
    Plain,
    /// Escaped as arguments behind the start of a query (nginx: `is_args`).
    EscapedInArgs,
    /// Escaped as arguments everywhere (nginx: `quote`).
    Escaped,
}

/// A text that was filled in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filled {
    pub(super) text: Slice,
    /// Where the query begins, if the template has one.
    pub(super) args: Option<u32>,
}

impl Run<'_, '_> {
    /// Fills `template` in.
    pub(super) fn fill(&mut self, template: u32) -> Result<Slice, Halt> {
        Ok(self.fill_with(template, Groups::Plain)?.text)
    }

    /// Fills `template` in, with groups as said.
    pub(super) fn fill_with(&mut self, template: u32, groups: Groups) -> Result<Filled, Halt> {
        let row = self.tables.templates().row(template);
        let mark = self.arena.mark();
        let mut args = None;
        for piece in self.tables.parts().range(row.parts, row.parts_count) {
            let escape = match groups {
                Groups::Plain => false,
                Groups::EscapedInArgs => args.is_some(),
                Groups::Escaped => true,
            };
            match piece.kind {
                part::ARGS_START => args = Some(self.arena.mark()),
                part::CAPTURE => self.put_group(piece.value, escape)?,
                _ => self.put_part(piece)?,
            }
        }
        Ok(Filled { text: self.arena.since(mark), args })
    }

    fn put_group(&mut self, group: u32, escape: bool) -> Result<(), Full> {
        let slice = self.groups.get(group as usize).copied().unwrap_or(Slice::EMPTY);
        // nginx escapes only where the target as it came held something that may need it.
        if escape && (self.quoted || self.plus) {
            put_escaped(&mut self.arena, Text::Made(slice), EscapeSet::ARGUMENT)
        } else {
            self.arena.put_slice(slice)
        }
    }

    /// Puts what `piece` stands for; groups as they are.
    pub(super) fn put_part(&mut self, piece: Part) -> Result<(), Halt> {
        if piece.kind == part::MAP {
            return self.put_map(piece.value);
        }
        Ok(self.put_variable(piece)?)
    }

    fn put_variable(&mut self, piece: Part) -> Result<(), Full> {
        let request = self.request;
        let string = |index| self.tables.string(index);
        match piece.kind {
            part::LITERAL => self.arena.put(string(piece.value)),
            part::NAMED => {
                let slice = self.named.get(piece.value as usize).copied();
                self.arena.put_slice(slice.unwrap_or_else(|| self.nothing()))
            }
            part::URI => self.arena.put_text(self.path),
            part::REQUEST_URI => self.arena.put_text(self.raw),
            part::ARGS => self.arena.put_text(self.args),
            part::IS_ARGS if self.args.of(self.arena.bytes).is_empty() => Ok(()),
            part::IS_ARGS => self.arena.put_byte(b'?'),
            part::ARG => self.put_argument(string(piece.value)),
            part::HOST => self.arena.put_text(self.host),
            part::HTTP => self.put_header(piece.value),
            part::COOKIE => self.arena.put(cookie(self.lines(self.policy.cookie), string(piece.value)).unwrap_or(&[])),
            part::SCHEME => self.arena.put(request.scheme.name().as_bytes()),
            part::METHOD => self.arena.put(self.method),
            part::REMOTE_ADDR => self.put_client(),
            part::REQUEST_ID => self.arena.put(request.request_id),
            part::PLAN => self.put_plan(),
            part::CAPTURE => self.put_group(piece.value, false),
            part::PROXY_ADD_X_FORWARDED_FOR => self.put_forwarded_for(piece.value),
            _ => Ok(()),
        }
    }

    /// Stands for a text that is lost.
    fn nothing(&self) -> Slice {
        self.tables.lost().note();
        Slice::EMPTY
    }

    fn put_argument(&mut self, name: &[u8]) -> Result<(), Full> {
        let Some(value) = argument_variable(self.args.of(self.arena.bytes), name) else { return Ok(()) };
        self.arena.put_text(self.args.part(value))
    }

    fn put_header(&mut self, header: u32) -> Result<(), Full> {
        for (number, line) in self.lines(header).enumerate() {
            if number > 0 {
                self.arena.put(self.separator(header))?;
            }
            self.arena.put(line)?;
        }
        Ok(())
    }

    fn put_forwarded_for(&mut self, header: u32) -> Result<(), Full> {
        let mark = self.arena.mark();
        self.put_header(header)?;
        if self.arena.mark() > mark {
            self.arena.put(b", ")?;
        }
        self.put_client()
    }

    fn put_client(&mut self) -> Result<(), Full> {
        let client = self.request.client.to_canonical();
        self.put_formatted(format_args!("{client}"))
    }

    /// Puts what is written as text.
    pub(super) fn put_formatted(&mut self, text: fmt::Arguments<'_>) -> Result<(), Full> {
        Writer(self).write_fmt(text).map_err(|_| Full)
    }

    fn put_plan(&mut self) -> Result<(), Full> {
        let Some(Caller::Plan(plan)) = self.request.caller else { return Ok(()) };
        if self.service.plans == NONE {
            self.tables.lost().note();
            return Ok(());
        }
        let row = self.service.plans.saturating_add(1).saturating_add(u32::from(plan));
        let row = self.tables.plans().row(row);
        if row.kind != plans::PLAN {
            self.nothing();
        }
        self.arena.put(self.tables.string(row.a))
    }
}

/// Formats into the arena.
struct Writer<'a, 'd, 's>(&'a mut Run<'d, 's>);

impl Write for Writer<'_, '_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.arena.put(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
