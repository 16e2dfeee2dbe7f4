//! What two members of the workspace exchange, and no decision: why a request is refused, who calls, which names
//! of header fields are one, limits of the language; with the feature `std` what stands in files: the manifest of an artifact, requests and verdicts in words.
//!
//! It knows no other member, so that the meaning of a policy, its tables and its proxy agree without knowing each other.
#![forbid(unsafe_code)]
#![cfg_attr(not(any(test, feature = "std")), no_std)]

mod caller;
#[cfg(feature = "std")]
pub mod cases;
pub mod field_name;
mod limits;
#[cfg(feature = "std")]
pub mod manifest;
mod refusal;
mod status;
#[cfg(feature = "std")]
pub mod verdict;

pub use caller::Caller;
pub use limits::DECISION_OCTETS_MAX;
pub use refusal::Refusal;
pub use status::is_success;
