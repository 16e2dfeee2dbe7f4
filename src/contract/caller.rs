//! Who calls, as far as plans are concerned.

/// Who calls, once the credential of a request was looked up: a guard on `plan` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum Caller {
    /// A caller with this plan (its index in the service's plan source).
    Plan(u16),
    /// The request brought no credential: refused as `plan.missing` where a guard asks for the plan.
    Missing,
    /// Nobody knows the credential: `plan.unknown`.
    Unknown,
    /// The lookup failed, so that nobody can say: `plan.failed`.
    Failed,
}
