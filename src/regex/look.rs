//! Conditions on what stands around a position.

use super::meaning::mark;
use super::parser::{self, Node, Parser};
use super::{LOOKS_MAX, LookAround, Mistake};
use regex_syntax::hir::{Hir, Look};

impl Parser<'_> {
    /// Behind `(?=` or its like, whose `(` stands at `from`.
    pub(super) fn look_around(&mut self, look: parser::Look, from: usize) -> Result<Hir, Mistake> {
        self.inside_looks.push(look);
        let inner = self.inside(from);
        self.inside_looks.pop();
        let inner = inner?;
        let parser::Look { ahead, negative } = look;
        // PCRE2 before 10.43, which nginx is linked with, takes nothing else.
        if !ahead && !self.is_fixed {
            return Err(Mistake::lookbehind(from..self.at));
        }
        self.look(LookAround { ahead, negative, hir: inner.hir }, from)
    }

    /// `^` under `(?m)`. Not behind the newline that ends the text, as PCRE has it.
    pub(super) fn line_start(&mut self, from: usize) -> Result<Hir, Mistake> {
        let behind_newline = LookAround { ahead: false, negative: false, hir: Hir::literal(*b"\n") };
        let behind_newline = self.look(behind_newline, from)?;
        let not_at_end = Node::class(super::sets::ANY).hir;
        let not_at_end = self.look(LookAround { ahead: true, negative: false, hir: not_at_end }, from)?;
        Ok(Hir::alternation(vec![Hir::look(Look::Start), Hir::concat(vec![behind_newline, not_at_end])]))
    }

    /// `$` under `(?m)`.
    pub(super) fn line_end(&mut self, from: usize) -> Result<Hir, Mistake> {
        let newline = self.look(LookAround { ahead: true, negative: false, hir: Hir::literal(*b"\n") }, from)?;
        Ok(Hir::alternation(vec![Hir::look(Look::End), newline]))
    }

    /// The mark of `look`; equal ones share theirs.
    fn look(&mut self, look: LookAround, from: usize) -> Result<Hir, Mistake> {
        let known = self.looks.iter().position(|known| *known == look);
        let index = known.unwrap_or(self.looks.len());
        if index == LOOKS_MAX {
            let message = format!("a pattern holds at most {LOOKS_MAX} look-arounds");
            return Err(Mistake::too_large(from..self.at, message));
        }
        if known.is_none() {
            self.looks.push(look);
        }
        Ok(mark(self.marks + u32::try_from(index).unwrap_or(0), Hir::empty()))
    }
}
