//! The children of a grammar node, asked for by what they are.

use crate::diagnostic::{Diagnostic, Span};
use crate::syntax::ast::Word;
use crate::syntax::grammar::{Node, Rule};
use crate::syntax::words::{node_span, node_word};

/// A node of a statement, its statement beginning at `base`.
#[derive(Clone, Debug)]
pub(super) struct Parts<'t> {
    node: Node<'t>,
    base: Span,
}

impl<'t> Parts<'t> {
    /// The parts of `node`, which is in the statement that begins at `base`.
    pub(super) fn new(node: Node<'t>, base: Span) -> Self {
        Self { node, base }
    }

    /// What it is.
    pub(super) fn rule(&self) -> Rule {
        self.node.as_rule()
    }

    /// Where it is.
    pub(super) fn span(&self) -> Span {
        node_span(&self.node, self.base)
    }

    /// Its children, in order.
    pub(super) fn children(&self) -> impl Iterator<Item = Self> + use<'t> {
        let base = self.base;
        self.node.clone().into_inner().map(move |node| Self { node, base })
    }

    /// Its children that are `rule`.
    pub(super) fn all(&self, rule: Rule) -> impl Iterator<Item = Self> + use<'t> {
        self.children().filter(move |child| child.rule() == rule)
    }

    /// Whether a child is `rule`.
    pub(super) fn has(&self, rule: Rule) -> bool {
        self.all(rule).next().is_some()
    }

    /// The first child that is `rule`.
    pub(super) fn part(&self, rule: Rule) -> Result<Self, Diagnostic> {
        self.all(rule).next().ok_or_else(|| self.incomplete())
    }

    /// The text of it.
    pub(super) fn as_word(&self) -> Word {
        node_word(&self.node, self.base)
    }

    /// The first child that is `rule`, if there is one, as a word.
    pub(super) fn maybe(&self, rule: Rule) -> Option<Word> {
        self.all(rule).next().map(|child| child.as_word())
    }

    /// The first child that is `rule`, as a word.
    pub(super) fn word(&self, rule: Rule) -> Result<Word, Diagnostic> {
        self.part(rule).map(|child| child.as_word())
    }

    /// The children that are `rule`, as words.
    pub(super) fn words(&self, rule: Rule) -> Vec<Word> {
        self.all(rule).map(|child| child.as_word()).collect()
    }

    /// The first child, as a word.
    pub(super) fn first(&self) -> Result<Word, Diagnostic> {
        self.children().next().map(|child| child.as_word()).ok_or_else(|| self.incomplete())
    }

    /// The second child, as a word.
    pub(super) fn second(&self) -> Result<Word, Diagnostic> {
        self.children().nth(1).map(|child| child.as_word()).ok_or_else(|| self.incomplete())
    }

    /// All words but the first, however deep they stand; `;` and `{` are none.
    pub(super) fn rest(&self) -> Vec<Word> {
        let leaves = self.node.clone().into_inner().flatten().filter(|node| node.clone().into_inner().next().is_none());
        let words = leaves.filter(|node| !matches!(node.as_rule(), Rule::semicolon | Rule::open));
        words.skip(1).map(|node| node_word(&node, self.base)).collect()
    }

    /// `NAME=VALUE` as two words.
    pub(super) fn setting(&self) -> (Word, Word) {
        let word = self.as_word();
        let (name, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
        let middle = self.span().start + u32::try_from(name.len()).unwrap_or(0);
        let name_span = Span { end: middle, ..word.span };
        let value_span = Span { start: (middle + 1).min(word.span.end), ..word.span };
        (
            Word { text: name.to_owned(), quoted: false, span: name_span },
            Word { text: value.to_owned(), quoted: false, span: value_span },
        )
    }

    /// That it lacks a part. The grammar asks for all of them, so nobody should see this.
    pub(super) fn incomplete(&self) -> Diagnostic {
        Diagnostic::error("expected-word", self.span(), "this statement is incomplete")
    }
}
