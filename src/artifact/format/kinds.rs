//! Numbers with a meaning.

/// What a variable classifies.
pub(crate) mod field {
    pub(crate) const METHOD: u32 = 0;
    pub(crate) const SCHEME: u32 = 1;
    pub(crate) const LISTENER: u32 = 2;
    pub(crate) const BODY: u32 = 3;
    pub(crate) const CLIENT: u32 = 4;
    pub(crate) const HOST: u32 = 5;
    pub(crate) const PATH: u32 = 6;
    pub(crate) const HEADER: u32 = 7;
    pub(crate) const QUERY: u32 = 8;
    pub(crate) const COOKIE: u32 = 9;
    pub(crate) const ARGS: u32 = 10;
    pub(crate) const TARGET: u32 = 11;
    /// The caller: its plans in order, then missing, unknown, failed.
    pub(crate) const PLAN: u32 = 12;
    /// A fact: its values in order.
    pub(crate) const FACT: u32 = 13;
    /// `$arg_NAME`: the first argument of the name that has a `=`.
    pub(crate) const ARGUMENT: u32 = 14;
}

/// Bits of a service.
pub(crate) mod service_flag {
    pub(crate) const MERGE_SLASHES: u32 = 1;
    pub(crate) const STRICT_PATHS: u32 = 2;
    pub(crate) const ABSOLUTE_REDIRECTS: u32 = 4;
    pub(crate) const UNDERSCORES: u32 = 8;
    /// With `STRICT_PATHS`: path parameters are taken.
    pub(crate) const PATH_PARAMETERS: u32 = 16;
}

/// Kinds of operation.
pub(crate) mod operation {
    /// Nothing; where its guard depends on the caller, or `a` is 1, the caller has to be known here.
    pub(crate) const CALLER: u32 = 0;
    /// Status `a`, template `b` or none.
    pub(crate) const RESPOND: u32 = 1;
    /// Status `a`, template `b`.
    pub(crate) const REDIRECT: u32 = 2;
    pub(crate) const CLOSE: u32 = 3;
    /// Upstream `a`, form `b`, string (for `TARGET` template) `c` or none, octets `d` of the prefix.
    pub(crate) const PROXY: u32 = 4;
    /// Program `a`, template `b`, flag `c`, 1 in `d` where the query is kept.
    pub(crate) const REWRITE: u32 = 5;
    /// String `a`: the value of Allow.
    pub(crate) const METHODS: u32 = 6;
    /// Action `a`; `b` and `c` the low and high half of the bound, `d` 1 if there is one.
    pub(crate) const BODY: u32 = 7;
    /// Side `a` (0 request), action `b` (0 set, 1 add, 2 drop; 4 more: on success only), name string `c`, template `d`
    /// or none.
    pub(crate) const HEADER: u32 = 8;
    /// String `a`; string `b` is the name of the field.
    pub(crate) const HSTS: u32 = 9;
    /// Meter `a`, 1 in `b` if always.
    pub(crate) const METER: u32 = 10;
    /// Template `a`.
    pub(crate) const TYPE: u32 = 11;
    /// Field `a` (a header, an argument or a cookie; one of `field`) called `b` (a header, else a string).
    pub(crate) const UNIQUE: u32 = 12;
    /// Takes the captures of program `a` from field `b` (one of `field`) called `c` (a header, else a
    /// string) or none.
    pub(crate) const MATCH: u32 = 13;
    /// After a break the next `a` operations are skipped.
    pub(crate) const UNLESS_BREAK: u32 = 14;
    pub(crate) const BREAK: u32 = 15;
    /// Named capture `a` becomes template `b`.
    pub(crate) const SET: u32 = 16;
    /// The query becomes template `a`.
    pub(crate) const SET_ARGS: u32 = 17;
    /// Drops the header edits of side `a` that were reached.
    pub(crate) const FORGET_HEADERS: u32 = 18;
    /// String `a`, template `b`.
    pub(crate) const PROXY_REDIRECT: u32 = 19;
    pub(crate) const PROXY_REDIRECT_OFF: u32 = 20;
    /// Named location `a` or none, else the template `b` of a path and its query.
    pub(crate) const GOTO: u32 = 21;
    /// For status `a`; what is sent is `b`: 0 the answer's own, none that for which the page is, else this; named
    /// location `c` or none, else template `d`.
    pub(crate) const ERROR_PAGE: u32 = 22;
    /// Drops the error pages that were reached.
    pub(crate) const FORGET_ERROR_PAGES: u32 = 23;
    /// The next `a` operations are skipped.
    pub(crate) const SKIP: u32 = 24;
}

/// Forms of `PROXY`.
pub(crate) mod proxy_form {
    pub(crate) const RAW: u32 = 0;
    pub(crate) const CANONICAL: u32 = 1;
    pub(crate) const STRIP: u32 = 2;
    pub(crate) const BASE: u32 = 3;
    pub(crate) const TARGET: u32 = 4;
}

/// Flags of `REWRITE`; others are the status of a redirect.
pub(crate) mod rewrite_flag {
    pub(crate) const CONTINUE: u32 = 0;
    pub(crate) const LAST: u32 = 1;
    pub(crate) const BREAK: u32 = 2;
}

/// Actions of `BODY`.
pub(crate) mod body_action {
    pub(crate) const FORWARD: u32 = 0;
    pub(crate) const STRIP: u32 = 1;
    pub(crate) const REJECT: u32 = 2;
}

/// Kinds of part.
pub(crate) mod part {
    /// A string.
    pub(crate) const LITERAL: u32 = 0;
    /// A group, 1 to 9.
    pub(crate) const CAPTURE: u32 = 1;
    /// A named capture.
    pub(crate) const NAMED: u32 = 2;
    pub(crate) const URI: u32 = 3;
    pub(crate) const REQUEST_URI: u32 = 4;
    pub(crate) const ARGS: u32 = 5;
    pub(crate) const IS_ARGS: u32 = 6;
    /// A string: the argument's name.
    pub(crate) const ARG: u32 = 7;
    pub(crate) const HOST: u32 = 8;
    /// A header.
    pub(crate) const HTTP: u32 = 9;
    /// A string: the cookie's name.
    pub(crate) const COOKIE: u32 = 10;
    pub(crate) const SCHEME: u32 = 11;
    pub(crate) const METHOD: u32 = 12;
    pub(crate) const REMOTE_ADDR: u32 = 13;
    pub(crate) const REQUEST_ID: u32 = 14;
    pub(crate) const PLAN: u32 = 15;
    /// What follows is the query.
    pub(crate) const ARGS_START: u32 = 16;
    /// The header X-Forwarded-For.
    pub(crate) const PROXY_ADD_X_FORWARDED_FOR: u32 = 17;
    /// A map.
    pub(crate) const MAP: u32 = 18;
}

/// Kinds of instruction.
pub(crate) mod instruction {
    /// Reads a byte from `a` to `b`, then goes to `c`.
    pub(crate) const BYTE: u32 = 0;
    /// Goes to `a`; where that fails, to `b`.
    pub(crate) const SPLIT: u32 = 1;
    /// Notes the position in slot `a`, then goes to `b`.
    pub(crate) const SAVE: u32 = 2;
    /// Goes to `b` if the position is of kind `a` (see `look`).
    pub(crate) const LOOK: u32 = 3;
    pub(crate) const MATCH: u32 = 4;
    pub(crate) const FAIL: u32 = 5;
}

/// Kinds of position.
pub(crate) mod look {
    pub(crate) const START: u32 = 0;
    pub(crate) const END: u32 = 1;
    /// PCRE's `$`: the end, or before one final newline.
    pub(crate) const DOLLAR: u32 = 2;
    pub(crate) const WORD_BOUNDARY: u32 = 3;
    pub(crate) const NOT_WORD_BOUNDARY: u32 = 4;
    /// And up: look-around `kind - AROUND` of the program holds there.
    pub(crate) const AROUND: u32 = 5;
}

/// Kinds of row in `plans`. A source stands before the rows that belong to it.
pub(crate) mod plans {
    /// `a` plans, then `b` credentials follow; `c` is the status for missing | unknown << 16, `d` failed | index of
    /// the source << 16.
    pub(crate) const SOURCE: u32 = 0;
    /// String `a`.
    pub(crate) const PLAN: u32 = 1;
    /// `a` 0 an argument, 1 a header; string `b` its name; `c` 1 if it is kept; `d` the header.
    pub(crate) const CREDENTIAL: u32 = 2;
}

/// Bits of a scan's `flags`.
pub(crate) mod scan_flag {
    /// From the end to the beginning.
    pub(crate) const BACKWARD: u32 = 1;
    /// Not beyond the end of the line.
    pub(crate) const LINE: u32 = 2;
    /// No scanner: `start` is a program, which is simulated. It tells `best` or nothing.
    pub(crate) const SIMULATED: u32 = 4;
}

/// Kinds of an outcome.
pub(crate) mod outcome_kind {
    /// The location takes the path, unless an eligible regex does.
    pub(crate) const OPEN: u32 = 0;
    /// The path lacks only the slash of the location.
    pub(crate) const REDIRECT: u32 = 1;
}
