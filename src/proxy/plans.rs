//! Who calls: where a credential is looked up.

use core::fmt;
use std::sync::Arc;

/// Looks credentials up.
pub trait PlanSource: fmt::Debug + Send + Sync {
    /// Whose credential this is. Called once a request at most, and only where the outcome depends on it.
    fn lookup(&self, credential: &[u8]) -> Lookup;
}

/// What a lookup found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum Lookup {
    /// A caller.
    Known {
        /// The name of the plan.
        plan: Arc<str>,
        /// The name of the caller, where it has one.
        caller: Option<Arc<str>>,
    },
    /// Nobody has this credential.
    Unknown,
    /// It could not be looked up.
    Failed,
}
