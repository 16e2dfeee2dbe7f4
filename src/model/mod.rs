//! What a policy means: names resolved, types checked, defaults written out.

mod policy;
mod verdict;

pub use policy::*;
pub use verdict::*;
