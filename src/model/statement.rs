//! What statements do.

use super::{Field, LocationId, MeterId, Part, Pattern, Predicate, Template, UpstreamId, Variable};
use crate::diagnostic::Span;

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
        /// `match`: the guard is one regex on one field, and `$1`.. are its groups from now on, empty if it does not
        /// match.
        takes_groups: bool,
        /// The block.
        body: Vec<Statement>,
    },
    /// `unless break`: its block is skipped after a `break` of this walk.
    UnlessBreak(Vec<Statement>),
    /// `break`: later rewrites of the walk are skipped, and no new lookup is due.
    Break,
    /// `set $NAME`: keeps the text as it is now; over new lookups too.
    Set {
        /// Without the `$`.
        name: String,
        /// The text.
        value: Template,
    },
    /// `set $args`: the query is this from now on.
    SetArgs(Template),
    /// Ends the walk.
    Answer(Answer),
    /// Changes the path, or answers with a redirect.
    Rewrite(Rewrite),
    /// Adds to what holds for the answer.
    Setting(Setting),
    /// `unique`: 400 if the request has more than one line of this header; or an argument or a cookie that an upstream
    /// may read twice, or otherwise than the rules do.
    Unique(Field),
}

impl Statement {
    /// The statements of its block, if it has one.
    pub fn block(&self) -> Option<&[Self]> {
        match &self.kind {
            StatementKind::When { body, .. } | StatementKind::UnlessBreak(body) => Some(body),
            _ => None,
        }
    }

    /// The templates that it uses itself.
    pub fn templates(&self) -> Vec<&Template> {
        match &self.kind {
            StatementKind::Answer(Answer::Respond { text, .. }) => text.iter().collect(),
            StatementKind::Answer(Answer::Redirect { url, .. }) => vec![url],
            StatementKind::Answer(Answer::Goto(Destination::Uri(uri)))
            | StatementKind::Setting(Setting::ErrorPage(ErrorPage { to: Destination::Uri(uri), .. })) => vec![uri],
            StatementKind::Answer(Answer::Proxy { form: ProxyForm::Target(template), .. })
            | StatementKind::Set { value: template, .. }
            | StatementKind::SetArgs(template)
            | StatementKind::Setting(Setting::Type(template) | Setting::ProxyRedirect { to: template, .. }) => {
                vec![template]
            }
            StatementKind::Rewrite(rewrite) => vec![&rewrite.replacement],
            StatementKind::Setting(Setting::Header(edit)) => match &edit.action {
                HeaderAction::Set(template) | HeaderAction::Add(template) => vec![template],
                HeaderAction::Drop => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Whether it asks itself for what the request does not say: who calls, or a fact.
    pub fn asks_opaque(&self) -> bool {
        let reads_plan = |part: &Part| matches!(part, Part::Variable(Variable::Plan));
        let guard_asks = matches!(&self.kind, StatementKind::When { guard, .. } if guard.asks_opaque());
        guard_asks || self.templates().iter().any(|template| template.parts.iter().any(reads_plan))
    }

    /// Whether it is a setting, or a block, which may hold some.
    pub fn is_plain_setting(&self) -> bool {
        self.block().is_some() || matches!(self.kind, StatementKind::Setting(_))
    }

    /// Whether a nested location takes something over from it.
    pub fn holds_settings(&self) -> bool {
        match self.block() {
            Some(body) => body.iter().any(Self::holds_settings),
            None => matches!(self.kind, StatementKind::Setting(_) | StatementKind::Unique(_)),
        }
    }
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
    /// `goto`: the request goes on there.
    Goto(Destination),
    /// `proxy`
    Proxy {
        /// Where to.
        upstream: UpstreamId,
        /// Which target is sent.
        form: ProxyForm,
    },
}

/// Where a request goes on within the gateway.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "definition and compiler have to consider every one")]
pub enum Destination {
    /// A named location; path, query and method stay.
    Named(LocationId),
    /// A path with its query, split at the first `?`; the service begins anew. Of an `error_page` what does not begin
    /// with a slash is a URL that the client is sent to.
    Uri(Template),
}

/// `error_page CODE [=[STATUS]] TARGET`, for one code.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ErrorPage {
    /// What it stands in for.
    pub code: u16,
    /// What status is sent.
    pub status: PageStatus,
    /// What answers.
    pub to: Destination,
}

impl ErrorPage {
    /// A page for `code`.
    pub fn new(code: u16, status: PageStatus, to: Destination) -> Self {
        Self { code, status, to }
    }

    /// The status that the client is sent to a URL with.
    pub fn redirect_status(&self) -> u16 {
        match self.status {
            PageStatus::Said(status @ (301 | 302 | 303 | 307 | 308)) => status,
            _ => 302,
        }
    }
}

/// The status that an error page is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "nginx has these")]
pub enum PageStatus {
    /// Nothing said: the code that it stands in for.
    Code,
    /// `=`: that of the answer itself.
    Own,
    /// `=STATUS`
    Said(u16),
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
    /// The whole target (nginx: variables in the URI of `proxy_pass`).
    Target(Template),
}

/// `rewrite REGEX TEMPLATE [FLAG]`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rewrite {
    /// What must match the path as it is then.
    pub pattern: Pattern,
    /// What replaces path and query. Where `flag` is not a redirect, its first `?` is a [`Part::Args`].
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
    /// Where the upstream's Location begins with `from`, `to` stands in its place; the first that fits counts.
    ProxyRedirect {
        /// What the Location begins with.
        from: Vec<u8>,
        /// What stands there instead.
        to: Template,
    },
    /// Takes back every `ProxyRedirect` reached so far.
    ProxyRedirectOff,
    /// What stands in for answers of one status.
    ErrorPage(ErrorPage),
    /// Takes back every `ErrorPage` reached so far.
    ForgetErrorPages,
    /// Takes back the edits of this side that were reached so far.
    ForgetHeaders(Side),
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
    /// Only where the status is one of nginx's `add_header`: 200 201 204 206 301 302 303 304 307 308.
    pub on_success: bool,
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
