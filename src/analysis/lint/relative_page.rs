//! `relative-page`: the target of an `error_page` is neither a named location nor a path nor a URL. nginx takes such a
//! word for a URL and redirects the client there: to `404.html` beside whatever was asked for.
//!
//! Better: `/404.html`, if the page itself is meant.

use super::visit::statements;
use crate::diagnostic::Diagnostic;
use crate::model::{Destination, Part, Policy, Setting, StatementKind};

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    statements(policy, &mut |statement, _| {
        let StatementKind::Setting(Setting::ErrorPage(page)) = &statement.kind else { return };
        let Destination::Uri(uri) = &page.to else { return };
        let Some(Part::Literal(text)) = uri.parts.first() else { return };
        let is_url = text.windows(3).any(|three| three == b"://");
        let is_said = found.last().is_some_and(|last| last.place.span == statement.span);
        if text.starts_with(b"/") || is_url || is_said {
            return;
        }
        let text = String::from_utf8_lossy(text);
        let message = format!("the client is redirected to `{text}`, beside the path that it asked for");
        let help = format!("if the page itself is meant, write `/{text}`");
        found.push(Diagnostic::warning("relative-page", statement.span, message).help(help));
    });
    found
}
