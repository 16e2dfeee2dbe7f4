//! `unused-upstream`: no rule sends anything there.
//!
//! Better: take it out, or look for the `proxy` that should name it.

use super::visit::statements;
use crate::diagnostic::Diagnostic;
use crate::model::{Answer, Policy, StatementKind};
use std::collections::BTreeSet;

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut used = BTreeSet::new();
    statements(policy, &mut |statement, _| {
        if let StatementKind::Answer(Answer::Proxy { upstream, .. }) = &statement.kind {
            used.insert(upstream.0);
        }
    });
    let all = (0u32..).zip(policy.upstreams.iter().zip(&policy.upstream_spans));
    all.filter(|(index, _)| !used.contains(index))
        .map(|(_, (upstream, span))| {
            let message = format!("no rule sends anything to upstream `{}`", upstream.name);
            Diagnostic::warning("unused-upstream", *span, message).help("take it out, or name it in a `proxy`")
        })
        .collect()
}
