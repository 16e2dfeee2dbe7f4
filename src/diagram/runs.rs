//! Runs of classes: two lists side by side, and neighbours put together.

use super::{ClassRun, NodeId};

/// `runs` with neighbours that lead to the same put together.
pub(super) fn joined(runs: impl IntoIterator<Item = ClassRun>) -> Vec<ClassRun> {
    let mut joined: Vec<ClassRun> = Vec::new();
    for run in runs {
        if joined.last().is_none_or(|last| last.child != run.child) {
            joined.push(run);
        }
    }
    joined
}

/// For each stretch of classes in which neither list changes: its first class, and the child of each list.
pub(super) fn side_by_side<'r>(
    one: &'r [ClassRun],
    other: &'r [ClassRun],
) -> impl Iterator<Item = (u32, NodeId, NodeId)> + 'r {
    let (mut one, mut other) = (one, other);
    core::iter::from_fn(move || {
        let ([a, one_rest @ ..], [b, other_rest @ ..]) = (one, other) else { return None };
        let first = a.first.max(b.first);
        let end = |rest: &[ClassRun]| rest.first().map(|run| run.first);
        match (end(one_rest), end(other_rest)) {
            (Some(a_end), Some(b_end)) => {
                if a_end <= b_end {
                    one = one_rest;
                }
                if b_end <= a_end {
                    other = other_rest;
                }
            }
            (Some(_), None) => one = one_rest,
            (None, Some(_)) => other = other_rest,
            (None, None) => (one, other) = (&[], &[]),
        }
        Some((first, a.child, b.child))
    })
}
