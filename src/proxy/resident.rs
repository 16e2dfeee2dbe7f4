//! The octets of an artifact in memory, on huge pages where they are many.
//!
//! A decision jumps about in its tables, and the kernel's work between two of them clears what the processor knew of
//! their addresses. With pages of 2 MiB instead of 4 KiB a jump finds its address again at once (Linux:
//! `Documentation/admin-guide/mm/transhuge.rst`).

use memmap2::{Mmap, MmapMut};
use std::io;

/// Octets of a huge page on x86-64, and on most 64-bit Arm systems.
const HUGE_PAGE: usize = 2 << 20;

/// Fewer octets stay where they are: most of a huge page would be empty.
const MANY: usize = HUGE_PAGE / 2;

/// Octets that are only read.
#[derive(Debug)]
pub(super) enum Resident {
    Few(Vec<u8>),
    /// The octets start at `start` and are `octets`.
    Many {
        pages: Mmap,
        start: usize,
        octets: usize,
    },
}

impl Resident {
    /// Holds `bytes`; those that are many are copied once. Where the kernel has no huge pages, they are on its usual ones.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        if bytes.len() < MANY {
            return Self::Few(bytes);
        }
        Self::on_huge_pages(&bytes).unwrap_or(Self::Few(bytes))
    }

    fn on_huge_pages(bytes: &[u8]) -> io::Result<Self> {
        // Pages that are never touched take no memory.
        let mut pages = MmapMut::map_anon(bytes.len().next_multiple_of(HUGE_PAGE) + HUGE_PAGE)?;
        // Advice that is not taken is no failure.
        #[cfg(target_os = "linux")]
        drop(pages.advise(memmap2::Advice::HugePage));
        let start = pages.as_ptr().align_offset(HUGE_PAGE);
        let octets = bytes.len();
        let place = start.checked_add(octets).and_then(|end| pages.get_mut(start..end));
        place.ok_or(io::ErrorKind::OutOfMemory)?.copy_from_slice(bytes);
        Ok(Self::Many { pages: pages.make_read_only()?, start, octets })
    }
}

impl AsRef<[u8]> for Resident {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Few(bytes) => bytes,
            Self::Many { pages, start, octets } => pages.get(*start..start + octets).unwrap_or(&[]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_the_same_wherever_they_are() {
        for octets in [0, 1, MANY - 1, MANY, MANY + 1, HUGE_PAGE, 2 * HUGE_PAGE + 1] {
            let bytes: Vec<u8> = (0..=250).cycle().take(octets).collect();
            let resident = Resident::new(bytes.clone());
            assert!(resident.as_ref() == bytes, "{octets}");
            assert_eq!(matches!(resident, Resident::Many { .. }), octets >= MANY, "{octets}");
        }
    }

    #[test]
    fn many_octets_start_with_a_huge_page() {
        let resident = Resident::new(vec![0; 3 * HUGE_PAGE]);
        assert_eq!(resident.as_ref().as_ptr().align_offset(HUGE_PAGE), 0);
    }
}
