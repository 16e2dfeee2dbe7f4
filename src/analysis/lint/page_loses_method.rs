//! `page-loses-method`: an `error_page` at a path, where a request may be something else than GET and HEAD. nginx asks for
//! such a page with GET: a POST that fails becomes a GET, and what answers there never sees that it was none.
//!
//! Better: a named location, `error_page 404 @missing;`, which keeps the method; or `method GET { error_page ...; }`, or
//! `methods GET;`.

use super::visit::statements;
use crate::diagnostic::Diagnostic;
use crate::model::{Destination, Part, Policy, Setting, StatementKind};

const SAFE: [&str; 2] = ["GET", "HEAD"];

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    statements(policy, &mut |statement, context| {
        let StatementKind::Setting(Setting::ErrorPage(page)) = &statement.kind else { return };
        let Destination::Uri(uri) = &page.to else { return };
        let is_path = matches!(uri.parts.first(), Some(Part::Literal(text)) if text.starts_with(b"/"));
        if !is_path || context.is_only_for(&SAFE) || context.allows_only(policy, &SAFE) {
            return;
        }
        // One `error_page` of several codes is several settings.
        if found.last().is_some_and(|last| last.place.span == statement.span) {
            return;
        }
        let message = "a page at a path is asked for with GET: a POST that fails becomes a GET here";
        let help =
            "write a named location, which keeps the method: `error_page CODE @NAME;` and `location @NAME { ... }`";
        found.push(Diagnostic::warning("page-loses-method", statement.span, message).help(help));
    });
    found
}
