//! Numbers with a meaning.

/// What a variable classifies.
pub mod field {
    pub const METHOD: u32 = 0;
    pub const SCHEME: u32 = 1;
    pub const LISTENER: u32 = 2;
    pub const BODY: u32 = 3;
    pub const CLIENT: u32 = 4;
    pub const HOST: u32 = 5;
    pub const PATH: u32 = 6;
    pub const HEADER: u32 = 7;
    pub const QUERY: u32 = 8;
    pub const COOKIE: u32 = 9;
    pub const ARGS: u32 = 10;
    pub const TARGET: u32 = 11;
    /// The caller: its plans in order, then missing, unknown, failed.
    pub const PLAN: u32 = 12;
    /// A fact: its values in order.
    pub const FACT: u32 = 13;
    /// `$arg_NAME`: the first argument of the name that has a `=`.
    pub const ARGUMENT: u32 = 14;
}

/// Bits of the column `flags` of a service: which statements of the rules it has.
pub mod service_flag {
    pub const MERGE_SLASHES: u32 = 1;
    pub const STRICT_PATHS: u32 = 2;
    pub const ABSOLUTE_REDIRECTS: u32 = 4;
    pub const UNDERSCORES: u32 = 8;
    /// With `STRICT_PATHS`: path parameters are taken.
    pub const PATH_PARAMETERS: u32 = 16;
}

/// Kinds of operation: what its columns `a` to `d` hold. A template is an index of `templates`, a string one of `strings`.
pub mod operation {
    /// Nothing; where its guard depends on the caller, or `a` is 1, the caller has to be known here.
    pub const CALLER: u32 = 0;
    /// `return 404 "text"`: status `a`, template `b` of the text or none.
    pub const RESPOND: u32 = 1;
    /// `return 308 URL`: status `a`, template `b` of the Location.
    pub const REDIRECT: u32 = 2;
    pub const CLOSE: u32 = 3;
    /// Upstream `a`, form `b`, string (for `TARGET` template) `c` or none, octets `d` of the prefix.
    pub const PROXY: u32 = 4;
    /// Program `a`, template `b`, flag `c`, 1 in `d` where the query is kept.
    pub const REWRITE: u32 = 5;
    /// String `a`: the value of Allow.
    pub const METHODS: u32 = 6;
    /// Action `a`; `b` and `c` the low and high half of the bound, `d` 1 if there is one.
    pub const BODY: u32 = 7;
    /// Side `a` (0 request), action `b` (0 set, 1 add, 2 drop; 4 more: on success only), name string `c`, template `d`
    /// or none.
    pub const HEADER: u32 = 8;
    /// String `a`; string `b` is the name of the field.
    pub const HSTS: u32 = 9;
    /// Meter `a`, 1 in `b` if always.
    pub const METER: u32 = 10;
    /// `type`: template `a` of the Content-Type.
    pub const TYPE: u32 = 11;
    /// Field `a` (a header, an argument or a cookie; one of `field`) called `b` (a header, else a string).
    pub const UNIQUE: u32 = 12;
    /// Takes the captures of program `a` from field `b` (one of `field`) called `c` (a header, else a
    /// string) or none.
    pub const MATCH: u32 = 13;
    /// After a break the next `a` operations are skipped.
    pub const UNLESS_BREAK: u32 = 14;
    pub const BREAK: u32 = 15;
    /// Named capture `a` becomes template `b`.
    pub const SET: u32 = 16;
    /// The query becomes template `a`.
    pub const SET_ARGS: u32 = 17;
    /// Drops the header edits of side `a` that were reached.
    pub const FORGET_HEADERS: u32 = 18;
    /// `proxy_redirect FROM TO`: string `a` that the answer's Location begins with, template `b` that takes its place.
    pub const PROXY_REDIRECT: u32 = 19;
    pub const PROXY_REDIRECT_OFF: u32 = 20;
    /// Named location `a` or none, else the template `b` of a path and its query.
    pub const GOTO: u32 = 21;
    /// For status `a`; what is sent is `b`: 0 the answer's own, none that for which the page is, else this; named
    /// location `c` or none, else template `d`.
    pub const ERROR_PAGE: u32 = 22;
    /// Drops the error pages that were reached.
    pub const FORGET_ERROR_PAGES: u32 = 23;
    /// The next `a` operations are skipped.
    pub const SKIP: u32 = 24;
}

/// Forms of `PROXY`: how the target is made that the upstream gets.
pub mod proxy_form {
    pub const RAW: u32 = 0;
    pub const CANONICAL: u32 = 1;
    pub const STRIP: u32 = 2;
    pub const BASE: u32 = 3;
    pub const TARGET: u32 = 4;
}

/// Flags of `REWRITE`; others are the status of a redirect.
pub mod rewrite_flag {
    pub const CONTINUE: u32 = 0;
    pub const LAST: u32 = 1;
    pub const BREAK: u32 = 2;
}

/// Actions of `BODY`: what becomes of the request's body.
pub mod body_action {
    pub const FORWARD: u32 = 0;
    pub const STRIP: u32 = 1;
    pub const REJECT: u32 = 2;
}

/// Kinds of part: what a piece of a template puts, and what its column `value` is an index of.
pub mod part {
    /// The text of a string, as the author wrote it.
    pub const LITERAL: u32 = 0;
    /// A group, 1 to 9.
    pub const CAPTURE: u32 = 1;
    /// A named capture.
    pub const NAMED: u32 = 2;
    pub const URI: u32 = 3;
    pub const REQUEST_URI: u32 = 4;
    pub const ARGS: u32 = 5;
    pub const IS_ARGS: u32 = 6;
    /// A string: the argument's name.
    pub const ARG: u32 = 7;
    pub const HOST: u32 = 8;
    /// A header.
    pub const HTTP: u32 = 9;
    /// A string: the cookie's name.
    pub const COOKIE: u32 = 10;
    pub const SCHEME: u32 = 11;
    pub const METHOD: u32 = 12;
    pub const REMOTE_ADDR: u32 = 13;
    pub const REQUEST_ID: u32 = 14;
    pub const PLAN: u32 = 15;
    /// What follows is the query.
    pub const ARGS_START: u32 = 16;
    /// The header X-Forwarded-For.
    pub const PROXY_ADD_X_FORWARDED_FOR: u32 = 17;
    /// A map.
    pub const MAP: u32 = 18;
}

/// Kinds of instruction.
pub mod instruction {
    /// Reads a byte from `a` to `b`, then goes to `c`.
    pub const BYTE: u32 = 0;
    /// Goes to `a`; where that fails, to `b`.
    pub const SPLIT: u32 = 1;
    /// Notes the position in slot `a`, then goes to `b`.
    pub const SAVE: u32 = 2;
    /// Goes to `b` if the position is of kind `a` (see `look`).
    pub const LOOK: u32 = 3;
    pub const MATCH: u32 = 4;
    pub const FAIL: u32 = 5;
}

/// Kinds of position.
pub mod look {
    pub const START: u32 = 0;
    pub const END: u32 = 1;
    /// PCRE's `$`: the end, or before one final newline.
    pub const DOLLAR: u32 = 2;
    pub const WORD_BOUNDARY: u32 = 3;
    pub const NOT_WORD_BOUNDARY: u32 = 4;
    /// And up: look-around `kind - AROUND` of the program holds there.
    pub const AROUND: u32 = 5;
}

/// Kinds of row in `plans`. A source stands before the rows that belong to it.
pub mod plans {
    /// `a` plans, then `b` credentials follow; `c` is the status for missing | unknown << 16, `d` failed | index of
    /// the source << 16.
    pub const SOURCE: u32 = 0;
    /// String `a`.
    pub const PLAN: u32 = 1;
    /// `a` 0 an argument, 1 a header; string `b` its name; `c` 1 if it is kept; `d` the header.
    pub const CREDENTIAL: u32 = 2;
}

/// Bits of a scan's `flags`.
pub mod scan_flag {
    /// From the end to the beginning.
    pub const BACKWARD: u32 = 1;
    /// Not beyond the end of the line.
    pub const LINE: u32 = 2;
    /// No scanner: `start` is a program, which is simulated. It tells `best` or nothing.
    pub const SIMULATED: u32 = 4;
}

/// Kinds of an outcome.
pub mod outcome_kind {
    /// The location takes the path, unless an eligible regex does.
    pub const OPEN: u32 = 0;
    /// The path lacks only the slash of the location.
    pub const REDIRECT: u32 = 1;
}
