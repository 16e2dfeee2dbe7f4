//! What a `.rules` file says, statement by statement, before any name is looked up.
//!
//! Every node has its place. Words are unescaped; whether one was quoted is kept, since a quoted word is never a keyword.

mod predicate;
mod test;

use crate::diagnostic::Span;
pub use predicate::*;
pub use test::*;

/// One file, as far as it could be understood.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct File {
    /// Its statements in order; a statement that could not be parsed is left out, and a diagnostic says so.
    pub items: Vec<Item>,
}

/// A word with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Word {
    /// The text, escapes and quotes removed.
    pub text: String,
    /// Whether it was written in quotes.
    pub quoted: bool,
    /// Where, quotes included.
    pub span: Span,
}

/// A statement of the top level.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Item {
    /// The whole statement, its block included.
    pub span: Span,
    /// Its first line, without the block: what carets point at.
    pub head: Span,
    /// What it says.
    pub kind: ItemKind,
}

/// What the top level may hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ItemKind {
    /// `upstream NAME { ... }`; `options` is None for `upstream NAME external;`.
    Upstream {
        /// its name
        name: Word,
        /// what stands in its block, None where it is external
        options: Option<Vec<UpstreamOption>>,
    },
    /// `plans NAME { ... }`
    Plans {
        /// its name
        name: Word,
        /// what stands in its block
        options: Vec<PlansOption>,
    },
    /// `service NAME [default] { ... }`
    Service {
        /// its name
        name: Word,
        /// whether `default` follows
        default: bool,
        /// what stands in its block
        body: Vec<Statement>,
    },
    /// `map $NAME { ... }`
    Map {
        /// its name, with the `$`
        name: Word,
        /// in order
        cases: Vec<MapCase>,
    },
    /// `fact NAME VALUE...;`
    Fact {
        /// its name
        name: Word,
        /// what it can be
        values: Vec<Word>,
    },
    /// `page NAME "file";`
    Page {
        /// its name
        name: Word,
        /// the file
        file: Word,
    },
    /// `prove "NAME" never|always PROPERTY [when PREDICATE];`, its words as written
    Prove {
        /// its name
        name: Word,
        /// what follows
        words: Vec<Word>,
    },
    /// `test "NAME" { ... }`
    Test {
        /// its name
        name: Word,
        /// its lines
        cases: Vec<TestCase>,
    },
    /// `include "glob";`
    Include {
        /// the glob
        glob: Word,
    },
    /// `allow WARNING...;`
    Allow(Vec<Word>),
}

/// One statement of an `upstream` block.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UpstreamOption {
    /// The whole statement.
    pub span: Span,
    /// Its first word, such as `server`, or in a `tls` block `verify`.
    pub keyword: Word,
    /// What follows the keyword, such as `connect=3s`.
    pub arguments: Vec<Word>,
    /// The statements of `tls { ... }`; empty for the others.
    pub block: Vec<Self>,
}

/// One statement of a `plans` block.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlansOption {
    /// The whole statement.
    pub span: Span,
    /// What it says.
    pub kind: PlansOptionKind,
}

/// What a `plans` block may hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PlansOptionKind {
    /// `credential NAME from query N or header N ... [keep];`
    Credential {
        /// its name
        name: Word,
        /// (`query` or `header`, name) in order
        sources: Vec<(Word, Word)>,
        /// whether it goes on to the upstream
        keep: Option<Word>,
    },
    /// `plan NAME...;`
    Plan(Vec<Word>),
    /// `missing CODE;`
    Missing(Word),
    /// `unknown CODE;`
    Unknown(Word),
    /// `failed CODE [except callers NAME as PLAN] [stale=TIME];`
    Failed {
        /// the status
        code: Word,
        /// what follows, as written
        rest: Vec<Word>,
    },
}

/// One line of a `map` block.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MapCase {
    /// The whole line.
    pub span: Span,
    /// What must hold; None for `default`.
    pub guard: Option<Predicate>,
    /// What it gives.
    pub value: Word,
}

/// A statement of a service, a location or a guarded block.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Statement {
    /// The whole statement, its block included.
    pub span: Span,
    /// Without the block: what carets point at.
    pub head: Span,
    /// What it says.
    pub kind: StatementKind,
}

/// What services, locations and guarded blocks may hold; which may hold what is for the model to say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StatementKind {
    /// `location [=|^~|~|~*] PATTERN [as NAME] { ... }`
    Location(Location),
    /// `when`, `method`, `plan` and `scheme` with a block
    When {
        /// the guard; the short forms are written out
        guard: Predicate,
        /// the block
        body: Vec<Statement>,
    },
    /// `match FIELD [NAME] ~|~* REGEX { ... }`
    Match {
        /// `host`, `path`, `args`, `target`, `method`, `header`, `query` or `cookie`
        field: Word,
        /// of the header, argument or cookie
        name: Option<Word>,
        /// what must match
        regex: Word,
        /// `~*`
        caseless: bool,
        /// the block
        body: Vec<Statement>,
    },
    /// `unless break { ... }`
    UnlessBreak(Vec<Statement>),
    /// `break;`
    Break,
    /// `set $NAME TEMPLATE;`
    Set {
        /// with the `$`
        name: Word,
        /// the template
        value: Word,
    },
    /// `goto @NAME;`, `goto /PATH[?ARGS];`
    Goto(Word),
    /// `internal;`
    Internal,
    /// `error_page CODE... [=[STATUS]] TARGET;`
    ErrorPage {
        /// the statuses it stands in for
        codes: Vec<Word>,
        /// `=` or `=STATUS`
        status: Option<Word>,
        /// `@NAME`, a path or a URL
        target: Word,
    },
    /// `forget error_pages;`
    ForgetErrorPages,
    /// `forget request|response headers;`
    Forget(Word),
    /// `return CODE [TEXT | URL | page NAME];`
    Return(Return),
    /// `proxy NAME [canonical | strip /p | "/base/"];`
    Proxy {
        /// the upstream
        upstream: Word,
        /// what target it gets
        form: ProxyForm,
    },
    /// `rewrite REGEX TEMPLATE [FLAG];`
    Rewrite {
        /// what must match the path
        regex: Word,
        /// what replaces it
        template: Word,
        /// `last`, `break`, `redirect`, `permanent`, `307`, `308`
        flag: Option<Word>,
    },
    /// `upgrade https S [for M...] [else ANSWER] [to HOST[:PORT]];`
    Upgrade {
        /// the status
        code: Word,
        /// the methods after `for`; empty where unsaid
        methods: Vec<Word>,
        /// the answer after `else`
        otherwise: Option<Return>,
        /// the host after `to`
        to: Option<Word>,
    },
    /// `set|add|drop request|response header NAME... [VALUE];`
    Header {
        /// `set`, `add` or `drop`
        action: Word,
        /// `request` or `response`
        side: Word,
        /// one for `set` and `add`
        names: Vec<Word>,
        /// None for `drop`
        value: Option<Word>,
        /// whether `on success` follows
        on_success: bool,
    },
    /// `proxy_redirect FROM TO;`; None for `proxy_redirect off;`
    ProxyRedirect(Option<(Word, Word)>),
    /// `unique header|query|cookie NAME;`
    Unique {
        /// `header`, `query` or `cookie`
        field: Word,
        /// its name
        name: Word,
    },
    /// `methods M...;`
    Methods(Vec<Word>),
    /// `body forward|strip|reject [max=SIZE];`
    Body {
        /// `forward`, `strip` or `reject`
        action: Word,
        /// the value of `max=`
        max: Option<Word>,
    },
    /// `hsts TIME [includeSubDomains] [preload];`
    Hsts {
        /// the age
        age: Word,
        /// what follows
        rest: Vec<Word>,
    },
    /// `meter NAME [always];`
    Meter {
        /// its name
        name: Word,
        /// whether refusals count too
        always: bool,
    },
    /// `type VALUE;`
    Type(Word),
    /// `server_name NAME...;`
    ServerName(Vec<Word>),
    /// `listen NAME...;`
    Listen(Vec<Word>),
    /// `plans NAME;`
    UsePlans(Word),
    /// `merge_slashes on|off;`
    MergeSlashes(Word),
    /// `paths strict [params]|nginx;`
    Paths {
        /// `strict` or `nginx`
        policy: Word,
        /// `params`
        params: Option<Word>,
    },
    /// `slash_redirect 301|308|off;`
    SlashRedirect(Word),
    /// `underscores on|off;`
    Underscores(Word),
    /// `redirects absolute|relative;`
    Redirects(Word),
    /// `allow WARNING...;`
    Allow(Vec<Word>),
    /// `limit ...`, `options auto`, `error CODE... page NAME`: understood, carried out by a later version
    Later {
        /// its first word
        keyword: Word,
        /// what follows
        words: Vec<Word>,
    },
}

/// `location [=|^~|~|~*] PATTERN [as NAME] { ... }`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Location {
    /// The modifier, None for a plain prefix.
    pub modifier: Option<Word>,
    /// The path or the regex.
    pub pattern: Word,
    /// What `as` gives.
    pub name: Option<Word>,
    /// What stands in the block.
    pub body: Vec<Statement>,
}

/// `CODE [TEXT | URL | page NAME]`
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Return {
    /// The status.
    pub code: Word,
    /// The text or the URL.
    pub text: Option<Word>,
    /// The name after `page`.
    pub page: Option<Word>,
}

/// Which target `proxy` sends.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ProxyForm {
    /// As it came.
    Raw,
    /// `canonical`: the matched path, escaped.
    Canonical,
    /// `strip /p`
    Strip(Word),
    /// `"/base/"` in place of the location's prefix, or a whole target with variables
    Base(Word),
}
