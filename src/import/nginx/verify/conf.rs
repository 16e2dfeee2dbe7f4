//! The lines that nginx is given, and which of them it may refuse.

use super::super::decode;
use crate::diagnostic::Span;

/// A configuration by lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Conf {
    text: String,
    /// By line: the directive that it belongs to, where nginx can do without.
    of_line: Vec<Option<usize>>,
    dispensable: Vec<(String, Span)>,
    /// The directive that is being written.
    current: Option<usize>,
}

impl Conf {
    /// Writes `text`.
    pub(super) fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.of_line.extend(text.matches('\n').map(|_| self.current));
    }

    /// What is written from here to [`Self::end`] can be left out: a directive called `name` that stands at `span`.
    pub(super) fn begin(&mut self, name: &str, span: Span) {
        self.current = Some(self.dispensable.len());
        self.dispensable.push((name.to_owned(), span));
    }

    /// What is written from here must be taken.
    pub(super) fn end(&mut self) {
        self.current = None;
    }

    /// The lines without those of `dropped` directives, and the directive of each.
    pub(super) fn lines(&self, dropped: &[usize]) -> Vec<(Vec<u8>, Option<usize>)> {
        let lines = self.text.split_terminator('\n').zip(&self.of_line);
        lines
            .filter(|(_, of)| of.is_none_or(|of| !dropped.contains(&of)))
            .map(|(line, of)| (decode::encode(line), *of))
            .collect()
    }

    /// Name and place of the directive number `index`.
    pub(super) fn directive(&self, index: usize) -> Option<&(String, Span)> {
        self.dispensable.get(index)
    }

    /// The directives that have a name in common with number `index`.
    pub(super) fn namesakes(&self, index: usize) -> Vec<usize> {
        let Some((name, _)) = self.dispensable.get(index) else { return Vec::new() };
        (0..self.dispensable.len()).filter(|other| self.directive(*other).is_some_and(|(own, _)| own == name)).collect()
    }

    /// All of it, to look at.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}
