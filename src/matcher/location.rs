//! Location: where a redirect leads, whatever bytes the request brings.

use super::answer::Draft;
use super::escape::{EscapeSet, escape_since, put_escaped};
use super::request::Scheme;
use super::run::{Halt, Run};
use super::scratch::{Full, Slice};
use crate::artifact::format::{part, service_flag};

/// What a redirect to the path with its slash is answered with where the rules do not say.
const SLASH_BY_METHOD: u32 = 0;

impl<'d> Run<'d, '_> {
    /// Fills `template` in for a Location: what variables bring is escaped, literal text is as the author wrote it.
    pub(super) fn fill_location(&mut self, template: u32) -> Result<Slice, Halt> {
        let row = self.tables.templates().row(template);
        let mark = self.arena.mark();
        for piece in self.tables.parts().range(row.parts, row.parts_count) {
            let start = self.arena.mark();
            self.put_part(piece)?;
            if piece.kind != part::LITERAL {
                escape_since(&mut self.arena, start, EscapeSet::LOCATION)?;
            }
        }
        Ok(self.arena.since(mark))
    }

    /// A redirect to `location`, a path or a URL, escaped already.
    pub(super) fn redirect(&mut self, status: u16, location: Slice) -> Result<Draft<'d>, Halt> {
        let mut location = self.one_slash(location)?;
        if self.is_absolute() && location.of(self.arena.bytes).first() == Some(&b'/') {
            let mark = self.arena.mark();
            self.put_origin()?;
            self.arena.put_slice(location)?;
            location = self.arena.since(mark);
        }
        Ok(Draft::Redirect { status, location })
    }

    /// The redirect to the path with its slash, escaped, query kept.
    pub(super) fn slash_redirect(&mut self) -> Result<Draft<'d>, Halt> {
        let mark = self.arena.mark();
        put_escaped(&mut self.arena, self.path, EscapeSet::PATH)?;
        self.arena.put_byte(b'/')?;
        if !self.args.of(self.arena.bytes).is_empty() {
            self.arena.put_byte(b'?')?;
            put_escaped(&mut self.arena, self.args, EscapeSet::LOCATION)?;
        }
        let location = self.arena.since(mark);
        let is_safe = matches!(self.method, b"GET" | b"HEAD");
        let status = match self.service.slash_redirect {
            SLASH_BY_METHOD if is_safe => 301,
            SLASH_BY_METHOD => 308,
            said => u16::try_from(said).unwrap_or(301),
        };
        self.redirect(status, location)
    }

    /// What stands before a redirect to a path; empty where the service sends such a redirect as the path.
    pub(super) fn redirect_origin(&mut self) -> Result<Slice, Full> {
        let mark = self.arena.mark();
        if self.is_absolute() {
            self.put_origin()?;
        }
        Ok(self.arena.since(mark))
    }

    fn is_absolute(&self) -> bool {
        self.service.flags & service_flag::ABSOLUTE_REDIRECTS != 0
    }

    /// `http://host`, and the port that the request came to where it is not the scheme's own.
    fn put_origin(&mut self) -> Result<(), Full> {
        let scheme = self.request.scheme;
        self.arena.put(scheme.name().as_bytes())?;
        self.arena.put(b"://")?;
        self.arena.put_text(self.host)?;
        let own = match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        match self.request.port.filter(|port| *port != own) {
            Some(port) => self.put_formatted(format_args!(":{port}")),
            None => Ok(()),
        }
    }

    /// `location` with one slash at its start, if it begins with any: a browser takes `//host` and `/\host` for another
    /// site.
    pub(super) fn one_slash(&mut self, location: Slice) -> Result<Slice, Full> {
        let text = location.of(self.arena.bytes);
        let slashes = text.iter().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
        if slashes < 2 || text.first() != Some(&b'/') {
            return Ok(location);
        }
        let start = location.start.saturating_add(u32::try_from(slashes).unwrap_or(u32::MAX));
        let mark = self.arena.mark();
        self.arena.put_byte(b'/')?;
        self.arena.put_slice(Slice { start, ..location })?;
        Ok(self.arena.since(mark))
    }
}
