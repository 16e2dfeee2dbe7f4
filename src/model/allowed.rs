//! Warnings that the author has seen and allows.

use super::Policy;
use crate::diagnostic::{Diagnostic, Span};
use core::cmp::Reverse;
use std::collections::BTreeMap;

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
        let silences = Silences::new(&self.allowed);
        warnings.retain(|warning| !silences.cover(warning));
        warnings.sort_by_key(|warning| (warning.place.span, warning.code));
        warnings
    }
}

/// By warning: the outermost blocks in which it is silent, in their order. Blocks nest or are apart.
struct Silences<'a>(BTreeMap<&'a str, Vec<Span>>);

impl<'a> Silences<'a> {
    fn new(allowed: &'a [Allowed]) -> Self {
        let mut all: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
        for Allowed { warning, within } in allowed {
            all.entry(warning).or_default().push(*within);
        }
        for blocks in all.values_mut() {
            blocks.sort_unstable_by_key(|block| (block.file, block.start, Reverse(block.end)));
            // The first of two that nest is the outer one.
            blocks.dedup_by(|inner, outer| holds(outer, *inner));
        }
        Self(all)
    }

    fn cover(&self, warning: &Diagnostic) -> bool {
        let span = warning.place.span;
        let blocks = self.0.get(warning.code).map_or(&[][..], Vec::as_slice);
        let behind = blocks.partition_point(|block| (block.file, block.start) <= (span.file, span.start));
        behind.checked_sub(1).and_then(|last| blocks.get(last)).is_some_and(|block| holds(block, span))
    }
}

fn holds(block: &Span, inner: Span) -> bool {
    block.file == inner.file && block.start <= inner.start && inner.end <= block.end
}
