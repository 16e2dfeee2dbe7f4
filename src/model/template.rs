//! Text with variables.

use super::MapId;

/// Text with variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Template {
    /// In order.
    pub parts: Vec<Part>,
}

impl Template {
    /// The text of `parts` one after the other.
    pub fn new(parts: Vec<Part>) -> Self {
        Self { parts }
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Part {
    /// Itself.
    Literal(Vec<u8>),
    /// What it stands for at the time.
    Variable(Variable),
    /// The first `?` of a rewrite's replacement: what follows is the query.
    Args,
}

/// What `$...` stands for, with nginx's meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Variable {
    /// `$1`..`$9`: of the regex that matched last.
    Capture(u8),
    /// A named group of a regex of the policy, or what `set` names: what it got last.
    Named(String),
    /// `$uri`: the path as it is now, decoded.
    Uri,
    /// `$request_uri`: the target as it came, without scheme and host.
    RequestUri,
    /// `$args`: the query as it is now.
    Args,
    /// `$is_args`: `?` if there is a query.
    IsArgs,
    /// `$arg_NAME`
    Arg(String),
    /// `$host`: lower case, without port and final dot.
    Host,
    /// `$http_NAME`: lower case, with `-` for `_`; the header's lines joined by `, ` (Cookie by `; `).
    Http(String),
    /// `$cookie_NAME`
    Cookie(String),
    /// `$scheme`
    Scheme,
    /// `$request_method`
    RequestMethod,
    /// `$remote_addr`
    RemoteAddr,
    /// `$proxy_add_x_forwarded_for`: X-Forwarded-For, if it was sent, and the client's address behind it.
    ProxyAddXForwardedFor,
    /// A `map`: the value of its first case that holds.
    Map(MapId),
    /// `$request_id`
    RequestId,
    /// `$plan`: the caller's plan, so that a lookup is needed where it is reached.
    Plan,
}
