//! `lossy-redirect`: a 301 or 302 answers a request other than GET and HEAD. Clients may send a GET instead and drop
//! the body (RFC 9110 sections 15.4.2, 15.4.3).
//!
//! Better: 308 for 301 and 307 for 302, or `methods GET;`, or `method GET { return 301 ...; }`.

use super::visit::statements;
use crate::diagnostic::Diagnostic;
use crate::model::{Answer, Policy, RewriteFlag, StatementKind};

const SAFE: [&str; 2] = ["GET", "HEAD"];

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    statements(policy, &mut |statement, context| {
        let status = match &statement.kind {
            StatementKind::Answer(Answer::Redirect { status, .. }) => *status,
            StatementKind::Rewrite(rewrite) => match rewrite.flag {
                RewriteFlag::Redirect(status) => status,
                _ => return,
            },
            _ => return,
        };
        let better = match status {
            301 => 308,
            302 => 307,
            _ => return,
        };
        if context.is_only_for(&SAFE) || context.allows_only(policy, &SAFE) {
            return;
        }
        let message = format!("a POST that is answered {status} may come back as a GET without its body");
        let help =
            format!("say {better}, which keeps method and body, or answer so for GET only: `method GET {{ ... }}`");
        found.push(Diagnostic::warning("lossy-redirect", statement.span, message).help(help));
    });
    found
}
