//! Bytes to tables. One door: what is inside has been checked.

use super::check::check;
use super::checksum::crc32;
use super::format::{
    Automaton, HEADER_OCTETS, Host, HostRank, Instruction, Level, Location, Look, MAGIC, Map, MapCase, NamedGroup,
    Node, Number, Operation, Part, PlansRow, Program, Record, Service, TABLES, Template, Text, TrieNode, VERSION,
    Variable,
};
use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

/// An artifact whose every index is known good.
#[derive(Debug)]
pub struct Artifact<B> {
    bytes: B,
    /// Octet ranges of the tables. Invariant: all are within `bytes`.
    ranges: [(usize, usize); TABLES.len()],
}

/// Why bytes are no artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArtifactError {
    /// They do not begin as an artifact does.
    NotAnArtifact,
    /// They are of another version of the format.
    Version {
        /// Which.
        found: u32,
    },
    /// They end too early (or go on after the end), within or before this table.
    Length {
        /// Its name; `header` for what stands before the tables.
        table: &'static str,
    },
    /// A checksum does not fit: this table was changed.
    Checksum {
        /// Its name; `header` for what stands before the tables.
        table: &'static str,
    },
    /// The checksums fit, and a row of this table says what cannot be.
    Invalid {
        /// Its name.
        table: &'static str,
        /// Which row, from 0.
        row: u32,
    },
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnArtifact => write!(f, "this is no rulec artifact"),
            Self::Version { found } => {
                write!(f, "the artifact has format version {found}; this program reads version {VERSION}")
            }
            Self::Length { table } => write!(f, "the artifact is cut short or too long at table `{table}`"),
            Self::Checksum { table } => {
                write!(f, "the checksum of table `{table}` does not fit: the artifact was damaged")
            }
            Self::Invalid { table, row } => {
                write!(f, "row {row} of table `{table}` cannot be: the artifact was not made by rulec")
            }
        }
    }
}

impl core::error::Error for ArtifactError {}

impl<B: AsRef<[u8]>> Artifact<B> {
    /// Checks `bytes` through and through, copying nothing.
    ///
    /// It reads every row of every table: linear in the size of the artifact, paid at load so that no request pays it.
    ///
    /// # Errors
    /// Names the first table that is not as it should be.
    pub fn parse(bytes: B) -> Result<Self, ArtifactError> {
        let ranges = ranges(bytes.as_ref())?;
        let artifact = Self { bytes, ranges };
        check(&artifact.tables())?;
        Ok(artifact)
    }

    /// The whole of it.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// The JSON of the manifest.
    pub fn manifest(&self) -> &[u8] {
        // Padded with blanks, which JSON ignores.
        self.table_bytes(TABLES.len() - 1)
    }

    /// Name and octets of every table, in order.
    pub fn table_sizes(&self) -> impl Iterator<Item = (&'static str, usize)> {
        TABLES.iter().zip(&self.ranges).map(|(name, (start, end))| (*name, end - start))
    }

    pub(crate) fn tables(&self) -> Tables<'_> {
        let mut index = 0;
        let mut next = || {
            index += 1;
            self.table_bytes(index - 1)
        };
        Tables {
            strings: Strings { bytes: next(), texts: Table::new(next()) },
            automata: Table::new(next()),
            byte_classes: next(),
            transitions: Table::new(next()),
            labels: Table::new(next()),
            variables: Table::new(next()),
            nodes: Table::new(next()),
            children: Table::new(next()),
            hosts: Table::new(next()),
            host_ranks: Table::new(next()),
            services: Table::new(next()),
            levels: Table::new(next()),
            ranked: Table::new(next()),
            regex_locations: Table::new(next()),
            trie: Table::new(next()),
            edges: Table::new(next()),
            locations: Table::new(next()),
            operations: Table::new(next()),
            templates: Table::new(next()),
            parts: Table::new(next()),
            programs: Table::new(next()),
            instructions: Table::new(next()),
            named_groups: Table::new(next()),
            looks: Table::new(next()),
            plans: Table::new(next()),
            maps: Table::new(next()),
            map_cases: Table::new(next()),
        }
    }

    fn table_bytes(&self, index: usize) -> &[u8] {
        let (start, end) = self.ranges.get(index).copied().unwrap_or((0, 0));
        self.bytes.as_ref().get(start..end).unwrap_or(&[])
    }
}

/// The tables of an artifact, borrowed. Their order is that of [`TABLES`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tables<'a> {
    /// The tables `bytes` and `strings`.
    pub(crate) strings: Strings<'a>,
    pub(crate) automata: Table<'a, Automaton>,
    /// 256 octets each.
    pub(crate) byte_classes: &'a [u8],
    pub(crate) transitions: Table<'a, Number>,
    pub(crate) labels: Table<'a, Number>,
    pub(crate) variables: Table<'a, Variable>,
    pub(crate) nodes: Table<'a, Node>,
    pub(crate) children: Table<'a, Number>,
    pub(crate) hosts: Table<'a, Host>,
    pub(crate) host_ranks: Table<'a, HostRank>,
    pub(crate) services: Table<'a, Service>,
    pub(crate) levels: Table<'a, Level>,
    /// Automata that choose the first of a list.
    pub(crate) ranked: Table<'a, Number>,
    pub(crate) regex_locations: Table<'a, Number>,
    pub(crate) trie: Table<'a, TrieNode>,
    /// The byte in the highest octet, the node in the others.
    pub(crate) edges: Table<'a, Number>,
    pub(crate) locations: Table<'a, Location>,
    pub(crate) operations: Table<'a, Operation>,
    pub(crate) templates: Table<'a, Template>,
    pub(crate) parts: Table<'a, Part>,
    pub(crate) programs: Table<'a, Program>,
    pub(crate) instructions: Table<'a, Instruction>,
    pub(crate) named_groups: Table<'a, NamedGroup>,
    pub(crate) looks: Table<'a, Look>,
    pub(crate) plans: Table<'a, PlansRow>,
    pub(crate) maps: Table<'a, Map>,
    pub(crate) map_cases: Table<'a, MapCase>,
}

impl<'a> Tables<'a> {
    /// The string `index`; empty where there is none.
    pub(crate) fn string(&self, index: u32) -> &'a [u8] {
        self.strings.get(index)
    }

    /// The 256 byte classes `index`.
    pub(crate) fn byte_classes(&self, index: u32) -> &'a [u8; 256] {
        const ZEROS: &[u8; 256] = &[0; 256];
        let (tables, _) = self.byte_classes.as_chunks::<256>();
        tables.get(index as usize).unwrap_or(ZEROS)
    }
}

/// Names and literal texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strings<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) texts: Table<'a, Text>,
}

impl<'a> Strings<'a> {
    /// The string `index`; empty where there is none.
    pub(crate) fn get(&self, index: u32) -> &'a [u8] {
        let Some(Text { start, octets }) = self.texts.get(index) else { return &[] };
        self.bytes.get(rows(start, octets)).unwrap_or(&[])
    }

    /// Number of strings.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

/// Rows of one kind.
#[derive(Debug)]
pub(crate) struct Table<'a, R> {
    words: &'a [[u8; 4]],
    rows: PhantomData<R>,
}

impl<R> Clone for Table<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Table<'_, R> {}

impl<'a, R: Record> Table<'a, R> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { words: bytes.as_chunks::<4>().0, rows: PhantomData }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.words.len() / R::WORDS
    }

    /// Whether numbers are left over behind the last row.
    pub(crate) fn is_ragged(&self) -> bool {
        !self.words.len().is_multiple_of(R::WORDS)
    }

    /// The row `index`, if there is one.
    pub(crate) fn get(&self, index: u32) -> Option<R> {
        let start = (index as usize).checked_mul(R::WORDS)?;
        self.words.get(start..start.checked_add(R::WORDS)?).map(R::read)
    }

    /// The rows `first..first + count`, as far as there are any.
    pub(crate) fn range(&self, first: u32, count: u32) -> impl Iterator<Item = R> + 'a {
        let table = *self;
        (first..first.saturating_add(count)).map_while(move |index| table.get(index))
    }

    /// All rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = R> + 'a {
        self.words.chunks_exact(R::WORDS).map(R::read)
    }
}

impl Table<'_, Number> {
    /// The number `index`; 0 past the end.
    pub(crate) fn number(&self, index: usize) -> u32 {
        self.words.get(index).map_or(0, |word| u32::from_le_bytes(*word))
    }
}

/// Where the tables stand, after magic, version, lengths and checksums have been found right.
fn ranges(bytes: &[u8]) -> Result<[(usize, usize); TABLES.len()], ArtifactError> {
    if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
        let short = MAGIC.starts_with(bytes);
        return Err(if short { ArtifactError::Length { table: "header" } } else { ArtifactError::NotAnArtifact });
    }
    let header = bytes.get(..HEADER_OCTETS).ok_or(ArtifactError::Length { table: "header" })?;
    let words = header.get(MAGIC.len()..).unwrap_or(&[]).as_chunks::<4>().0;
    let word = |index: usize| words.get(index).map_or(0, |word| u32::from_le_bytes(*word));
    // The checksum is before the version, so that a version can be believed.
    let whole = crc32(bytes.get(MAGIC.len() + 4..).unwrap_or(&[])) == word(0);
    let mut ranges = [(0, 0); TABLES.len()];
    let mut end = HEADER_OCTETS;
    for (index, (range, table)) in ranges.iter_mut().zip(TABLES).enumerate() {
        let octets = word(3 + 2 * index) as usize;
        let start = end;
        end = end.checked_add(octets).ok_or(ArtifactError::Checksum { table: "header" })?;
        *range = (start, end);
        let Some(content) = bytes.get(start..end) else {
            // A header that tells its own length rightly is sound, so the file was cut.
            let sound = word(2) as usize > bytes.len();
            return Err(if sound {
                ArtifactError::Length { table }
            } else {
                ArtifactError::Checksum { table: "header" }
            });
        };
        if crc32(content) != word(4 + 2 * index) {
            return Err(ArtifactError::Checksum { table });
        }
    }
    if end != bytes.len() || word(2) as usize != end {
        return Err(ArtifactError::Length { table: if whole { "manifest" } else { "header" } });
    }
    if !whole {
        return Err(ArtifactError::Checksum { table: "header" });
    }
    if word(1) != VERSION {
        return Err(ArtifactError::Version { found: word(1) });
    }
    Ok(ranges)
}

/// A stretch of rows.
pub(crate) fn rows(first: u32, count: u32) -> Range<usize> {
    let first = first as usize;
    first..first.saturating_add(count as usize)
}
