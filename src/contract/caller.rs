//! Who calls, as far as plans are concerned.

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum Caller {
    /// A caller with this plan (its index in the service's plan source).
    Plan(u16),
    /// No credential was sent.
    Missing,
    /// Nobody knows the credential.
    Unknown,
    /// The lookup failed.
    Failed,
}
