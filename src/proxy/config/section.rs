//! Tables of TOML with their places: every mistake is noted, and reading goes on.

use core::cell::RefCell;
use core::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file that is being read.
#[derive(Debug)]
pub(super) struct File<'t> {
    path: &'t Path,
    text: &'t str,
    problems: RefCell<Vec<(usize, String)>>,
}

impl<'t> File<'t> {
    pub(super) fn new(path: &'t Path, text: &'t str) -> Self {
        Self { path, text, problems: RefCell::default() }
    }

    /// Notes a mistake at `span`.
    pub(super) fn problem(&self, span: &Range<usize>, message: &str) {
        let message = format!("{}: {message}", self.place(span));
        self.problems.borrow_mut().push((span.start, message));
    }

    /// `file:line:column`; columns count characters.
    pub(super) fn place(&self, span: &Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.path.display())
    }

    /// `path` as it stands in the file, relative to its folder.
    pub(super) fn relative(&self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    /// All mistakes, in the order of the file.
    pub(super) fn into_problems(self) -> Vec<String> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|(start, _)| *start);
        problems.into_iter().map(|(_, message)| message).collect()
    }
}

/// One table of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'f, 't> {
    pub(super) file: &'f File<'t>,
    table: &'f DeTable<'t>,
    start: usize,
}

/// A value and where it stands.
pub(super) type Placed<T> = (T, Range<usize>);

impl<'f, 't> Section<'f, 't> {
    pub(super) fn new(file: &'f File<'t>, table: &'f DeTable<'t>, span: &Range<usize>) -> Self {
        Self { file, table, start: span.start }
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.start..self.start
    }

    /// Notes every key that is not one of `known`.
    pub(super) fn only(&self, known: &[&str]) {
        for key in self.table.iter().map(|(key, _)| key) {
            if !known.contains(&key.get_ref().as_ref()) {
                let message = format!("unknown key `{}`; known here: {}", key.get_ref(), known.join(", "));
                self.file.problem(&key.span(), &message);
            }
        }
    }

    /// The tables in the table `key`, with their names.
    pub(super) fn named(&self, key: &str) -> Vec<(String, Self)> {
        let Some(outer) = self.section(key) else { return Vec::new() };
        let names = outer.table.iter().map(|(name, _)| name.get_ref().as_ref());
        names.filter_map(|name| Some((name.to_owned(), outer.section(name)?))).collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'f str> {
        self.table.iter().map(|(key, _)| key.get_ref().as_ref())
    }

    pub(super) fn section(&self, key: &str) -> Option<Self> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(self.file, table, &self.key_span(key)?)),
            _ => self.wrong(value, "a table"),
        }
    }

    pub(super) fn string(&self, key: &str) -> Option<Placed<String>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some((text.to_string(), value.span())),
            _ => self.wrong(value, "a string"),
        }
    }

    pub(super) fn strings(&self, key: &str) -> Option<Vec<Placed<String>>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else { return self.wrong(value, "a list of strings") };
        let mut texts = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push((text.to_string(), item.span())),
                _ => self.wrong(item, "a string").unwrap_or_default(),
            }
        }
        Some(texts)
    }

    /// The tables of a list.
    pub(super) fn tables(&self, key: &str) -> Option<Vec<Self>> {
        let value = self.value(key)?;
        let DeValue::Array(items) = value.get_ref() else { return self.wrong(value, "a list of tables") };
        let mut tables = Vec::new();
        for item in items {
            match item.get_ref() {
                DeValue::Table(table) => tables.push(Self::new(self.file, table, &item.span())),
                _ => self.wrong(item, "a table").unwrap_or_default(),
            }
        }
        Some(tables)
    }

    /// A path that must be said, relative to the file's folder.
    pub(super) fn path(&self, key: &str) -> Option<PathBuf> {
        if self.value(key).is_none() {
            self.file.problem(&self.span(), &format!("`{key}` is missing"));
        }
        self.string(key).map(|(path, _)| self.file.relative(&path))
    }

    pub(super) fn is_string(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| matches!(value.get_ref(), DeValue::String(_)))
    }

    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(truth) => Some(*truth),
            _ => self.wrong(value, "true or false"),
        }
    }

    pub(super) fn number(&self, key: &str) -> Option<u32> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => {
                number.as_str().parse().ok().or_else(|| self.wrong(value, "a number from 0 to 4294967295"))
            }
            _ => self.wrong(value, "a number"),
        }
    }

    /// A string that `parse` understands.
    pub(super) fn parsed<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let (text, span) = self.string(key)?;
        parse(&text).map_err(|message| self.file.problem(&span, &message)).ok()
    }

    /// Strings that `parse` understands.
    pub(super) fn all_parsed<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<Vec<T>> {
        let texts = self.strings(key)?;
        let parsed = texts
            .iter()
            .filter_map(|(text, span)| parse(text).map_err(|message| self.file.problem(span, &message)).ok());
        Some(parsed.collect())
    }

    pub(super) fn value_span(&self, key: &str) -> Option<Range<usize>> {
        self.value(key).map(Spanned::span)
    }

    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        self.value(key).is_some_and(|value| matches!(value.get_ref(), DeValue::Array(items) if items.is_empty()))
    }

    fn value(&self, key: &str) -> Option<&'f Spanned<DeValue<'t>>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    fn key_span(&self, key: &str) -> Option<Range<usize>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(name, _)| name.span())
    }

    fn wrong<T>(&self, value: &Spanned<DeValue<'_>>, expected: &str) -> Option<T> {
        self.file.problem(&value.span(), &format!("expected {expected}"));
        None
    }
}
