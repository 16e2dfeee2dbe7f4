//! The tables of a compiled policy: their layout, and what is checked of them before anything is decided.

mod check;
mod check_guards;
mod check_searches;
#[doc(hidden)]
pub mod checksum;
#[doc(hidden)]
pub mod format;
#[doc(hidden)]
pub mod header_hash;
mod lost;
mod read;
mod tables;

#[doc(hidden)]
pub use lost::Lost;
pub use read::{Artifact, ArtifactError};
#[doc(hidden)]
pub use tables::{Cells, OctetSets, Strings, Table, Tables};
