//! From pieces to the tree: one grammar rule for each head, our own recursion for blocks.

use super::ast::{File, Item, MapCase, PlansOption, Statement, TestCase, UpstreamOption};
use super::build;
use super::cut::{Cutter, Piece, Stop};
use super::grammar::{self, Node, Rule};
use super::keywords::{Context, Keyword};
use super::mistake::{misfit, shortened, unknown};
use crate::diagnostic::{Diagnostic, FileId, Span};

/// Reads the whole file.
pub(super) fn parse_file(file: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    let mut parser = Parser { cutter: Cutter::new(file, text) };
    let items: Vec<Item> = parser.block(Context::Top, build::item);
    (File { items }, parser.cutter.mistakes.sorted())
}

/// A statement whose head fits the grammar.
#[derive(Debug)]
pub(super) struct Parsed<'t> {
    /// The head.
    pub(super) node: Node<'t>,
    /// The head's place, without `;` and `{`.
    pub(super) head: Span,
    /// The whole statement's place.
    pub(super) span: Span,
    /// What its block holds.
    pub(super) body: Body,
}

/// What a block holds.
#[derive(Debug, Default)]
pub(super) enum Body {
    /// There is none.
    #[default]
    None,
    /// of an upstream or its `tls`
    Upstream(Vec<UpstreamOption>),
    /// of a `plans`
    Plans(Vec<PlansOption>),
    /// of a `map`
    Map(Vec<MapCase>),
    /// of a service, a location or a guard
    Statements(Vec<Statement>),
    /// of a `test`
    Tests(Vec<TestCase>),
}

/// nginx's users nest three deep. Each level costs a few stack frames here and in everything that walks the tree.
const DEPTH_MAX: usize = 64;

/// A `server_name` with ten thousand names takes a quarter of it; the parse of a statement costs some fifty times its
/// size while it lasts.
const STATEMENT_BYTES_MAX: usize = 1 << 20;

/// Makes a node of the tree of a statement that fits the grammar.
type Build<T> = fn(Parsed<'_>) -> Result<T, Diagnostic>;

struct Parser<'t> {
    cutter: Cutter<'t>,
}

impl<'t> Parser<'t> {
    /// The statements of a block of `context`, up to its end.
    fn block<T>(&mut self, context: Context, build: Build<T>) -> Vec<T> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.cutter.next(context) {
            nodes.extend(self.statement(context, &piece, build));
        }
        nodes
    }

    fn statement<T>(&mut self, context: Context, piece: &Piece, build: Build<T>) -> Option<T> {
        let word = self.cutter.text(piece.first);
        let keyword = context.keyword(word);
        let node = self.head(context, piece, keyword);
        let meant = keyword.or_else(|| context.nearest(word));
        let body = match meant.and_then(|keyword| keyword.block) {
            _ if piece.stop != Stop::Open => Body::None,
            Some(inner) => self.body(inner, piece),
            None => {
                self.cutter.skip(piece);
                Body::None
            }
        };
        let span = self.cutter.up_to_here(piece.span);
        let parsed = Parsed { node: node?, head: piece.head, span, body };
        build(parsed).map_err(|mistake| self.cutter.mistakes.push(mistake)).ok()
    }

    /// Parses the head of a statement, or says why it cannot be.
    fn head(&mut self, context: Context, piece: &Piece, keyword: Option<&Keyword>) -> Option<Node<'t>> {
        let rule = match (keyword, context) {
            _ if !piece.sound => return None,
            (Some(keyword), _) => keyword.rule,
            (None, Context::Test) => Rule::test_case,
            (None, Context::Map) => Rule::map_case,
            (None, _) => {
                self.not_a_statement(context, piece);
                return None;
            }
        };
        let text = self.cutter.text(piece.span);
        if text.len() > STATEMENT_BYTES_MAX {
            let message = format!("this statement is longer than {STATEMENT_BYTES_MAX} bytes");
            self.cutter.mistakes.push(Diagnostic::error("statement-too-long", piece.first, message));
            return None;
        }
        let result = grammar::parse(rule, text);
        let usage = keyword.map_or(context.usage(), |keyword| keyword.usage);
        let has_block = keyword.is_some_and(|keyword| keyword.block.is_some());
        match &result {
            Err(failure) => self.cutter.mistakes.push(misfit(text, piece.span, usage, failure)),
            Ok(_) if piece.stop == Stop::Missing && has_block => self.missing("expected-block", "{", piece),
            Ok(_) => {}
        }
        if piece.stop == Stop::Missing && !has_block {
            self.missing("missing-semicolon", ";", piece);
        }
        result.ok()
    }

    fn not_a_statement(&mut self, context: Context, piece: &Piece) {
        let word = self.cutter.text(piece.first);
        let head = self.cutter.text(piece.head);
        let mistake = if head.is_empty() {
            Diagnostic::error("expected-word", piece.span, "no statement stands before this `{`")
        } else if word.is_empty() {
            let message = format!("no statement begins with `{}`", shortened(head));
            Diagnostic::error("unknown-statement", piece.head, message).help("a word in quotes is never a keyword")
        } else {
            unknown(word, piece.first, context)
        };
        self.cutter.mistakes.push(mistake);
    }

    fn missing(&mut self, code: &'static str, sign: &str, piece: &Piece) {
        let end = Span { start: piece.head.end, ..piece.head };
        let word = self.cutter.text(piece.first);
        let message = format!("`{sign}` is missing after this `{}`", shortened(word));
        let message = if word.is_empty() { format!("`{sign}` is missing") } else { message };
        self.cutter.mistakes.push(Diagnostic::error(code, end, message).help(format!("write `{sign}` here")));
    }

    /// What the block of `piece` holds.
    fn body(&mut self, inner: Context, piece: &Piece) -> Body {
        if self.cutter.depth() >= DEPTH_MAX {
            let message = format!("blocks nest deeper than {DEPTH_MAX} levels");
            self.cutter.mistakes.push(Diagnostic::error("nesting-too-deep", piece.head, message));
            self.cutter.skip(piece);
            return Body::None;
        }
        self.cutter.enter(piece);
        let body = match inner {
            Context::Top => Body::None,
            Context::Upstream | Context::Tls => Body::Upstream(self.block(inner, build::upstream_option)),
            Context::Plans => Body::Plans(self.block(inner, build::plans_option)),
            Context::Service => Body::Statements(self.block(inner, build::statement)),
            Context::Map => Body::Map(self.block(inner, build::map_case)),
            Context::Test => Body::Tests(self.block(inner, build::test_case)),
        };
        self.cutter.leave();
        body
    }
}
