//! Decides what a gateway does with a request.
//!
//! `.rules` text is compiled (feature `compiler`) to an artifact of tables; [`matcher`] decides requests from those
//! tables alone, and is a crate of its own; the proxy (feature `proxy`) carries the decisions out.
#![forbid(unsafe_code)]

pub mod artifact;
pub use rulec_contract as contract;
pub use rulec_matcher as matcher;

#[cfg(feature = "compiler")]
pub mod analysis;
#[cfg(feature = "compiler")]
pub mod automaton;
#[cfg(feature = "compiler")]
pub mod diagnostic;
#[cfg(feature = "compiler")]
pub mod diagram;
#[cfg(feature = "compiler")]
pub mod import;
#[cfg(feature = "compiler")]
pub mod model;
#[cfg(feature = "compiler")]
pub mod regex;
#[cfg(feature = "compiler")]
pub mod syntax;

#[cfg(feature = "proxy")]
pub mod proxy;
#[cfg(any(feature = "compiler", feature = "proxy"))]
pub mod trial;
#[cfg(any(feature = "compiler", feature = "proxy"))]
pub mod visible;
