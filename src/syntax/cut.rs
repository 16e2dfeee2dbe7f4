//! Cuts a file into statements, and says where a quote, a `;` or a brace is missing.

use super::keywords::Context;
use super::lexical;
use super::mistakes::Mistakes;
use super::nesting::Nesting;
use super::scan::{Scanner, Token, TokenKind};
use super::words::span;
use crate::diagnostic::{Diagnostic, FileId, Span};

/// A statement, or the part of it that stands before its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Its words, first byte to last; empty where a block has none.
    pub(super) head: Span,
    /// The same with its `;` or `{`.
    pub(super) span: Span,
    /// Its first word, if that is not in quotes.
    pub(super) first: Span,
    /// What ends it.
    pub(super) stop: Stop,
    /// False where its words were already found wanting.
    pub(super) sound: bool,
    /// Columns before it, if it begins its line.
    indent: Option<usize>,
}

/// What ends a [`Piece`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its `;`.
    Semicolon,
    /// The `{` of its block.
    Open,
    /// Neither: the next statement or the end of the block came first.
    Missing,
}

/// Reads a file piece by piece.
#[derive(Debug)]
pub(super) struct Cutter<'t> {
    /// What was found so far; the parser adds to it.
    pub(super) mistakes: Mistakes,
    text: &'t str,
    file: FileId,
    scanner: Scanner<'t>,
    next: Token,
    /// The end of the last token that was taken.
    end: usize,
    open: Vec<Brace>,
    /// A block that ends left of where it began: if a `}` turns out to be missing, it is probably this one's.
    suspect: Option<(Brace, Span)>,
    /// A statement of the top level was found inside a block: all blocks end here.
    unwinding: bool,
}

/// A `{` that is not closed yet.
#[derive(Clone, Copy, Debug)]
struct Brace {
    place: Span,
    /// Columns before the statement that it belongs to, if that begins its line.
    indent: Option<usize>,
}

impl<'t> Cutter<'t> {
    /// At the start of `text`.
    pub(super) fn new(file: FileId, text: &'t str) -> Self {
        let mut scanner = Scanner::new(text);
        let next = scanner.next();
        let mistakes = Mistakes::default();
        Self { mistakes, text, file, scanner, next, end: 0, open: Vec::new(), suspect: None, unwinding: false }
    }

    /// The text of `place`, which must be in this file.
    pub(super) fn text(&self, place: Span) -> &'t str {
        self.text.get(place.start as usize..place.end as usize).unwrap_or("")
    }

    /// How many blocks are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// From the start of `from` to the last token taken.
    pub(super) fn up_to_here(&self, from: Span) -> Span {
        span(self.file, from.start as usize, self.end)
    }

    /// The next statement of a block of `context`; None at its end.
    pub(super) fn next(&mut self, context: Context) -> Option<Piece> {
        if context == Context::Top {
            self.unwinding = false;
        }
        loop {
            if self.unwinding || self.mistakes.full() {
                return None;
            }
            match self.next.kind {
                TokenKind::Close if !self.open.is_empty() => return None,
                TokenKind::Close => {
                    let stray = self.take();
                    let message = "this `}` closes nothing";
                    let help = "remove it, or look above for a block that was closed twice";
                    self.mistakes.push(Diagnostic::error("stray-brace", stray, message).help(help));
                }
                TokenKind::Semicolon => {
                    let stray = self.take();
                    let message = "this `;` ends no statement";
                    self.mistakes.push(Diagnostic::error("empty-statement", stray, message).help("remove it"));
                }
                TokenKind::End => {
                    self.end_of_file();
                    return None;
                }
                _ if self.leaves_blocks(context) => {
                    self.unclosed("the top level begins again here");
                    self.unwinding = true;
                }
                _ => return Some(self.piece(context)),
            }
        }
    }

    /// Goes into the block that `piece` opens.
    pub(super) fn enter(&mut self, piece: &Piece) {
        let place = Span { start: piece.span.end.saturating_sub(1), ..piece.span };
        self.open.push(Brace { place, indent: piece.indent });
    }

    /// Leaves the innermost block, of which [`Self::next`] has reached the end.
    pub(super) fn leave(&mut self) {
        if self.next.kind != TokenKind::Close || self.unwinding {
            return;
        }
        let indent = self.next.indent;
        let close = self.take();
        let Some(brace) = self.open.pop() else { return };
        if self.open.is_empty() {
            self.suspect = None;
        } else if indent.is_some() && indent < brace.indent && self.suspect.is_none() {
            self.suspect = Some((brace, close));
        }
    }

    /// Passes over the block that `piece` opens, however deep it is.
    pub(super) fn skip(&mut self, piece: &Piece) {
        let around = self.open.len();
        self.enter(piece);
        while self.open.len() > around {
            match self.next.kind {
                TokenKind::End => return self.end_of_file(),
                TokenKind::Close => self.leave(),
                TokenKind::Open => {
                    let place = self.take();
                    self.open.push(Brace { place, indent: None });
                }
                TokenKind::UnclosedQuote => self.unclosed_quote(),
                _ if self.leaves_blocks(Context::Service) => return,
                _ => {
                    self.take();
                }
            }
        }
    }

    /// Takes the next token and says where it stood.
    fn take(&mut self) -> Span {
        let place = self.place(self.next);
        self.end = self.next.end;
        self.next = self.scanner.next();
        place
    }

    fn place(&self, token: Token) -> Span {
        span(self.file, token.start, token.end)
    }

    /// Whether the next token is at the margin and can only begin a statement of the top level, inside a block though
    /// it stands.
    fn leaves_blocks(&self, context: Context) -> bool {
        let token = self.next;
        let candidate = token.kind == TokenKind::Bare && token.indent == Some(0) && !self.open.is_empty();
        let word = if candidate { self.text(self.place(token)) } else { "" };
        context.keyword(word).is_none() && Context::Top.keyword(word).is_some()
    }

    /// Whether the next token begins a statement, although the one at hand, begun by `first`, has no `;` yet.
    fn begins_statement(&self, context: Context, first: &str) -> bool {
        if self.next.kind != TokenKind::Bare || self.next.indent.is_none() {
            return false;
        }
        let word = self.text(self.place(self.next));
        match context {
            Context::Test => {
                let mut ahead = self.scanner.clone();
                let follows = self.place(ahead.next());
                word.bytes().all(|byte| byte.is_ascii_uppercase()) && self.text(follows).contains('/')
            }
            _ if context.keyword(first).is_some_and(|keyword| keyword.holds_keywords) => self.leaves_blocks(context),
            _ => context.keyword(word).is_some() || self.leaves_blocks(context),
        }
    }

    fn piece(&mut self, context: Context) -> Piece {
        let indent = self.next.indent;
        let start = self.place(self.next);
        let empty = Span { end: start.start, ..start };
        let first = if self.next.kind == TokenKind::Bare { start } else { empty };
        let name = self.text(first);
        let mut head = empty;
        let mut nesting = Nesting::default();
        let mut sound = true;
        let stop = loop {
            match self.next.kind {
                TokenKind::Semicolon => break Stop::Semicolon,
                TokenKind::Open if self.repeats() => {
                    self.repetition();
                    sound = false;
                }
                TokenKind::Open => break Stop::Open,
                TokenKind::Close | TokenKind::End => break Stop::Missing,
                _ if head != empty && self.begins_statement(context, name) => break Stop::Missing,
                TokenKind::UnclosedQuote => {
                    self.unclosed_quote();
                    sound = false;
                }
                TokenKind::Bare | TokenKind::Quoted => sound &= self.word(&mut nesting),
            }
            head = self.up_to_here(start);
        };
        if stop != Stop::Missing {
            self.take();
        }
        Piece { head, span: self.up_to_here(start), first, stop, sound, indent }
    }

    /// Takes a word; false if it is not fit to be parsed.
    fn word(&mut self, nesting: &mut Nesting) -> bool {
        let token = self.next;
        let place = self.take();
        let word = self.text(place);
        if token.kind == TokenKind::Quoted {
            let glued = self.next.start == token.end && matches!(self.next.kind, TokenKind::Bare | TokenKind::Quoted);
            if glued {
                self.mistakes.push_once(lexical::missing_blank(self.place(self.next)));
                self.take();
            }
            return !glued;
        }
        if word.contains(['"', '\'']) {
            self.mistakes.push(lexical::quote_in_word(word, place));
            return false;
        }
        let fits = nesting.word(word);
        if !fits {
            self.mistakes.push_once(lexical::predicate_too_deep(place));
        }
        fits
    }

    /// Whether the `{` that comes next is that of a regex's `{2}` or `{2,3}`, written without quotes.
    fn repeats(&self) -> bool {
        let inside = self.text.get(self.next.end..).unwrap_or("");
        let rest = inside.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ',');
        self.next.start == self.end && rest.len() < inside.len() && rest.starts_with('}')
    }

    fn repetition(&mut self) {
        let open = self.take();
        self.take();
        let place = open.to(self.take());
        self.mistakes.push(lexical::brace_in_word(self.text(place), place));
    }

    fn unclosed_quote(&mut self) {
        let quoted = self.take();
        self.mistakes.push(lexical::unclosed_quote(quoted));
    }

    fn end_of_file(&mut self) {
        if !self.open.is_empty() {
            self.unclosed("the file ends here");
        }
    }

    /// Says which block is not closed, and closes all.
    fn unclosed(&mut self, noticed: &str) {
        let here = self.place(self.next);
        let innermost = self.open.last().copied();
        let (brace, close) = match self.suspect.take() {
            Some((brace, close)) => (Some(brace), Some(close)),
            None => (innermost, None),
        };
        self.open.clear();
        let Some(brace) = brace else { return };
        let mut mistake = Diagnostic::error("unclosed-block", brace.place, "this block is not closed");
        if let Some(close) = close {
            mistake = mistake.related(close, "this `}` closes it, but stands further left");
        }
        self.mistakes.push(mistake.related(here, noticed).help("write `}` where it ends"));
    }
}
