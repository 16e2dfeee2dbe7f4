//! What a policy means: names resolved, types checked, defaults written out.

mod allowed;
mod load;
mod map;
mod policy;
mod predicate;
mod resolve;
pub mod semantics;
mod statement;
mod template;
mod test;

pub use crate::contract::cases::RequestRecord;
pub use crate::contract::verdict::*;
pub use allowed::Allowed;
pub use load::*;
pub(crate) use map::MapAnswer;
pub use map::{Map, MapCase, MapValue};
pub use policy::*;
pub use predicate::*;
pub use statement::*;
pub use template::*;
pub use test::*;
