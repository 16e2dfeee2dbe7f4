//! `prefix-without-slash`: a prefix that does not end in a slash is replaced or taken off. It takes more than the
//! author means: `/s3` also takes `/s3-private`.
//!
//! Better: `location /s3/ { proxy NAME strip /s3; }`.

use super::visit::statements;
use crate::diagnostic::Diagnostic;
use crate::model::{Answer, LocationPaths, Policy, ProxyForm, StatementKind};

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    statements(policy, &mut |statement, context| {
        let StatementKind::Answer(Answer::Proxy { form, .. }) = &statement.kind else { return };
        let Some(location) = context.location else { return };
        let LocationPaths::Prefix { prefix, .. } = &location.paths else { return };
        let replaced = match form {
            ProxyForm::Strip(stripped) => stripped == prefix,
            ProxyForm::Base { .. } => true,
            ProxyForm::Raw | ProxyForm::Canonical | ProxyForm::Target(_) => false,
        };
        if replaced && prefix.last() != Some(&b'/') {
            let shown = String::from_utf8_lossy(prefix);
            let message = format!("`location {}` also takes `{shown}-private`", location.display);
            let help =
                format!("end the prefix in a slash: `location {shown}/`; `{shown}` itself is then redirected there");
            let warning = Diagnostic::warning("prefix-without-slash", location.span, message);
            found.push(warning.related(statement.span, "the prefix is replaced here").help(help));
        }
    });
    found
}
