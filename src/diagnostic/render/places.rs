//! Bytes to lines and columns, many times over.

use crate::diagnostic::{Diagnostic, FileId, Sources, Span};
use std::collections::BTreeMap;

/// Where the lines of the sources begin, so that a place is found without reading them again.
#[derive(Debug)]
pub(super) struct Places<'s> {
    files: BTreeMap<FileId, File<'s>>,
}

#[derive(Debug)]
struct File<'s> {
    name: &'s str,
    text: &'s str,
    /// First byte of each line; never empty, ascending.
    lines: Vec<usize>,
}

/// A span as people count: from 1, columns in characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'s> {
    /// Name of the file.
    pub(super) file: &'s str,
    /// Line of the first character.
    pub(super) line: usize,
    /// Column of the first character.
    pub(super) column: usize,
    /// Line of the end.
    pub(super) end_line: usize,
    /// One past the last character.
    pub(super) end_column: usize,
}

/// Whole lines of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'s> {
    /// The lines, without the last line break.
    pub(super) text: &'s str,
    /// Where they begin in the file.
    pub(super) start: usize,
    /// Number of the first.
    pub(super) line: usize,
}

impl<'s> Places<'s> {
    /// Of every file that `diagnostics` speak of; reads each once.
    pub(super) fn new(diagnostics: &[Diagnostic], sources: &'s Sources) -> Self {
        let mut files = BTreeMap::new();
        for diagnostic in diagnostics {
            for label in core::iter::once(&diagnostic.place).chain(&diagnostic.related) {
                let file = label.span.file;
                files.entry(file).or_insert_with(|| File::new(sources, file));
            }
        }
        Self { files }
    }

    /// `span` in lines and columns.
    pub(super) fn place(&self, span: Span) -> Place<'s> {
        let Some(file) = self.files.get(&span.file) else {
            return Place { file: "?", line: 1, column: 1, end_line: 1, end_column: 1 };
        };
        let bytes = self.bytes(span);
        let (line, column) = file.position(bytes.start);
        let (end_line, end_column) = file.position(bytes.end);
        Place { file: file.name, line, column, end_line, end_column }
    }

    /// `span` as bytes that are within the text, on character boundaries.
    pub(super) fn bytes(&self, span: Span) -> core::ops::Range<usize> {
        let text = self.files.get(&span.file).map_or("", |file| file.text);
        let start = boundary(text, span.start);
        start..boundary(text, span.end).max(start)
    }

    /// The lines that `spans` of one file touch, from the first to the last.
    pub(super) fn window(&self, spans: &[Span]) -> Option<Window<'s>> {
        let file = self.files.get(&spans.first()?.file)?;
        let first = spans.iter().map(|&span| self.bytes(span).start).min()?;
        let last = spans.iter().map(|&span| self.bytes(span).end).max()?;
        let (line, start) = file.line_of(first);
        let end = file.text.get(last..)?.find('\n').map_or(file.text.len(), |newline| last + newline);
        let text = file.text.get(start..end)?;
        Some(Window { text: text.strip_suffix('\r').unwrap_or(text), start, line })
    }
}

impl<'s> File<'s> {
    fn new(sources: &'s Sources, file: FileId) -> Self {
        let source = sources.get(file);
        let text = source.map_or("", |source| source.text.as_str());
        let breaks = text.match_indices('\n').map(|(newline, _)| newline + 1);
        let lines = core::iter::once(0).chain(breaks).collect();
        Self { name: source.map_or("?", |source| source.name.as_str()), text, lines }
    }

    /// Number and first byte of the line that holds `byte`.
    fn line_of(&self, byte: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|&start| start <= byte);
        (line, line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or(0))
    }

    fn position(&self, byte: usize) -> (usize, usize) {
        let (line, start) = self.line_of(byte);
        (line, self.text.get(start..byte).map_or(0, |before| before.chars().count()) + 1)
    }
}

/// The last character boundary of `text` that is not after `byte`.
fn boundary(text: &str, byte: u32) -> usize {
    let mut at = text.len().min(byte as usize);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
