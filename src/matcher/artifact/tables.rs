//! The tables of an artifact, made when they are asked for: a decision pays for those that it reads.
#![expect(clippy::len_without_is_empty, reason = "whether there are none decides nothing")]

use super::format::{
    Addresses, Automaton, Filter, HeaderName, Host, HostRank, Instruction, Location, Look, Lookup, Map, MapCase,
    NOBODY, NONE, NamedGroup, Node, Number, OctetSet, Operation, Outcome, Output, Part, PlansRow, Policy, Program,
    Record, Scan, Search, Service, Slot, TABLES, Template, Text, Variable, cell,
};
use super::lost::Lost;
use core::marker::PhantomData;
use core::ops::Range;

/// Where each table begins and ends, in words of the artifact.
pub(super) type Ranges = [(u32, u32); TABLES.len()];

/// The tables of an artifact, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    words: &'a [[u8; 4]],
    ranges: &'a Ranges,
    lost: &'a Lost,
}

macro_rules! tables {
    ($($(#[$about:meta])* $name:ident: $record:ty),* $(,)?) => {
        impl<'a> Tables<'a> {
            $(
                #[doc = concat!("The rows of the table `", stringify!($name), "`.")]
                $(#[$about])*
                pub fn $name(self) -> Table<'a, $record> {
                    const INDEX: usize = index_of(stringify!($name));
                    Table { words: self.words(INDEX), lost: self.lost, rows: PhantomData }
                }
            )*
        }
    };
}

tables! {
    policy: Policy,
    /// A name, or none.
    header_slots: Number,
    header_names: HeaderName,
    automata: Automaton,
    transitions: Number,
    variables: Variable,
    /// Of variables that have many values.
    slots: Slot,
    /// Of the one variable that is the client's address.
    addresses: Addresses,
    nodes: Node,
    children: Number,
    hosts: Host,
    host_ranks: HostRank,
    services: Service,
    /// Strings: names of headers that a service keeps in every spelling.
    kept_names: Number,
    outputs: Output,
    scans: Scan,
    filters: Filter,
    searches: Search,
    regex_locations: Number,
    lookups: Lookup,
    outcomes: Outcome,
    /// Searches.
    eligible: Number,
    locations: Location,
    operations: Operation,
    templates: Template,
    parts: Part,
    programs: Program,
    instructions: Instruction,
    named_groups: NamedGroup,
    looks: Look,
    plans: PlansRow,
    maps: Map,
    map_cases: MapCase,
    /// By upstream: the template whose text picks the server, or none.
    balance_keys: Number,
}

impl<'a> Tables<'a> {
    /// Those that stand at `ranges` of `words`; `lost` notes rows that are asked for and not there.
    pub(super) fn new(words: &'a [[u8; 4]], ranges: &'a Ranges, lost: &'a Lost) -> Self {
        Self { words, ranges, lost }
    }

    /// Where a missing row is noted.
    #[inline]
    pub fn lost(self) -> &'a Lost {
        self.lost
    }

    /// The tables `bytes` and `strings`.
    pub fn strings(self) -> Strings<'a> {
        const BYTES: usize = index_of("bytes");
        const STRINGS: usize = index_of("strings");
        Strings {
            bytes: self.words(BYTES).as_flattened(),
            texts: Table { words: self.words(STRINGS), lost: self.lost, rows: PhantomData },
        }
    }

    /// The string `index`; lost where there is none.
    pub fn string(self, index: u32) -> &'a [u8] {
        self.strings().get(index)
    }

    /// States and transitions of scanners.
    pub fn cells(self) -> Cells<'a> {
        const INDEX: usize = index_of("cells");
        Cells { cells: self.words(INDEX).as_flattened().as_chunks().0, lost: self.lost }
    }

    /// Octets on which loops stay.
    #[inline]
    pub fn octet_sets(self) -> OctetSets<'a> {
        const INDEX: usize = index_of("octet_sets");
        OctetSets { sets: self.words(INDEX).as_flattened().as_chunks().0, lost: self.lost }
    }

    /// The bits of filters.
    pub fn filter_bits(self) -> &'a [u8] {
        const INDEX: usize = index_of("filter_bits");
        self.words(INDEX).as_flattened()
    }

    /// The bits of `filter`; lost where they are not all there.
    pub fn bits_of(self, filter: Filter) -> &'a [u8] {
        let octets = 1u32.checked_shl(filter.log2.wrapping_sub(3)).unwrap_or(u32::MAX);
        self.filter_bits().get(rows(filter.start, octets)).unwrap_or_else(|| {
            self.lost.note();
            &[]
        })
    }

    /// The 256 byte classes `index`; lost where there are none.
    pub fn byte_classes(self, index: u32) -> &'a [u8; 256] {
        const ZEROS: &[u8; 256] = &[0; 256];
        self.byte_class_rows().get(index as usize).unwrap_or_else(|| {
            self.lost.note();
            ZEROS
        })
    }

    /// All byte classes.
    pub fn byte_class_rows(self) -> &'a [[u8; 256]] {
        const INDEX: usize = index_of("byte_classes");
        self.words(INDEX).as_flattened().as_chunks().0
    }

    /// The JSON of the manifest.
    pub(super) fn manifest(self) -> &'a [u8] {
        const INDEX: usize = index_of("manifest");
        self.words(INDEX).as_flattened()
    }

    /// The same of an artifact of which nothing else is read.
    pub(super) fn manifest_of(words: &'a [[u8; 4]], ranges: &Ranges) -> &'a [u8] {
        const INDEX: usize = index_of("manifest");
        let (start, end) = ranges.get(INDEX).copied().unwrap_or_default();
        words.get(start as usize..end as usize).unwrap_or(&[]).as_flattened()
    }

    #[expect(clippy::indexing_slicing, reason = "callers name a table by a constant, which the compiler checks")]
    #[inline]
    fn words(self, index: usize) -> &'a [[u8; 4]] {
        let (start, end) = self.ranges[index];
        self.words.get(start as usize..end as usize).unwrap_or(&[])
    }
}

/// The place of the table called `name`, which there is, in [`TABLES`].
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses a name that is not there")]
const fn index_of(name: &str) -> usize {
    let mut index = 0;
    while !is_same(TABLES[index].as_bytes(), name.as_bytes()) {
        index += 1;
    }
    index
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler; in bounds by the lengths")]
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

/// States and transitions of scanners; see [`cell`].
#[derive(Clone, Copy, Debug)]
pub struct Cells<'a> {
    cells: &'a [[u8; 8]],
    lost: &'a Lost,
}

impl<'a> Cells<'a> {
    /// The cell `index`; nobody's past the end.
    #[inline]
    pub fn get(self, index: u32) -> u64 {
        self.cells.get(index as usize).map_or(cell(NOBODY, 0), |cell| u64::from_le_bytes(*cell))
    }

    /// The head of the state `index`; lost where there is none.
    #[inline]
    pub fn head(self, index: u32) -> u64 {
        self.cells.get(index as usize).map_or_else(
            || {
                self.lost.note();
                cell(NOBODY, 0)
            },
            |cell| u64::from_le_bytes(*cell),
        )
    }

    /// The cells from `first` on, as octets.
    #[inline]
    pub fn text(self, first: u32) -> &'a [u8] {
        self.cells.get(first as usize..).unwrap_or(&[]).as_flattened()
    }

    /// Number of cells.
    pub fn len(self) -> usize {
        self.cells.len()
    }
}

/// Sets of octets.
#[derive(Clone, Copy, Debug)]
pub struct OctetSets<'a> {
    sets: &'a [[u8; 32]],
    lost: &'a Lost,
}

impl OctetSets<'_> {
    /// The set `index`; lost where there is none.
    #[inline]
    pub fn get(self, index: u32) -> OctetSet {
        self.sets.get(index as usize).map_or_else(
            || {
                self.lost.note();
                OctetSet::default()
            },
            |set| OctetSet(*set),
        )
    }

    /// Number of sets.
    pub fn len(self) -> usize {
        self.sets.len()
    }
}

/// Names and literal texts.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'a> {
    /// All of them, one behind the other.
    pub bytes: &'a [u8],
    /// Where each stands.
    pub texts: Table<'a, Text>,
}

impl<'a> Strings<'a> {
    /// The string `index`; lost where there is none.
    pub fn get(&self, index: u32) -> &'a [u8] {
        let Text { start, octets } = self.texts.row(index);
        self.text(start, octets)
    }

    /// The `octets` octets from `start` on; lost where they are not all there.
    pub fn text(&self, start: u32, octets: u32) -> &'a [u8] {
        self.bytes.get(rows(start, octets)).unwrap_or_else(|| {
            self.texts.lost.note();
            &[]
        })
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        self.texts.len()
    }
}

/// Rows of one kind.
#[derive(Debug)]
pub struct Table<'a, R> {
    words: &'a [[u8; 4]],
    lost: &'a Lost,
    rows: PhantomData<R>,
}

impl<R> Clone for Table<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Table<'_, R> {}

impl<'a, R: Record> Table<'a, R> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.words.len() / R::WORDS
    }

    /// Whether numbers are left over behind the last row.
    pub fn is_ragged(&self) -> bool {
        !self.words.len().is_multiple_of(R::WORDS)
    }

    /// The row `index`, which there is by the check of the artifact; lost where there is none.
    #[inline]
    pub fn row(&self, index: u32) -> R {
        self.get(index).unwrap_or_else(|| {
            self.lost.note();
            R::default()
        })
    }

    /// The row `index`, or none where it says so.
    #[inline]
    pub fn optional(&self, index: u32) -> Option<R> {
        (index != NONE).then(|| self.row(index))
    }

    /// The row `index`, if there is one: for who checks.
    #[inline]
    pub fn get(&self, index: u32) -> Option<R> {
        let start = (index as usize).checked_mul(R::WORDS)?;
        self.words.get(start..start.checked_add(R::WORDS)?).map(R::read)
    }

    /// The rows `first..first + count`; none, and lost, where they are not all there.
    pub fn range(self, first: u32, count: u32) -> impl Iterator<Item = R> + 'a {
        let start = (first as usize).saturating_mul(R::WORDS);
        let end = start.saturating_add((count as usize).saturating_mul(R::WORDS));
        let words = self.words.get(start..end).unwrap_or_else(|| {
            self.lost.note();
            &[]
        });
        words.chunks_exact(R::WORDS).map(R::read)
    }

    /// All rows.
    pub fn iter(self) -> impl Iterator<Item = R> + 'a {
        self.words.chunks_exact(R::WORDS).map(R::read)
    }
}

impl<'a> Table<'a, Number> {
    /// The numbers `first..first + count`; none, and lost, if they are not all there.
    pub fn stretch(&self, first: u32, count: u32) -> &'a [[u8; 4]] {
        self.words.get(rows(first, count)).unwrap_or_else(|| {
            self.lost.note();
            &[]
        })
    }

    /// The number `index`; 0, and lost, past the end.
    #[inline]
    pub fn number(&self, index: usize) -> u32 {
        self.words.get(index).map_or_else(
            || {
                self.lost.note();
                0
            },
            |word| u32::from_le_bytes(*word),
        )
    }
}

/// A stretch of rows.
pub(super) fn rows(first: u32, count: u32) -> Range<usize> {
    let first = first as usize;
    first..first.saturating_add(count as usize)
}
