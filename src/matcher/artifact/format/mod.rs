//! The layout of an artifact: what both its writer and its reader must agree on.
//!
//! ```text
//! magic, 8 octets | CRC-32 of all that follows | format version | length of the file | (length, CRC-32) of each table | tables
//! ```
//!
//! Numbers are 32 bits, little-endian. Tables stand one after the other in the order of [`TABLES`], each padded with
//! zeros to a multiple of four octets.

mod cell;
mod kinds;
mod records;

pub use cell::*;
pub use kinds::*;
pub use records::*;

/// How every artifact begins. The line ends show a transfer that changed them.
pub const MAGIC: [u8; 8] = *b"RULEC\r\n\x1a";

/// Raised with every change of the layout. Readers take exactly this one.
pub const VERSION: u32 = 9;

/// Index 0 and up: no such thing.
pub const NONE: u32 = u32::MAX;

/// Names of the tables, in order.
pub const TABLES: [&str; 41] = [
    "policy",
    "header_slots",
    "header_names",
    "bytes",
    "strings",
    "automata",
    "byte_classes",
    "transitions",
    "variables",
    "slots",
    "addresses",
    "nodes",
    "children",
    "hosts",
    "host_ranks",
    "services",
    "kept_names",
    "cells",
    "octet_sets",
    "filter_bits",
    "outputs",
    "scans",
    "filters",
    "searches",
    "regex_locations",
    "lookups",
    "outcomes",
    "eligible",
    "locations",
    "operations",
    "templates",
    "parts",
    "programs",
    "instructions",
    "named_groups",
    "looks",
    "plans",
    "maps",
    "map_cases",
    "balance_keys",
    "manifest",
];

/// In `eligible`: the search of the outermost level of the lookup.
pub const ROOT_SEARCH: u32 = NONE - 1;

/// Scans of one search that may be found several times on one text, and are started once: a matcher keeps two bits of
/// each.
pub const REPEATING_MAX: u32 = 4096;

/// Instructions of a program that is simulated: a matcher keeps two lists of them.
pub const SIMULATED_MAX: usize = 1024;

/// Fields (more exactly: classifiers) that the guards of one policy may read: a matcher keeps a class for each.
pub const VARIABLES_MAX: usize = 512;

/// Classes of one variable: a matcher keeps them in 16 bits, of which the highest number means that it is not known yet.
pub const CLASSES_MAX: usize = 65_535;

/// Headers that the rules of one policy may read: a matcher keeps the place of each.
pub const HEADERS_MAX: usize = 512;

/// Named groups and variables of one policy: a matcher keeps the text of each.
pub const CAPTURES_MAX: usize = 64;

/// Look-around of one regex whose groups are taken: a matcher keeps a bit of each for every position.
pub const LOOKS_MAX: usize = 8;

/// Octets before the first table.
pub const HEADER_OCTETS: usize = 8 + 4 * 3 + TABLES.len() * 8;
