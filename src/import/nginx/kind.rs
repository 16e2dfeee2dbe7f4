//! Kinds of settings, and when what a level says of one stands in place of what it inherits.

use super::level::Level;
use super::proxy::default_redirect;

/// Settings of which a level replaces all that it inherits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `error_page`
    ErrorPages,
    /// Fields of requests, of whichever module that passes them on.
    RequestHeaders,
    /// `add_header`, `expires` and what hides fields of upstreams, which the rules drop together.
    ResponseHeaders,
    /// `proxy_redirect`, also where it is unsaid.
    Redirects,
    /// `client_max_body_size`
    Body,
}

/// All of them, in the order in which they are written.
pub(super) const KINDS: [Kind; 5] =
    [Kind::ErrorPages, Kind::RequestHeaders, Kind::ResponseHeaders, Kind::Redirects, Kind::Body];

impl Kind {
    /// Its directives that take fields away, and so have to stand before those that put some there.
    fn takers(self) -> &'static [&'static str] {
        match self {
            Self::RequestHeaders => &["proxy_pass_request_headers"],
            Self::ResponseHeaders => &["proxy_pass_header", "proxy_hide_header"],
            _ => &[],
        }
    }

    fn others(self) -> &'static [&'static str] {
        match self {
            Self::ErrorPages => &["error_page"],
            Self::RequestHeaders => &[
                "proxy_set_header",
                "grpc_set_header",
                "fastcgi_param",
                "uwsgi_param",
                "scgi_param",
                "more_set_input_headers",
                "more_clear_input_headers",
            ],
            Self::ResponseHeaders => &["expires", "add_header"],
            Self::Redirects => &["proxy_redirect"],
            Self::Body => &["client_max_body_size"],
        }
    }

    /// Its directives, in the order in which they count.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        self.takers().iter().chain(self.others()).copied()
    }

    /// What takes back all that a level inherits of it.
    pub(super) fn forget(self) -> Option<&'static str> {
        match self {
            Self::RequestHeaders => Some("forget request headers"),
            Self::ResponseHeaders => Some("forget response headers"),
            Self::ErrorPages => Some("forget error_pages"),
            Self::Redirects => Some("proxy_redirect off"),
            Self::Body => None,
        }
    }

    /// Whether `level` says something of it.
    pub(super) fn is_own(self, level: &Level<'_>) -> bool {
        (self == Self::Redirects && unsaid_redirect(level).is_some())
            || self.names().any(|name| !level.own(name).is_empty())
    }

    /// Whether what `level` says of it stands in place of something that it inherits.
    pub(super) fn replaces(self, level: &Level<'_>) -> bool {
        let is_own = |name: &&str| !level.own(name).is_empty();
        let is_inherited = |name: &&str| !level.inherited(name).is_empty();
        let takes = self.takers().iter().any(is_own);
        let shows = !level.own("proxy_pass_header").is_empty() && self == Self::ResponseHeaders;
        let same = self.names().any(|name| is_own(&name) && is_inherited(&name));
        let any = self.names().any(|name| is_inherited(&name));
        same || shows || (takes && any) || (self == Self::Redirects && inherits_redirect(level))
    }
}

/// nginx's default for the `proxy_pass` of `level`, if no level says otherwise: those within take it over.
pub(super) fn unsaid_redirect(level: &Level<'_>) -> Option<(String, String)> {
    let is_said = !level.effective("proxy_redirect").is_empty() || has_default_around(level);
    if is_said { None } else { default_redirect(level) }
}

/// Whether `level` inherits a `proxy_redirect` that nobody wrote.
fn inherits_redirect(level: &Level<'_>) -> bool {
    level.inherited("proxy_redirect").is_empty() && has_default_around(level)
}

fn has_default_around(level: &Level<'_>) -> bool {
    level.outer.as_ref().is_some_and(|outer| default_redirect(outer).is_some() || has_default_around(outer))
}
