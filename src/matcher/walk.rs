//! The operations of a service or a location, top to bottom.

use super::captures::captures;
use super::escape::{EscapeSet, escape_since, put_unescaped_redirect};
use super::run::{Halt, Run};
use super::scratch::{Slice, Text};
use super::template::Groups;
use super::unique::{is_unique_argument, is_unique_cookie};
use crate::artifact::format::{NONE, Operation, field, operation, part, rewrite_flag};
use rulec_contract::Refusal;

/// How a walk ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// This `return` or `proxy` answers.
    Answer(Operation),
    /// A rewrite redirects there.
    Redirect { status: u16, location: Slice },
    /// The path was rewritten: a new lookup.
    Lookup,
    /// Nothing answered.
    Nothing,
}

impl Run<'_, '_> {
    /// Runs `count` operations from `first` on.
    pub(super) fn walk(&mut self, first: u32, count: u32) -> Result<End, Halt> {
        let mut rewrites = Rewrites::default();
        let end = first.saturating_add(count);
        let mut index = first;
        while index < end {
            let operation = self.tables.operations().row(index);
            index += 1;
            if operation.kind == operation::REWRITE && rewrites.are_over || !self.holds(operation.guard)? {
                continue;
            }
            if matches!(operation.kind, operation::UNLESS_BREAK | operation::SKIP) {
                let skips = operation.kind == operation::SKIP || rewrites.are_over;
                index = index.saturating_add(if skips { operation.a } else { 0 });
                if index > end {
                    return Err(self.lost());
                }
                continue;
            }
            if let Some(end) = self.operation(index - 1, operation, &mut rewrites)? {
                return Ok(end);
            }
        }
        Ok(if rewrites.is_pending { End::Lookup } else { End::Nothing })
    }

    /// Runs one operation; Some if it ends the walk.
    fn operation(&mut self, index: u32, operation: Operation, rewrites: &mut Rewrites) -> Result<Option<End>, Halt> {
        match operation.kind {
            operation::CALLER if operation.a == 1 => {
                self.caller_class()?;
            }
            operation::CALLER => {}
            operation::PROXY | operation::GOTO if rewrites.is_pending => return Ok(Some(End::Lookup)),
            operation::RESPOND | operation::REDIRECT | operation::CLOSE | operation::PROXY | operation::GOTO => {
                return Ok(Some(End::Answer(operation)));
            }
            operation::REWRITE => match self.rewrite(operation)? {
                None => {}
                Some(Rewritten::Redirect { status, location }) => {
                    return Ok(Some(End::Redirect { status, location }));
                }
                Some(Rewritten::Path) => match operation.c {
                    rewrite_flag::LAST => return Ok(Some(End::Lookup)),
                    rewrite_flag::BREAK => *rewrites = Rewrites { have_matched: true, ..Rewrites::OVER },
                    _ => *rewrites = Rewrites { is_pending: true, are_over: false, have_matched: true },
                },
            },
            operation::BREAK => *rewrites = Rewrites { have_matched: rewrites.have_matched, ..Rewrites::OVER },
            operation::MATCH => self.match_field(operation)?,
            operation::SET => {
                let value = self.fill_with(operation.b, rewrites.groups())?.text;
                match self.named.get_mut(operation.a as usize) {
                    Some(place) => *place = value,
                    None => return Err(self.lost()),
                }
            }
            operation::SET_ARGS => {
                self.args = Text::Made(self.fill_with(operation.a, rewrites.groups())?.text);
                self.rewritten = true;
            }
            operation::UNIQUE => self.unique(operation)?,
            _ => self.reach(index, operation)?,
        }
        Ok(None)
    }

    /// Takes the groups of a `match` from its field; an absent field is an empty text.
    fn match_field(&mut self, operation: Operation) -> Result<(), Halt> {
        let field = self.field_text(operation.b, operation.c)?;
        self.groups = [Slice::EMPTY; 10];
        self.capture(operation.a, field.unwrap_or(Slice::EMPTY));
        Ok(())
    }

    /// Takes the captures of `program` from the path, which is copied for that.
    pub(super) fn capture_path(&mut self, program: u32) -> Result<bool, Halt> {
        let path = if program == NONE { Slice::EMPTY } else { self.arena.hold(self.path)? };
        if program != NONE {
            self.path = Text::Made(path);
        }
        Ok(self.capture(program, path))
    }

    /// Takes the captures of `program` from `subject`; without a program the groups are emptied. True if it matches.
    pub(super) fn capture(&mut self, program: u32, subject: Slice) -> bool {
        self.groups = [Slice::EMPTY; 10];
        let Some(row) = self.tables.programs().optional(program) else { return false };
        let (tables, groups, named) = (&self.tables, &mut self.groups, &mut *self.named);
        captures(tables, row, self.words, self.around, self.arena.bytes, subject, |group, slice| {
            if let Some(place) = groups.get_mut(group) {
                *place = slice;
            }
            for name in tables.named_groups().range(row.named, row.named_count) {
                if name.group >= row.slots / 2 {
                    tables.lost().note();
                }
                if name.group as usize == group {
                    match named.get_mut(name.capture as usize) {
                        Some(place) => *place = slice,
                        None => tables.lost().note(),
                    }
                }
            }
        })
    }

    fn rewrite(&mut self, rewrite: Operation) -> Result<Option<Rewritten>, Halt> {
        if !self.capture_path(rewrite.a)? {
            return Ok(None);
        }
        if rewrite.c > rewrite_flag::BREAK {
            let status = u16::try_from(rewrite.c).unwrap_or(302);
            return Ok(Some(Rewritten::Redirect { status, location: self.redirect_target(rewrite)? }));
        }
        let filled = self.fill_with(rewrite.b, Groups::EscapedInArgs)?;
        let path = Slice { end: filled.args.unwrap_or(filled.text.end), ..filled.text };
        match filled.args {
            Some(start) => {
                if rewrite.d == 1 && !self.args.of(self.arena.bytes).is_empty() {
                    self.arena.put_byte(b'&')?;
                    self.arena.put_text(self.args)?;
                }
                self.args = Text::Made(self.arena.since(start));
            }
            None if rewrite.d == 0 => self.args = Text::Given(&[]),
            None => {}
        }
        if path.start == path.end {
            return Err(Refusal::RewriteEmpty.into());
        }
        self.path = Text::Made(path);
        self.rewritten = true;
        self.journey.internal = true;
        Ok(Some(Rewritten::Path))
    }

    fn redirect_target(&mut self, rewrite: Operation) -> Result<Slice, Halt> {
        let filled = self.fill_with(rewrite.b, Groups::Escaped)?;
        let mark = self.arena.mark();
        put_unescaped_redirect(&mut self.arena, filled.text)?;
        if rewrite.d == 1 && !self.args.of(self.arena.bytes).is_empty() {
            let joint = if self.has_question_mark(rewrite.b) { b'&' } else { b'?' };
            self.arena.put_byte(joint)?;
            self.arena.put_text(self.args)?;
        }
        // What was decoded is no URI any more.
        escape_since(&mut self.arena, mark, EscapeSet::LOCATION)?;
        Ok(self.arena.since(mark))
    }

    /// Whether the template itself, not what its variables stand for, holds a `?`.
    fn has_question_mark(&self, template: u32) -> bool {
        let row = self.tables.templates().row(template);
        let parts = self.tables.parts();
        let mut literals = parts.range(row.parts, row.parts_count).filter(|piece| piece.kind == part::LITERAL);
        literals.any(|piece| self.tables.string(piece.value).contains(&b'?'))
    }

    fn unique(&self, operation: Operation) -> Result<(), Halt> {
        let name = operation.b;
        let (is_unique, refusal) = match operation.a {
            field::HEADER => (!self.is_repeated(name), Refusal::HeaderRepeated),
            field::QUERY => (is_unique_argument(self.original_args, self.tables.string(name)), Refusal::QueryRepeated),
            _ => {
                let lines = self.lines(self.policy.cookie);
                (is_unique_cookie(lines, self.tables.string(name)), Refusal::CookieRepeated)
            }
        };
        if is_unique { Ok(()) } else { Err(refusal.into()) }
    }

    /// Notes the setting of operation `index`.
    fn reach(&mut self, index: u32, operation: Operation) -> Result<(), Halt> {
        let last = &mut self.settings.last;
        match operation.kind {
            operation::METHODS => last.methods = index,
            operation::BODY => last.body = index,
            operation::HSTS => last.hsts = index,
            operation::TYPE => last.content_type = index,
            _ => {
                *self.settings.list.get_mut(last.listed).ok_or(Refusal::RewriteTooLong)? = index;
                last.listed += 1;
            }
        }
        Ok(())
    }

    /// The operation of a setting, if one was reached.
    pub(super) fn setting(&self, index: u32) -> Option<Operation> {
        self.tables.operations().optional(index)
    }
}

/// What rewrites have done in one walk.
#[derive(Clone, Copy, Debug, Default)]
struct Rewrites {
    /// One without a flag matched, and no `break` since.
    is_pending: bool,
    /// A `break` matched.
    are_over: bool,
    /// One matched.
    have_matched: bool,
}

impl Rewrites {
    const OVER: Self = Self { is_pending: false, are_over: true, have_matched: false };

    /// How `set` puts groups: nginx's script engine escapes them until a rewrite has matched.
    fn groups(self) -> Groups {
        if self.have_matched { Groups::Plain } else { Groups::Escaped }
    }
}

/// What a rewrite that matched did.
enum Rewritten {
    /// Path and query are new.
    Path,
    /// It answers with a redirect.
    Redirect { status: u16, location: Slice },
}
