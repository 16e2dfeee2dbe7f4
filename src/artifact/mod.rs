//! Tables and bytes: what the compiler writes and the matcher reads.

#[cfg(any(feature = "compiler", feature = "proxy"))]
mod agreement;
#[cfg(any(feature = "compiler", feature = "proxy"))]
pub mod cases;
mod check;
mod check_guards;
mod check_searches;
mod checksum;
#[cfg_attr(not(feature = "compiler"), expect(dead_code, reason = "the writer needs more of it than the reader"))]
pub(crate) mod format;
pub(crate) mod header_hash;
mod lost;
#[cfg(any(feature = "compiler", feature = "proxy"))]
pub mod manifest;
mod read;
mod tables;

#[cfg(any(feature = "compiler", feature = "proxy"))]
pub use agreement::ManifestError;
pub(crate) use lost::Lost;
pub use read::{Artifact, ArtifactError};
pub(crate) use tables::{Cells, Table, Tables};

#[cfg(feature = "compiler")]
mod compile;
#[cfg(feature = "compiler")]
mod write;

#[cfg(feature = "compiler")]
pub use compile::{Compiled, Stats, compile};
