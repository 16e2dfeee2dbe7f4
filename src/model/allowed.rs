//! Warnings that the author has seen and allows.

use super::Policy;
use crate::diagnostic::{Diagnostic, Span};

/// `allow WARNING;`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Allowed {
    /// The name of the warning.
    pub warning: String,
    /// The block in which it is silent; of a top-level `allow` the whole file.
    pub within: Span,
}

impl Allowed {
    /// Silences `warning` within `within`.
    pub fn new(warning: String, within: Span) -> Self {
        Self { warning, within }
    }
}

impl Policy {
    /// `warnings` less those that are allowed at their place, in the order of their places.
    pub fn unsilenced(&self, mut warnings: Vec<Diagnostic>) -> Vec<Diagnostic> {
        warnings.retain(|warning| !self.allowed.iter().any(|allowed| allowed.silences(warning)));
        warnings.sort_by_key(|warning| (warning.place.span, warning.code));
        warnings
    }
}

impl Allowed {
    fn silences(&self, warning: &Diagnostic) -> bool {
        let (span, within) = (warning.place.span, self.within);
        let is_inside = within.file == span.file && within.start <= span.start && span.end <= within.end;
        self.warning == warning.code && is_inside
    }
}
