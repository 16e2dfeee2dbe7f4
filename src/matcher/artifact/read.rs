//! Bytes to tables. One door: what is inside has been checked.

use super::check::check;
use super::checksum::{crc32, joined};
use super::format::{HEADER_OCTETS, MAGIC, TABLES, VERSION};
use super::lost::Lost;
use super::tables::{Ranges, Tables};
use core::fmt;

/// An artifact whose every index is known good.
#[derive(Debug)]
pub struct Artifact<B> {
    bytes: B,
    ranges: Ranges,
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
        let lost = Lost::new();
        check(&artifact.tables(&lost))?;
        if lost.is_set() {
            return Err(ArtifactError::Invalid { table: "policy", row: 0 });
        }
        Ok(artifact)
    }

    /// The whole of it.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// The JSON of the manifest.
    pub fn manifest(&self) -> &[u8] {
        // Padded with blanks, which JSON ignores.
        Tables::manifest_of(self.bytes.as_ref().as_chunks().0, &self.ranges)
    }

    /// Name and octets of every table, in order.
    pub fn table_sizes(&self) -> impl Iterator<Item = (&'static str, usize)> {
        TABLES.iter().zip(&self.ranges).map(|(name, (start, end))| (*name, 4 * (*end as usize - *start as usize)))
    }

    /// The tables; `lost` notes rows that are asked for and not there.
    #[doc(hidden)]
    pub fn tables<'a>(&'a self, lost: &'a Lost) -> Tables<'a> {
        Tables::new(self.bytes.as_ref().as_chunks().0, &self.ranges, lost)
    }

    /// The artifact of `bytes` whose rows nobody has looked at.
    #[cfg(feature = "unchecked")]
    pub(crate) fn unchecked(bytes: B, sound: &Self) -> Self {
        Self { bytes, ranges: sound.ranges }
    }
}

/// Where the tables stand, after magic, version, lengths and checksums have been found right.
fn ranges(bytes: &[u8]) -> Result<Ranges, ArtifactError> {
    if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
        let short = MAGIC.starts_with(bytes);
        return Err(if short { ArtifactError::Length { table: "header" } } else { ArtifactError::NotAnArtifact });
    }
    let header = bytes.get(..HEADER_OCTETS).ok_or(ArtifactError::Length { table: "header" })?;
    let words = header.get(MAGIC.len()..).unwrap_or(&[]).as_chunks::<4>().0;
    let word = |index: usize| words.get(index).map_or(0, |word| u32::from_le_bytes(*word));
    // The checksum is before the version, so that a version can be believed. Every octet is looked at once: the
    // checksum of the whole follows from those of its parts.
    let mut whole = crc32(header.get(MAGIC.len() + 4..).unwrap_or(&[]));
    let mut ranges = [(0, 0); TABLES.len()];
    let mut end = HEADER_OCTETS;
    let words_before = |octets: usize| u32::try_from(octets / 4).ok();
    for (index, (range, table)) in ranges.iter_mut().zip(TABLES).enumerate() {
        let octets = word(3 + 2 * index) as usize;
        let start = end;
        end = end.checked_add(octets).ok_or(ArtifactError::Checksum { table: "header" })?;
        let Some((content, words)) = bytes.get(start..end).zip(words_before(start).zip(words_before(end))) else {
            // A header that tells its own length rightly is sound, so the file was cut.
            let sound = word(2) as usize > bytes.len();
            return Err(if sound {
                ArtifactError::Length { table }
            } else {
                ArtifactError::Checksum { table: "header" }
            });
        };
        let checksum = crc32(content);
        if checksum != word(4 + 2 * index) {
            return Err(ArtifactError::Checksum { table });
        }
        whole = joined(whole, checksum, octets);
        if !octets.is_multiple_of(4) {
            return Err(ArtifactError::Length { table });
        }
        *range = words;
    }
    let rest = bytes.get(end..).unwrap_or(&[]);
    let whole = joined(whole, crc32(rest), rest.len()) == word(0);
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
