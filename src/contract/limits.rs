//! Limits of the language: they hold for its definition and for the matcher alike.

/// Octets of all paths, targets and values that one decision makes. A request head of 16 KiB, rewritten a few times
/// and with its headers edited, fits.
pub const DECISION_OCTETS_MAX: usize = 64 * 1024;
