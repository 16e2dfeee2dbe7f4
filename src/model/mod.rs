//! What a policy means: names resolved, types checked, defaults written out.

mod allowed;
mod policy;
pub mod semantics;
mod verdict;

pub use allowed::Allowed;
pub use policy::*;
pub use verdict::*;
