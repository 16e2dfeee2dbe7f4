//! Tables to bytes.

use crate::artifact::checksum::{crc32, joined};
use crate::artifact::format::{HEADER_OCTETS, MAGIC, Record, TABLES, VERSION};

/// Rows of one table, as octets.
#[derive(Debug, Default)]
pub(super) struct Rows {
    octets: Vec<u8>,
    count: u32,
}

impl Rows {
    /// Adds a row and says its index.
    pub(super) fn push<R: Record>(&mut self, row: &R) -> u32 {
        row.write(|word| self.octets.extend_from_slice(&word.to_le_bytes()));
        self.count += 1;
        self.count - 1
    }

    /// Index of the next row.
    pub(super) fn next(&self) -> u32 {
        self.count
    }

    /// All rows, which are of one kind.
    pub(super) fn iter<R: Record>(&self) -> impl Iterator<Item = R> + '_ {
        self.octets.as_chunks::<4>().0.chunks_exact(R::WORDS).map(R::read)
    }

    /// The row `index`.
    pub(super) fn get<R: Record>(&self, index: u32) -> Option<R> {
        let start = (index as usize).checked_mul(R::WORDS)?;
        self.octets.as_chunks::<4>().0.get(start..start.checked_add(R::WORDS)?).map(R::read)
    }

    pub(super) fn octets(self) -> Vec<u8> {
        self.octets
    }
}

/// The artifact that holds `tables`, in the order of [`TABLES`]; None beyond 4 GiB.
pub(super) fn assemble(tables: [Vec<u8>; TABLES.len()]) -> Option<Vec<u8>> {
    let mut directory = Vec::new();
    let mut content = Vec::with_capacity(tables.iter().map(|table| table.len() + 3).sum());
    let mut checksums = Vec::new();
    for (mut table, name) in tables.into_iter().zip(TABLES) {
        let padding = if name == "manifest" { b' ' } else { 0 };
        table.resize(table.len().next_multiple_of(4), padding);
        let checksum = crc32(&table);
        directory.extend(u32::try_from(table.len()).ok()?.to_le_bytes());
        directory.extend(checksum.to_le_bytes());
        checksums.push((checksum, table.len()));
        content.extend(table);
    }
    let mut head = VERSION.to_le_bytes().to_vec();
    head.extend(u32::try_from(HEADER_OCTETS + content.len()).ok()?.to_le_bytes());
    head.extend(directory);
    let join = |whole, (checksum, octets)| joined(whole, checksum, octets);
    let whole = checksums.into_iter().fold(crc32(&head), join);
    let mut bytes = Vec::with_capacity(HEADER_OCTETS + content.len());
    bytes.extend(MAGIC);
    bytes.extend(whole.to_le_bytes());
    bytes.extend(head);
    bytes.extend(content);
    Some(bytes)
}
