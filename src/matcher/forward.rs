//! The request target that is sent upstream.

use super::ambiguous::is_ambiguous;
use super::escape::{EscapeSet, put_escaped};
use super::run::{Halt, Run};
use super::scratch::{Full, Slice, Text};
use super::spelling::{Argument, arguments, is_spelling};
use super::target::{Malformed, normalise};
use crate::artifact::format::{NONE, Operation, plans, proxy_form, service_flag};
use rulec_contract::Refusal;

impl<'d> Run<'d, '_> {
    /// The target for the `proxy` of `operation`, without the credentials that are not kept. One that was made has to fit
    /// a request line.
    pub(super) fn forward_target(&mut self, operation: Operation) -> Result<Text<'d>, Halt> {
        let target = self.made_target(operation)?;
        let is_as_came = operation.b == proxy_form::STRIP || operation.b == proxy_form::RAW && !self.rewritten;
        if !is_as_came && !self.is_sendable(target, operation.b == proxy_form::TARGET) {
            return Err(Refusal::TargetUnsafe.into());
        }
        Ok(target)
    }

    /// Whether `target`, which was made, leaves a request line whole, and under `paths strict` is read alike by all. Groups
    /// are decoded `in_template`s: there they could put a query, or half an escape, where the rules have none.
    fn is_sendable(&self, target: Text<'d>, in_template: bool) -> bool {
        let bytes = target.of(self.arena.bytes);
        if !bytes.iter().all(|byte| fits_request_line(*byte)) {
            return false;
        }
        let flags = self.service.flags;
        if flags & service_flag::STRICT_PATHS == 0 {
            return true;
        }
        let path = self.original_path.of(self.arena.bytes);
        let may_add = in_template && path.iter().any(|byte| matches!(byte, b'?' | b'#' | b'%'));
        !may_add && !is_ambiguous(bytes, flags & service_flag::PATH_PARAMETERS != 0)
    }

    fn made_target(&mut self, operation: Operation) -> Result<Text<'d>, Halt> {
        match operation.b {
            proxy_form::STRIP => self.stripped(self.tables.string(operation.c)),
            proxy_form::BASE => {
                let mark = self.arena.mark();
                self.arena.put(self.tables.string(operation.c))?;
                let rest = self.path.behind(operation.d as usize);
                // nginx escapes only where the target as it came held an escape, or a rewrite has made the path.
                if self.quoted || self.journey.internal {
                    put_escaped(&mut self.arena, rest, EscapeSet::PATH)?;
                } else {
                    self.arena.put_text(rest)?;
                }
                self.put_args()?;
                Ok(Text::Made(self.arena.since(mark)))
            }
            proxy_form::TARGET => {
                let target = self.fill(operation.c)?;
                Ok(self.without_credentials(Text::Made(target))?)
            }
            proxy_form::RAW if !self.rewritten => Ok(self.without_credentials(self.raw)?),
            _ => {
                let mark = self.arena.mark();
                put_escaped(&mut self.arena, self.path, EscapeSet::PATH)?;
                self.put_args()?;
                Ok(Text::Made(self.arena.since(mark)))
            }
        }
    }

    /// The raw target less `prefix`, if its rest means the path less `prefix`.
    fn stripped(&mut self, prefix: &[u8]) -> Result<Text<'d>, Halt> {
        let raw = self.raw.of(self.arena.bytes);
        let rest_of_path = self.path.of(self.arena.bytes).strip_prefix(prefix).ok_or(Refusal::PrefixMismatch)?;
        let wants_root = rest_of_path.is_empty();
        let rest = raw.strip_prefix(prefix).ok_or(Refusal::PrefixMismatch)?;
        let (octets, lacks_slash) = match rest.first() {
            Some(b'/') => (rest.len(), false),
            None | Some(b'?') => (rest.len(), true),
            Some(_) => return Err(Refusal::PrefixMismatch.into()),
        };
        let start = raw.len() - octets;
        let whole = raw.len();
        let mut target = self.raw.part(start..whole);
        if lacks_slash {
            let mark = self.arena.mark();
            self.arena.put_byte(b'/')?;
            self.arena.put_text(target)?;
            target = Text::Made(self.arena.since(mark));
        }
        let mark = self.arena.mark();
        let merges = self.service.flags & service_flag::MERGE_SLASHES != 0;
        let meaning = match target {
            Text::Given(given) => normalise(&mut self.arena, given, merges).map(|meaning| meaning.path),
            // Only where a slash was put before the query: the path is that slash.
            Text::Made(slice) => Ok(Text::Made(Slice { end: slice.start + 1, ..slice })),
        };
        let meaning = meaning.map_err(|malformed| match malformed {
            Malformed::Full => Refusal::RewriteTooLong,
            Malformed::Invalid => Refusal::PrefixMismatch,
        })?;
        let wanted = self.path.behind(prefix.len());
        let bytes = &*self.arena.bytes;
        let is_same = if wants_root { meaning.of(bytes) == b"/" } else { meaning.of(bytes) == wanted.of(bytes) };
        self.arena.back_to(mark);
        if is_same { Ok(self.without_credentials(target)?) } else { Err(Refusal::PrefixMismatch.into()) }
    }

    /// Puts `?` and the query as it is now, without credentials, if there is one.
    fn put_args(&mut self) -> Result<(), Full> {
        let mark = self.arena.mark();
        self.arena.put_byte(b'?')?;
        self.put_kept_arguments(self.args)?;
        if self.arena.since(mark).of(self.arena.bytes).len() == 1 {
            self.arena.back_to(mark);
        }
        Ok(())
    }

    /// `target` less the arguments that are credentials and not kept; itself where there are none.
    fn without_credentials(&mut self, target: Text<'d>) -> Result<Text<'d>, Full> {
        let bytes = target.of(self.arena.bytes);
        if self.service.plans == NONE || !bytes.contains(&b'?') {
            return Ok(target);
        }
        let Some(question_mark) = bytes.iter().position(|byte| *byte == b'?') else { return Ok(target) };
        let whole = bytes.len();
        let query = bytes.get(question_mark + 1..).unwrap_or(&[]);
        let name = |argument: Argument| query.get(argument.name).unwrap_or(&[]);
        if !arguments(query).any(|argument| self.is_dropped(name(argument))) {
            return Ok(target);
        }
        let mark = self.arena.mark();
        self.arena.put_text(target.part(0..question_mark))?;
        let question = self.arena.mark();
        self.arena.put_byte(b'?')?;
        self.put_kept_arguments(target.part(question_mark + 1..whole))?;
        if self.arena.mark() == question + 1 {
            self.arena.back_to(question);
        }
        Ok(Text::Made(self.arena.since(mark)))
    }

    /// Puts the arguments that are no credentials, each but the first behind the sign before it.
    fn put_kept_arguments(&mut self, args: Text<'d>) -> Result<(), Full> {
        let octets = args.of(self.arena.bytes).len();
        let (mut start, mut is_first) = (0, true);
        while start <= octets && octets > 0 {
            let rest = args.part(start..octets).of(self.arena.bytes);
            let Some(Argument { name, value, .. }) = arguments(rest).next() else { break };
            let end = start + value.end;
            if !self.is_dropped(rest.get(name).unwrap_or(&[])) {
                let begin = if is_first { start } else { start - 1 };
                self.arena.put_text(args.part(begin..end))?;
                is_first = false;
            }
            start = end + 1;
        }
        Ok(())
    }

    /// Whether an argument of `name` is a credential that is not kept.
    fn is_dropped(&self, name: &[u8]) -> bool {
        let Some(source) = self.tables.plans().optional(self.service.plans) else { return false };
        let first = self.service.plans + 1 + source.a;
        let rows = self.tables.plans().range(first, source.b).filter(|row| row.kind == plans::CREDENTIAL);
        let mut dropped = rows.filter(|row| row.a == 0 && row.c == 0);
        dropped.any(|row| is_spelling(name, self.tables.string(row.b)))
    }
}

/// Whether a byte is neither a space nor a control byte (RFC 9112, 3).
fn fits_request_line(byte: u8) -> bool {
    byte > b' ' && byte != 0x7F
}
