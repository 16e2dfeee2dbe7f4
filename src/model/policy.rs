//! A policy as it is meant. Ids are indices into the vectors of [`Policy`]; the resolver makes them good.

use super::{Allowed, RequestRecord};
use crate::artifact::manifest::{PlanSource, Upstream};
use crate::diagnostic::Span;
use regex_syntax::hir::Hir;

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
    /// Of all services; those of one level in file order.
    pub locations: Vec<Location>,
    /// Names, sorted.
    pub meters: Vec<String>,
    /// In file order.
    pub tests: Vec<Test>,
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
    /// `redirects absolute`: nginx's form of a redirect to a path.
    pub absolute_redirects: bool,
    /// What a path that lacks only the final slash gets.
    pub slash_redirect: SlashRedirect,
    /// Who its callers are.
    pub plans: Option<PlanSourceId>,
    /// Statements that run before the location is chosen.
    pub statements: Vec<Statement>,
    /// Its outermost locations, in file order.
    pub locations: Vec<LocationId>,
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
    /// With `slash_redirect` said to be 301 (nginx's) only an unguarded one counts.
    pub proxies: bool,
    /// In order.
    pub statements: Vec<Statement>,
    /// In file order.
    pub nested: Vec<LocationId>,
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
    /// Its meaning. `Look::End` is `\z`, `Look::EndLF` is PCRE's `$` (the end, or before one final newline).
    /// None where it is not supported yet (look-around); a diagnostic has said so, and nothing is compiled.
    pub hir: Option<Hir>,
}

/// One statement, in the order in which it runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Statement {
    /// Its head.
    pub span: Span,
    /// What it does.
    pub kind: StatementKind,
}

/// What statements do.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum StatementKind {
    /// Its block runs if the guard holds.
    When {
        /// The guard.
        guard: Predicate,
        /// The block.
        body: Vec<Statement>,
    },
    /// Ends the walk.
    Answer(Answer),
    /// Changes the path, or answers with a redirect.
    Rewrite(Rewrite),
    /// Adds to what holds for the answer.
    Setting(Setting),
    /// 400 if the request has more than one line of this header (name in lower case).
    UniqueHeader(String),
}

/// What ends a walk.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Answer {
    /// `return CODE [TEXT]`
    Respond {
        /// The status.
        status: u16,
        /// The body; None: an empty one.
        text: Option<Template>,
    },
    /// `return 3xx URL`; `upgrade` comes as this too
    Redirect {
        /// 301, 302, 303, 307 or 308.
        status: u16,
        /// A path or a URL.
        url: Template,
    },
    /// `return 444`
    Close,
    /// `proxy`
    Proxy {
        /// Where to.
        upstream: UpstreamId,
        /// Which target is sent.
        form: ProxyForm,
    },
}

/// Which target `proxy` sends.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum ProxyForm {
    /// As it came; after a rewrite the new path, escaped as nginx does.
    Raw,
    /// The path decided on, escaped.
    Canonical,
    /// The raw target less this literal prefix (which does not end in a slash).
    Strip(Vec<u8>),
    /// `base` in place of the first `prefix_octets` of the path.
    Base {
        /// What the new path begins with.
        base: Vec<u8>,
        /// Length of the prefix (or exact path) of the location in which it is written.
        prefix_octets: usize,
    },
}

/// `rewrite REGEX TEMPLATE [FLAG]`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rewrite {
    /// What must match the path as it is then.
    pub pattern: Pattern,
    /// What replaces path and query. Where `flag` is not a redirect, each literal `?` of it is a [`Part::Args`].
    pub replacement: Template,
    /// Whether the query is kept, behind the new one; false where the replacement ended in `?` (which is cut).
    pub keeps_args: bool,
    /// What happens after a match. A replacement that begins with `http://`, `https://` or `$scheme` comes as
    /// `Redirect(302)` unless said otherwise.
    pub flag: RewriteFlag,
}

/// What happens after a rewrite that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "nginx has these")]
pub enum RewriteFlag {
    /// None: later rewrites go on with the new path, then comes a new lookup.
    Continue,
    /// `last`: a new lookup at once.
    Last,
    /// `break`: later rewrites of the walk are skipped.
    Break,
    /// `redirect` 302, `permanent` 301, `307`, `308`: an answer.
    Redirect(u16),
}

/// What holds for the answer once reached.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Setting {
    /// Methods that the location's own answer is for, sorted; GET has brought HEAD.
    Methods(Vec<String>),
    /// What becomes of a request body.
    Body(BodyPolicy),
    /// Edits of header fields; they add up.
    Header(HeaderEdit),
    /// The value of Strict-Transport-Security, sent where the scheme is https.
    Hsts(String),
    /// Counts.
    Meter {
        /// Which.
        meter: MeterId,
        /// Refusals too.
        always: bool,
    },
    /// Content-Type of a `return` with text.
    Type(Template),
}

/// `body forward|strip|reject [max=SIZE]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodyPolicy {
    /// What becomes of it.
    pub action: BodyAction,
    /// Octets beyond which the request is 413; None: no bound.
    pub octets_max: Option<u64>,
}

impl BodyPolicy {
    /// `action` up to `octets_max`.
    pub fn new(action: BodyAction, octets_max: Option<u64>) -> Self {
        Self { action, octets_max }
    }
}

/// What becomes of a request body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum BodyAction {
    /// Sent on as it comes.
    Forward,
    /// Read from the client and dropped.
    Strip,
    /// 400.
    Reject,
}

/// `set|add|drop request|response header`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HeaderEdit {
    /// Which head it changes.
    pub side: Side,
    /// The name as written; for `Drop` it may end in `*`.
    pub name: String,
    /// What is done.
    pub action: HeaderAction,
}

/// Which head an edit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum Side {
    /// Towards the upstream.
    Request,
    /// Towards the client.
    Response,
}

/// What an edit does.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum HeaderAction {
    /// Replaces all lines of the name by one; an empty value drops them.
    Set(Template),
    /// Adds a line; an empty value adds none.
    Add(Template),
    /// Drops all lines of the name.
    Drop,
}

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
    /// The `?` of a rewrite's replacement: what follows is the query (nginx: the last one counts, earlier
    /// text before it all belongs to the path).
    Args,
}

/// What `$...` stands for, with nginx's meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Variable {
    /// `$1`..`$9`: of the regex that matched last.
    Capture(u8),
    /// A named group of a regex of the policy: what it captured when a regex with it matched last.
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
    /// `$request_id`
    RequestId,
    /// `$plan`: the caller's plan, so that a lookup is needed where it is reached.
    Plan,
}

/// A condition on the request as it came.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Predicate {
    /// All hold.
    And(Vec<Self>),
    /// One holds.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The field satisfies the operator; an absent header, argument or cookie satisfies none.
    Field(Field, Operator),
    /// The caller has one of these plans (`plan any`: all of them).
    Plan(Vec<PlanId>),
}

/// What a predicate looks at. Every field is one string of bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Field {
    /// As sent. `method GET` has come as `in "GET" "HEAD"`.
    Method,
    /// `http` or `https`.
    Scheme,
    /// Lower case, without port and final dot. Literals compared with it are lower case.
    Host,
    /// Normalised, as the request came.
    Path,
    /// Name of the listener; absent where the request does not say.
    Listener,
    /// Whether there is a body: present or absent (an empty string if present).
    Body,
    /// The client's address; only [`Operator::Within`] asks for it.
    Client,
    /// All lines joined by `, ` (Cookie by `; `). The name is in lower case.
    Header(String),
    /// The first argument of this name (in lower case), undecoded; one without `=` is empty.
    Query(String),
    /// The first cookie of this name (in lower case), undecoded.
    Cookie(String),
}

/// What is asked of a field.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Operator {
    /// It is one of these.
    In(Vec<Vec<u8>>),
    /// It begins so.
    Prefix(Vec<u8>),
    /// The regex matches somewhere in it.
    Regex(Pattern),
    /// One member of the comma-separated list, blanks around it cut, is this.
    Has(Vec<u8>),
    /// It is there.
    Present,
    /// The address is in one of these networks.
    Within(Vec<Network>),
}

/// `10.0.0.0/8`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Network {
    /// Any address of it; an IPv4-mapped IPv6 address counts as IPv4.
    pub address: core::net::IpAddr,
    /// Bits that count.
    pub prefix_bits: u8,
}

impl Network {
    /// The network of the first `prefix_bits` of `address`.
    pub fn new(address: core::net::IpAddr, prefix_bits: u8) -> Self {
        Self { address, prefix_bits }
    }
}

/// `test "NAME" { ... }`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its head.
    pub span: Span,
    /// Its lines.
    pub cases: Vec<TestCase>,
}

/// One line of a test.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TestCase {
    /// The line.
    pub span: Span,
    /// The request, as `rulec decide` takes it.
    pub request: RequestRecord,
    /// What must come of it.
    pub expectation: Expectation,
}

/// What a line expects.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum Expectation {
    /// An answer of the gateway with this status and, where said, this text or Location.
    Status(u16, Option<String>),
    /// The connection is closed without an answer.
    Close,
    /// Sent to this upstream, with this target and these header lines where said.
    Proxy {
        /// Its name.
        upstream: String,
        /// The target sent.
        target: Option<String>,
        /// Lines that the sent head must hold.
        headers: Vec<(String, String)>,
    },
}
