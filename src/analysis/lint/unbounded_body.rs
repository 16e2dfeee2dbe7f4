//! `unbounded-body`: bodies of GET or DELETE requests are forwarded, however long. They have no defined meaning
//! (RFC 9110 section 9.3.5), and nobody expects them to be large.
//!
//! Better: `body forward max=64k;`.

use super::visit::statements;
use crate::diagnostic::Diagnostic;
use crate::model::{BodyAction, Policy, Setting, StatementKind};

/// Methods whose bodies have a meaning.
const WITH_BODY: [&str; 3] = ["PATCH", "POST", "PUT"];

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    statements(policy, &mut |statement, context| {
        let StatementKind::Setting(Setting::Body(body)) = &statement.kind else { return };
        if body.action == BodyAction::Forward && body.octets_max.is_none() && !context.is_only_for(&WITH_BODY) {
            let message = "a GET or DELETE with a body of any length is forwarded";
            let warning = Diagnostic::warning("unbounded-body", statement.span, message);
            found.push(warning.help("give it a bound: `body forward max=64k;`"));
        }
    });
    found
}
