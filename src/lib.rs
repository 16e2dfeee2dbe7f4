//! Decides what a gateway does with a request.
//!
//! `.rules` text is compiled (feature `compiler`) to an artifact of tables; [`matcher`] decides requests from those
//! tables alone; the proxy (feature `proxy`) carries the decisions out. With neither feature what is left is
//! [`artifact`] and [`matcher`]: `no_std`, no allocation, no dependency.
#![forbid(unsafe_code)]
#![cfg_attr(not(any(feature = "compiler", feature = "proxy")), no_std)]

pub mod artifact;
pub mod matcher;

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
pub mod syntax;

#[cfg(feature = "proxy")]
pub mod proxy;
#[cfg(any(feature = "compiler", feature = "proxy"))]
pub mod trial;
#[cfg(any(feature = "compiler", feature = "proxy"))]
pub mod visible;
