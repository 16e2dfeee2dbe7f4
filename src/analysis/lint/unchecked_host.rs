//! `unchecked-host`: a redirect leads to the host that the client names, in a service that takes hosts nobody listed.
//! Whoever can make a browser send another Host can lead it elsewhere.
//!
//! Better: write the host, or list the service's names.

use super::visit::statements;
use crate::diagnostic::Diagnostic;
use crate::model::{Answer, Part, Policy, RewriteFlag, ServerNameKind, Service, StatementKind, Template, Variable};

pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    statements(policy, &mut |statement, context| {
        let url = match &statement.kind {
            StatementKind::Answer(Answer::Redirect { url, .. }) => url,
            StatementKind::Rewrite(rewrite) if matches!(rewrite.flag, RewriteFlag::Redirect(_)) => &rewrite.replacement,
            _ => return,
        };
        if names_host(url) && takes_any_host(context.service) && !context.is_only_for_some_hosts() {
            let message = format!("service `{}` redirects to whatever host the client names", context.service.name);
            let help = "write the host in place of `$host`, or give the service exact or `*.` names only";
            found.push(Diagnostic::warning("unchecked-host", statement.span, message).help(help));
        }
    });
    found
}

/// Whether the host of the URL is the client's.
fn names_host(url: &Template) -> bool {
    let is_host = |part: &Part| match part {
        Part::Variable(Variable::Host) => true,
        Part::Variable(Variable::Http(name)) => name == "host",
        _ => false,
    };
    url.parts.iter().any(is_host)
}

fn takes_any_host(service: &Service) -> bool {
    let is_open = |kind: &ServerNameKind| matches!(kind, ServerNameKind::Trailing(_) | ServerNameKind::Regex(_));
    service.default || service.names.iter().any(|name| is_open(&name.kind))
}
