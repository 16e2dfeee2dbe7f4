//! An artifact beyond its tables: its manifest, the test blocks that go with it, and how it is written.

#[cfg(any(feature = "compiler", feature = "proxy"))]
mod agreement;

#[cfg(any(feature = "compiler", feature = "proxy"))]
pub use agreement::{ManifestError, manifest_of};
pub use rulec_matcher::artifact::{Artifact, ArtifactError};
#[cfg(any(feature = "compiler", feature = "proxy"))]
pub(crate) use rulec_matcher::internal::{Lost, Tables, format};
#[cfg(feature = "compiler")]
pub(crate) use rulec_matcher::internal::{checksum, header_hash};

#[cfg(feature = "compiler")]
mod compile;
#[cfg(feature = "compiler")]
mod write;

#[cfg(feature = "compiler")]
pub use compile::{Compiled, Stats, compile};
