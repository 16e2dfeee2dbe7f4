//! Grammar nodes to the tree. What the grammar cannot say is checked here.

mod parts;
mod predicate;
mod statement;
mod test;
mod top;

pub(super) use statement::statement;
pub(super) use test::test_case;
pub(super) use top::{item, map_case, plans_option, upstream_option};
