//! A policy as it is meant. Ids are indices into the vectors of [`Policy`]; the resolver makes them good.

use super::{Allowed, Map, Statement, Template, Test};
use crate::contract::manifest::{Fact, PlanSource, Upstream};
use crate::diagnostic::Span;
use crate::regex::Meaning;
use std::collections::BTreeSet;

/// Index into [`Policy::services`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub u32);
/// Index into [`Policy::locations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocationId(pub u32);
/// Index into [`Policy::upstreams`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpstreamId(pub u32);
/// Index into [`Policy::plan_sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanSourceId(pub u32);
/// Index into [`PlanSource::plans`] of the service's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanId(pub u16);
/// Index into [`Policy::facts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(pub u32);
/// Index into [`Policy::maps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapId(pub u32);
/// Index into [`Policy::meters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterId(pub u32);

/// Everything that the `.rules` files say.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Policy {
    /// In file order.
    pub upstreams: Vec<Upstream>,
    /// In file order.
    pub plan_sources: Vec<PlanSource>,
    /// In file order.
    pub services: Vec<Service>,
    /// What only the host knows, in file order.
    pub facts: Vec<Fact>,
    /// In file order; a map uses only maps above it.
    pub maps: Vec<Map>,
    /// Of all services; those of one level in file order.
    pub locations: Vec<Location>,
    /// Names, sorted.
    pub meters: Vec<String>,
    /// In file order.
    pub tests: Vec<Test>,
    /// By upstream: the text whose hash picks the server, where it says `balance hash`.
    pub balance_keys: Vec<Option<Template>>,
    /// Heads of the upstreams, by index.
    pub upstream_spans: Vec<Span>,
    /// Heads of the plan sources, by index.
    pub plan_source_spans: Vec<Span>,
    /// What `allow` silences.
    pub allowed: Vec<Allowed>,
}

/// A set of hosts and what happens to requests for them.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the language")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its head.
    pub span: Span,
    /// Whether it takes hosts that no name takes.
    pub default: bool,
    /// Listeners it is reached through; empty: all.
    pub listeners: Vec<String>,
    /// What `server_name` says, `.example.org` written out.
    pub names: Vec<ServerName>,
    /// nginx's `merge_slashes`; on unless said otherwise.
    pub merge_slashes: bool,
    /// `paths strict`: targets that two hops may read differently are refused.
    pub strict_paths: bool,
    /// `paths strict params`: but for path parameters (`;x=1`), which are taken where no dot is beside them.
    pub path_parameters: bool,
    /// `redirects absolute`: nginx's form of a redirect to a path.
    pub absolute_redirects: bool,
    /// `underscores on`: header names with `_` are kept, and are the same as those with `-`.
    pub underscores: bool,
    /// Names of headers that it spells with other bytes than letters, digits and `-`, in their plain spelling: all
    /// spellings of these are kept.
    pub kept_names: BTreeSet<String>,
    /// What a path that lacks only the final slash gets.
    pub slash_redirect: SlashRedirect,
    /// Who its callers are.
    pub plans: Option<PlanSourceId>,
    /// Statements that run before the location is chosen.
    pub statements: Vec<Statement>,
    /// Its outermost locations, in file order.
    pub locations: Vec<LocationId>,
    /// Its named locations, in file order; of two of one name the first counts.
    pub named: Vec<LocationId>,
}

/// One name of a service. Literals are lower case, without a final dot.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerName {
    /// Where it stands.
    pub span: Span,
    /// What hosts it takes.
    pub kind: ServerNameKind,
}

/// nginx's four kinds of name.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "nginx has these four")]
pub enum ServerNameKind {
    /// `example.org`
    Exact(String),
    /// `*.example.org`, kept as `.example.org`
    Leading(String),
    /// `www.example.*`, kept as `www.example.`
    Trailing(String),
    /// `~^www\d+\.example\.org$`; matched against the lower-case host, ignoring case
    Regex(Pattern),
}

/// Status of a redirect to the path with its slash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum SlashRedirect {
    /// Unsaid: 301 for GET and HEAD, 308 for the rest.
    ByMethod,
    /// This one for every method.
    Always(u16),
    /// None: the path takes its chance like any other.
    Off,
}

/// A `location` with its statements.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Location {
    /// Its head.
    pub span: Span,
    /// The service it belongs to.
    pub service: ServiceId,
    /// The location it is nested in.
    pub parent: Option<LocationId>,
    /// What paths it takes.
    pub paths: LocationPaths,
    /// What `as` gives.
    pub name: Option<String>,
    /// Modifier and pattern as written, unescaped: `^~ /s3/`.
    pub display: String,
    /// Whether its own statements hold a `proxy`, guarded or not, so that a missing final slash is redirected.
    /// With `slash_redirect` said to be 301 (nginx's) only an unguarded one counts, with its own `slash_redirect on` or
    /// `off` it does not matter.
    pub proxies: bool,
    /// `internal`, its own or that of a location around it: requests as they came get 404.
    pub is_internal: bool,
    /// In order.
    pub statements: Vec<Statement>,
    /// In file order.
    pub nested: Vec<LocationId>,
}

impl Location {
    /// Whether it is exact or a prefix and ends in a slash, which a path may lack.
    pub fn takes_slash(&self) -> bool {
        match &self.paths {
            LocationPaths::Exact(path) | LocationPaths::Prefix { prefix: path, .. } => path.ends_with(b"/"),
            LocationPaths::Regex(_) | LocationPaths::Named => false,
        }
    }
}

/// nginx's kinds of location.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "nginx has these")]
pub enum LocationPaths {
    /// `=`
    Exact(Vec<u8>),
    /// plain, or `^~`
    Prefix {
        /// What the path begins with.
        prefix: Vec<u8>,
        /// `^~`: regexes of its level are not tried when it is the longest.
        stops_regex: bool,
    },
    /// `~` or `~*`
    Regex(Pattern),
    /// `@name`: no path; reached by `goto` and `error_page`.
    Named,
}

/// A regular expression as nginx users write it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Pattern {
    /// As written, unescaped.
    pub source: String,
    /// `~*`
    pub caseless: bool,
    /// Where it stands.
    pub span: Span,
    /// Names of the groups 1.., None for those without.
    pub groups: Vec<Option<String>>,
    /// What it matches. None where it has a mistake; a diagnostic has said so, and nothing is compiled.
    pub meaning: Option<Meaning>,
}
