//! Where nginx takes a directive: elsewhere it does not start.

use super::importer::Importer;
use super::tree::Directive;

/// A block that directives stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// `http`
    Http,
    /// `server`
    Server,
    /// `location`
    Location,
    /// `if` in a `server`
    ServerIf,
    /// `if` in a `location`
    LocationIf,
    /// `limit_except`
    Limit,
}

use Context::{Http, Limit, Location, LocationIf, Server, ServerIf};

impl Context {
    /// The context of the block of `name` within this one.
    fn inner(self, name: &str) -> Option<Self> {
        Some(match (name, self) {
            ("server", Http) => Server,
            ("location", _) => Location,
            ("if", Server) => ServerIf,
            ("if", _) => LocationIf,
            ("limit_except", _) => Limit,
            _ => return None,
        })
    }
}

const REWRITES: &[Context] = &[Server, ServerIf, Location, LocationIf];
const SETTINGS: &[Context] = &[Http, Server, Location];
const SETTINGS_AND_IF: &[Context] = &[Http, Server, Location, LocationIf];
const HANDLERS: &[Context] = &[Location, LocationIf, Limit];

/// Where directives that decide may stand; the others are not looked at.
const ALLOWED: &[(&str, &[Context])] = &[
    ("server", &[Http]),
    ("upstream", &[Http]),
    ("map", &[Http]),
    ("geo", &[Http]),
    ("listen", &[Server]),
    ("server_name", &[Server]),
    ("merge_slashes", &[Http, Server]),
    ("underscores_in_headers", &[Http, Server]),
    ("location", &[Server, Location]),
    ("if", &[Server, Location]),
    ("limit_except", &[Location]),
    ("internal", &[Location]),
    ("alias", &[Location]),
    ("try_files", &[Server, Location]),
    ("rewrite", REWRITES),
    ("return", REWRITES),
    ("set", REWRITES),
    ("break", REWRITES),
    ("proxy_pass", HANDLERS),
    ("fastcgi_pass", &[Location, LocationIf]),
    ("uwsgi_pass", &[Location, LocationIf]),
    ("scgi_pass", &[Location, LocationIf]),
    ("grpc_pass", &[Location, LocationIf]),
    ("memcached_pass", &[Location, LocationIf]),
    ("add_header", SETTINGS_AND_IF),
    ("expires", SETTINGS_AND_IF),
    ("error_page", SETTINGS_AND_IF),
    ("root", SETTINGS_AND_IF),
    ("proxy_set_header", SETTINGS),
    ("proxy_hide_header", SETTINGS),
    ("proxy_redirect", SETTINGS),
    ("client_max_body_size", SETTINGS),
    ("default_type", SETTINGS),
    ("index", SETTINGS),
    ("satisfy", SETTINGS),
    ("auth_request", SETTINGS),
    ("allow", &[Http, Server, Location, Limit]),
    ("deny", &[Http, Server, Location, Limit]),
    ("auth_basic", &[Http, Server, Location, Limit]),
];

impl<'p> Importer<'p> {
    /// Says which of `directives` stand where nginx does not take them.
    pub(super) fn check_contexts(&mut self, directives: &'p [Directive], context: Context) {
        for directive in directives {
            let name = directive.name();
            let allowed = ALLOWED.iter().find(|(own, _)| *own == name).map(|(_, allowed)| *allowed);
            if allowed.is_some_and(|allowed| !allowed.contains(&context)) {
                self.wrong(directive.span, format!("\"{name}\" directive is not allowed here"));
            }
            if let Some(inner) = context.inner(name) {
                self.check_contexts(directive.children(), inner);
            }
        }
    }
}
