//! Texts that were read, and places in them.

/// Which of the [`Sources`] a place is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A place in a source: bytes `start..end`, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Span {
    /// The text it is in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end` of `file`.
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// From the start of this one to the end of `last`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self { end: last.end, ..self }
    }
}

/// One text and the name it was read under.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Source {
    /// Path as given by the user, or `-` for standard input.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Where each line begins, so that a place is found without reading all that stands before it.
    line_starts: Vec<u32>,
    /// By block of [`BLOCK_BYTES`]: how many characters begin before it, so that a column of a line of megabytes is found
    /// without reading the line.
    characters: Vec<u32>,
}

/// Bytes that are read to find a column.
const BLOCK_BYTES: usize = 1 << 10;

impl Source {
    fn new(name: String, text: String) -> Self {
        let newlines = (0u32..).zip(text.bytes()).filter(|(_, byte)| *byte == b'\n');
        let line_starts = core::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        let mut before = 0;
        let characters = text.as_bytes().chunks(BLOCK_BYTES).map(|block| {
            let here = before;
            before += characters_of(block);
            here
        });
        let characters = characters.collect();
        Self { name, text, line_starts, characters }
    }

    /// How many characters begin before the byte `at`.
    fn characters_before(&self, at: u32) -> u32 {
        let block = at as usize / BLOCK_BYTES;
        let rest = self.text.as_bytes().get(block * BLOCK_BYTES..at as usize).unwrap_or_default();
        match self.characters.get(block) {
            Some(before) => before + characters_of(rest),
            // `at` is the end of a text whose last block is full.
            None => self.text.chars().count().try_into().unwrap_or(u32::MAX),
        }
    }
}

/// Bytes of UTF-8 that begin a character.
fn characters_of(bytes: &[u8]) -> u32 {
    let begins = |byte: &&u8| **byte & 0xC0 != 0x80;
    u32::try_from(bytes.iter().filter(begins).count()).unwrap_or(u32::MAX)
}

/// All texts of a compilation: the file named and what it includes, in reading order.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a text and says where it stands.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push(Source::new(name.into(), text.into()));
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// The text of `file`.
    pub fn get(&self, file: FileId) -> Option<&Source> {
        self.files.get(file.0 as usize)
    }

    /// All of them, in reading order.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        (0..).map(FileId).zip(&self.files)
    }

    /// Line and column of the start of `span`, both from 1; columns count characters.
    pub fn position(&self, span: Span) -> (usize, usize) {
        let Some(source) = self.get(span.file) else { return (1, 1) };
        // A place behind the end counts as the end.
        let at = span.start.min(u32::try_from(source.text.len()).unwrap_or(u32::MAX));
        let line = source.line_starts.partition_point(|start| *start <= at);
        let line_start = line.checked_sub(1).and_then(|index| source.line_starts.get(index)).copied().unwrap_or(0);
        let column = source.characters_before(at) - source.characters_before(line_start);
        (line, column as usize + 1)
    }

    /// `file:line:column` of the start of `span`, as every message prints it.
    pub fn place(&self, span: Span) -> String {
        let (line, column) = self.position(span);
        let name = self.get(span.file).map_or("?", |source| source.name.as_str());
        format!("{name}:{line}:{column}")
    }

    /// The text that `span` covers; empty where it covers none.
    pub fn text(&self, span: Span) -> &str {
        let text = self.get(span.file).map_or("", |source| source.text.as_str());
        text.get(span.start as usize..span.end as usize).unwrap_or("")
    }
}
