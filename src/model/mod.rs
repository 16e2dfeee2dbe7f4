//! What a policy means: names resolved, types checked, defaults written out.

mod allowed;
mod load;
pub mod pattern;
mod policy;
mod resolve;
pub mod semantics;
mod verdict;

pub use allowed::Allowed;
pub use load::*;
pub use policy::*;
pub use verdict::*;
