//! A request put to a compiled policy, and what came of it in words: `rulec decide`, the lines of `test` blocks, and the
//! self-test that a proxy makes before it serves a policy.

pub mod case;
pub mod record;
