//! Which statement a first word begins, where it may stand, and how it is written.

use super::grammar::Rule;
use crate::diagnostic::nearest;

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// The file itself.
    Top,
    /// `upstream NAME { ... }`
    Upstream,
    /// `tls { ... }`
    Tls,
    /// `plans NAME { ... }`
    Plans,
    /// `map $NAME { ... }`
    Map,
    /// Services, locations and guards; which of them may hold what is not a matter of syntax.
    Service,
    /// `test NAME { ... }`
    Test,
}

/// A statement, known by its first word.
#[derive(Debug)]
pub(super) struct Keyword {
    /// Where it stands.
    pub(super) context: Context,
    /// Its first word.
    pub(super) word: &'static str,
    /// Its grammar.
    pub(super) rule: Rule,
    /// What its block holds, if it has one.
    pub(super) block: Option<Context>,
    /// How it is written.
    pub(super) usage: &'static str,
    /// Whether its own words may look like statements, so that a line that begins with one goes on.
    pub(super) holds_keywords: bool,
}

impl Context {
    /// The statement that `word` begins here.
    pub(super) fn keyword(self, word: &str) -> Option<&'static Keyword> {
        KEYWORDS.iter().find(|keyword| keyword.context == self && keyword.word == word)
    }

    /// The statement that was probably meant by `word`.
    pub(super) fn nearest(self, word: &str) -> Option<&'static Keyword> {
        let known = KEYWORDS.iter().filter(|keyword| keyword.context == self).map(|keyword| keyword.word);
        nearest(word, known).and_then(|word| self.keyword(word))
    }

    /// How lines that no keyword begins are written here.
    pub(super) fn usage(self) -> &'static str {
        match self {
            Self::Test => {
                "METHOD URL [with header \"N: v\" body=N client=IP plan=P listener=L port=N fault=CODE] [fact NAME=VALUE] -> EXPECTATION;"
            }
            Self::Map => "PREDICATE -> VALUE;",
            _ => "STATEMENT;",
        }
    }

    /// Where one is, in words.
    pub(super) fn place(self) -> &'static str {
        match self {
            Self::Top => "at the top level",
            Self::Upstream => "in an `upstream` block",
            Self::Tls => "in a `tls` block",
            Self::Plans => "in a `plans` block",
            Self::Map => "in a `map` block",
            Self::Service => "in a service or a location",
            Self::Test => "in a `test` block",
        }
    }
}

/// Where `word` would begin a statement.
pub(super) fn home(word: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.word == word)
}

/// How nginx's directives of other names are said here.
pub(super) fn instead_of(directive: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(name, _)| *name == directive).map(|(_, instead)| *instead)
}

const fn simple(context: Context, word: &'static str, rule: Rule, usage: &'static str) -> Keyword {
    Keyword { context, word, rule, block: None, usage, holds_keywords: false }
}

const fn block(context: Context, word: &'static str, rule: Rule, inner: Context, usage: &'static str) -> Keyword {
    Keyword { context, word, rule, block: Some(inner), usage, holds_keywords: false }
}

use Context::{Map, Plans, Service, Test, Tls, Top, Upstream};

/// In the order of LANGUAGE.md's example: of equally near words the first is proposed.
const KEYWORDS: &[Keyword] = &[
    block(Top, "upstream", Rule::upstream, Upstream, "upstream NAME { ... }` or `upstream NAME external;"),
    block(Top, "plans", Rule::plans, Plans, "plans NAME { ... }"),
    block(Top, "service", Rule::service, Service, "service NAME [default] { ... }"),
    block(Top, "test", Rule::test, Test, "test \"NAME\" { REQUEST -> EXPECTATION; }"),
    block(Top, "map", Rule::map, Map, "map $NAME { PREDICATE -> VALUE; default -> VALUE; }"),
    simple(Top, "fact", Rule::fact, "fact NAME VALUE...;"),
    simple(Top, "include", Rule::include, "include \"GLOB\";"),
    simple(Top, "page", Rule::page, "page NAME \"FILE\";"),
    Keyword {
        holds_keywords: true,
        ..simple(Top, "prove", Rule::prove, "prove \"NAME\" never|always PROPERTY [when PREDICATE];")
    },
    simple(Top, "allow", Rule::allow, "allow WARNING...;"),
    simple(
        Upstream,
        "server",
        Rule::server,
        "server HOST[:PORT] [weight=N] [backup] [max_fails=N] [fail_timeout=TIME];",
    ),
    simple(Upstream, "host", Rule::host, "host NAME[:PORT];"),
    block(Upstream, "tls", Rule::tls, Tls, "tls { [versions 1.2 1.3;] [verify off;] [sni off;] [name NAME;] }"),
    simple(Upstream, "balance", Rule::balance, "balance round_robin|least_conn|hash TEMPLATE;"),
    simple(Upstream, "max_fails", Rule::max_fails, "max_fails N;"),
    simple(Upstream, "fail_timeout", Rule::fail_timeout, "fail_timeout TIME;"),
    simple(Upstream, "keepalive", Rule::keepalive, "keepalive N [idle=TIME];"),
    simple(
        Upstream,
        "timeout",
        Rule::timeout,
        "timeout [dns=TIME] [connect=TIME] [tls=TIME] [send=TIME] [response=TIME] [idle=TIME] [request=TIME];",
    ),
    simple(Upstream, "retries", Rule::retries, "retries N [budget=N%];"),
    simple(
        Upstream,
        "health",
        Rule::health,
        "health PATH [interval=TIME] [timeout=TIME] [rise=N] [fall=N] [status=CODE[-CODE]];",
    ),
    simple(Upstream, "slow_start", Rule::slow_start, "slow_start TIME;"),
    simple(Upstream, "protocol", Rule::protocol, "protocol http1|http2;"),
    simple(Tls, "versions", Rule::versions, "versions 1.2 1.3;"),
    simple(Tls, "verify", Rule::verify, "verify on|off;"),
    simple(Tls, "sni", Rule::sni, "sni on|off;"),
    simple(Tls, "name", Rule::tls_name, "name NAME;"),
    simple(
        Plans,
        "credential",
        Rule::credential,
        "credential NAME from query|header NAME [or query|header NAME]... [keep];",
    ),
    simple(Plans, "plan", Rule::plan_names, "plan NAME...;"),
    simple(Plans, "missing", Rule::missing, "missing CODE;"),
    simple(Plans, "unknown", Rule::unknown, "unknown CODE;"),
    simple(Plans, "failed", Rule::failed, "failed CODE [except callers NAME as PLAN] [stale=TIME];"),
    simple(Map, "default", Rule::map_default, "default -> VALUE;"),
    block(Service, "location", Rule::location, Service, "location [=|^~|~|~*] PATTERN [as NAME] { ... }"),
    Keyword {
        holds_keywords: true,
        ..block(
            Service,
            "when",
            Rule::when,
            Service,
            "when PREDICATE { ... }`, such as `when header X-Beta = \"1\" and not method GET { ... }",
        )
    },
    block(Service, "method", Rule::method_block, Service, "method METHOD... { ... }"),
    block(Service, "plan", Rule::plan_block, Service, "plan NAME... { ... }"),
    block(Service, "scheme", Rule::scheme_block, Service, "scheme http|https { ... }"),
    Keyword {
        holds_keywords: true,
        ..block(
            Service,
            "match",
            Rule::match_block,
            Service,
            "match FIELD ~|~* REGEX { ... }`, such as `match host ~ ^www\\.(.+) { ... }",
        )
    },
    block(Service, "unless", Rule::unless_block, Service, "unless break { ... }"),
    simple(Service, "return", Rule::return_, "return CODE [TEXT | URL | page NAME];"),
    simple(Service, "proxy", Rule::proxy, "proxy UPSTREAM [canonical | strip /PREFIX | \"/BASE/\" | \"/TARGET/$1\"];"),
    simple(Service, "rewrite", Rule::rewrite, "rewrite REGEX TEMPLATE [last|break|redirect|permanent|307|308];"),
    simple(
        Service,
        "upgrade",
        Rule::upgrade,
        "upgrade https CODE [for METHOD...] [else CODE [TEXT | page NAME]] [to HOST[:PORT]];",
    ),
    simple(Service, "break", Rule::break_, "break;"),
    simple(Service, "goto", Rule::goto, "goto @NAME;` or `goto /PATH[?ARGS];"),
    simple(Service, "internal", Rule::internal, "internal;"),
    simple(Service, "set", Rule::set, "set request|response header NAME VALUE [on success];` or `set $NAME TEMPLATE;"),
    simple(Service, "add", Rule::add, "add request|response header NAME VALUE [on success];"),
    simple(Service, "drop", Rule::drop, "drop request|response header NAME...;"),
    simple(Service, "proxy_redirect", Rule::proxy_redirect, "proxy_redirect FROM TO;` or `proxy_redirect off;"),
    simple(Service, "unique", Rule::unique, "unique header|query|cookie NAME;"),
    simple(Service, "methods", Rule::methods, "methods METHOD...;"),
    simple(Service, "body", Rule::body, "body forward|strip|reject [max=SIZE];"),
    simple(Service, "hsts", Rule::hsts, "hsts TIME [includeSubDomains] [preload];"),
    simple(Service, "meter", Rule::meter, "meter NAME [always];"),
    simple(Service, "type", Rule::type_, "type \"VALUE\";"),
    simple(Service, "server_name", Rule::server_name, "server_name NAME...;"),
    simple(Service, "listen", Rule::listen, "listen NAME...;"),
    simple(Service, "plans", Rule::use_plans, "plans NAME;"),
    simple(Service, "merge_slashes", Rule::merge_slashes, "merge_slashes on|off;"),
    simple(Service, "paths", Rule::paths, "paths strict [params];` or `paths nginx;"),
    simple(
        Service,
        "slash_redirect",
        Rule::slash_redirect,
        "slash_redirect 301|308|off;` or in a location `slash_redirect on|off;",
    ),
    simple(Service, "underscores", Rule::underscores, "underscores on|off;"),
    simple(Service, "redirects", Rule::redirects, "redirects absolute|relative;"),
    simple(Service, "allow", Rule::allow, "allow WARNING...;"),
    simple(Service, "limit", Rule::limit, "limit RATE [burst=N] [per NAME];"),
    simple(Service, "forget", Rule::forget, "forget request|response headers;` or `forget error_pages;"),
    simple(Service, "options", Rule::options, "options auto;"),
    simple(Service, "error", Rule::refusal_page, "error CODE... page NAME;"),
    simple(Service, "error_page", Rule::error_page, "error_page CODE... [=[STATUS]] @NAME|/PATH[?ARGS]|URL;"),
];

const FOREIGN: &[(&str, &str)] = &[
    ("proxy_pass", "proxy UPSTREAM;"),
    ("if", "when PREDICATE { ... }"),
    ("geo", "map $NAME { client in NETWORK -> VALUE; default -> VALUE; }"),
    ("limit_except", "methods METHOD...;"),
    ("limit_req", "limit RATE [burst=N] [per NAME];"),
    ("add_header", "add response header NAME VALUE;"),
    ("proxy_set_header", "set request header NAME VALUE;"),
    ("proxy_hide_header", "drop response header NAME...;"),
    ("try_files", "goto @NAME;` or `goto /PATH;` below `when fact NAME VALUE { ... }"),
    ("auth_request", "when fact NAME VALUE { return CODE; }"),
    ("default_type", "type \"VALUE\";"),
    ("client_max_body_size", "body forward max=SIZE;"),
    ("least_conn", "balance least_conn;"),
    ("hash", "balance hash TEMPLATE;"),
    ("proxy_connect_timeout", "timeout connect=TIME;"),
    ("proxy_read_timeout", "timeout response=TIME;"),
    ("proxy_ssl_protocols", "versions 1.2 1.3;"),
    ("proxy_ssl_verify", "verify on|off;"),
    ("underscores_in_headers", "underscores on|off;"),
    ("absolute_redirect", "redirects absolute|relative;"),
];
