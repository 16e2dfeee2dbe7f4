//! Tables and bytes: what the compiler writes and the matcher reads.

#[cfg(any(feature = "compiler", feature = "proxy"))]
pub mod manifest;
