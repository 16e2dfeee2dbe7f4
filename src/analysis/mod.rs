//! Questions asked of a policy: what it does with a request, and why.

pub mod cases;
pub mod explain;
pub mod lint;
pub use crate::trial::record;
