//! The layout of an artifact: what both its writer and its reader must agree on.
//!
//! ```text
//! magic, 8 octets | CRC-32 of all that follows | format version | length of the file | (length, CRC-32) of each table | tables
//! ```
//!
//! Numbers are 32 bits, little-endian. Tables stand one after the other in the order of [`TABLES`], each padded with
//! zeros to a multiple of four octets.

/// How every artifact begins. The line ends show a transfer that changed them.
pub(crate) const MAGIC: [u8; 8] = *b"RULEC\r\n\x1a";

/// Raised with every change of the layout. Readers take exactly this one.
pub(crate) const VERSION: u32 = 1;

/// Index 0 and up: no such thing.
pub(crate) const NONE: u32 = u32::MAX;

/// Names of the tables, in order.
pub(crate) const TABLES: [&str; 26] = [
    "bytes",
    "strings",
    "automata",
    "byte_classes",
    "transitions",
    "labels",
    "variables",
    "nodes",
    "children",
    "hosts",
    "host_ranks",
    "services",
    "levels",
    "ranked",
    "regex_locations",
    "trie",
    "edges",
    "locations",
    "operations",
    "templates",
    "parts",
    "programs",
    "instructions",
    "named_groups",
    "plans",
    "manifest",
];

/// Octets before the first table.
pub(crate) const HEADER_OCTETS: usize = 8 + 4 * 3 + TABLES.len() * 8;

/// A row of a table: some numbers.
pub(crate) trait Record: Sized + 'static {
    /// Numbers in a row.
    const WORDS: usize;
    /// The row whose numbers are `words`.
    fn read(words: &[[u8; 4]]) -> Self;
    /// Its numbers in order.
    fn write(&self, put: &mut dyn FnMut(u32));
}

macro_rules! record {
    ($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub(crate) struct $name { $($(#[$field_about])* pub(crate) $field: u32),* }

        impl Record for $name {
            const WORDS: usize = [$(stringify!($field)),*].len();

            fn read(words: &[[u8; 4]]) -> Self {
                let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
                Self { $($field: words.next().unwrap_or(0)),* }
            }

            fn write(&self, put: &mut dyn FnMut(u32)) {
                $(put(self.$field);)*
            }
        }
    };
}

record! {
    /// A number by itself.
    Number { value }
}
record! {
    /// A stretch of `bytes`.
    Text { start, octets }
}
record! {
    /// A deterministic automaton. States are spelt as `state * stride`, so that a step is one addition.
    Automaton {
        /// Index of its 256 byte classes.
        classes,
        /// Classes; transitions a state.
        stride,
        /// States; labels.
        states,
        /// First of its `transitions`.
        transitions,
        /// First of its `labels`.
        labels,
    }
}
record! {
    /// A field (or part of what is asked of it), classified by one automaton. Class 0 is an absent field.
    Variable {
        /// One of the `field` constants.
        field,
        /// Name of the header, argument or cookie: a string, or none.
        name,
        /// The automaton; its labels are classes less one. None for a caller's plan.
        automaton,
        /// Number of classes.
        classes,
    }
}
record! {
    /// An inner node of the diagram.
    Node {
        /// What it asks for.
        variable,
        /// First of its `children`, one a class: 0 false, 1 true, else a node plus 2.
        children,
    }
}
record! {
    /// The services of one listener. The first row is for requests that do not say theirs: all services. The second is
    /// for listeners that no rule names.
    Host {
        /// Name of the listener; none in the first two rows.
        listener,
        /// First and number of its automata in `ranked`, whose labels index `host_ranks` from `ranks`.
        ranked,
        /// Their number.
        ranked_count,
        /// First of its `host_ranks`.
        ranks,
        /// Their number.
        ranks_count,
        /// The service that takes other hosts, or none.
        default,
    }
}
record! {
    /// A server name, in the order of nginx's precedence.
    HostRank {
        /// Whose it is.
        service,
        /// What takes its captures, or none.
        program,
    }
}
record! {
    /// A service.
    Service {
        /// Bits: see the `service_flag` constants.
        flags,
        /// 0: by method; 1: off; else the status.
        slash_redirect,
        /// Index of the plan source, or none.
        plans,
        /// First of its `operations`.
        operations,
        /// Their number.
        operations_count,
        /// The level of its outermost locations.
        level,
    }
}
record! {
    /// The locations of one level of nesting.
    Level {
        /// Root of its trie.
        trie,
        /// First of its automata in `ranked`, whose labels index `regex_locations` from `regexes`.
        ranked,
        /// Their number.
        ranked_count,
        /// First of its `regex_locations`.
        regexes,
        /// Their number.
        regexes_count,
    }
}
record! {
    /// A node of a level's exact and prefix locations.
    TrieNode {
        /// The exact location of this path, or none.
        exact,
        /// The prefix location of this path, or none.
        prefix,
        /// The location that this path lacks only the slash of, or none.
        redirect,
        /// First of its `edges`, which are sorted.
        edges,
        /// Their number.
        edges_count,
    }
}
record! {
    /// A location.
    Location {
        /// The service it belongs to.
        service,
        /// The level nested in it, or none.
        nested,
        /// 1: `^~`.
        stops_regex,
        /// What takes the captures of its regex, or none.
        program,
        /// First of its `operations`.
        operations,
        /// Their number.
        operations_count,
    }
}
record! {
    /// A statement under its guard.
    Operation {
        /// A root in the diagram: 0 false, 1 true, else a node plus 2.
        guard,
        /// One of the `operation` constants, which say what `a` to `d` are.
        kind, a, b, c, d,
    }
}
record! {
    /// Text with variables.
    Template {
        /// First of its `parts`.
        parts,
        /// Their number.
        parts_count,
    }
}
record! {
    /// A piece of a template.
    Part {
        /// One of the `part` constants.
        kind,
        /// A string, a group or a named capture, as `kind` says.
        value,
    }
}
record! {
    /// A regex that takes captures.
    Program {
        /// First of its `instructions`.
        instructions,
        /// Their number.
        count,
        /// Where it begins, counted from its first instruction.
        start,
        /// Slots, two a group.
        slots,
        /// First of its `named_groups`.
        named,
        /// Their number.
        named_count,
        /// 1: every match begins at the first byte.
        anchored,
    }
}
record! {
    /// An instruction of a program; see the `instruction` constants.
    Instruction { kind, a, b, c }
}
record! {
    /// A group with a name.
    NamedGroup {
        /// The group.
        group,
        /// Which named capture of the policy it sets.
        capture,
    }
}
record! {
    /// A plan source, a plan's name, or a place of a credential; see the `plans` constants.
    PlansRow { kind, a, b, c, d }
}

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
    /// The caller: its plans in order, then missing, unknown, failed.
    pub(crate) const PLAN: u32 = 10;
}

/// Bits of a service.
pub(crate) mod service_flag {
    pub(crate) const MERGE_SLASHES: u32 = 1;
    pub(crate) const STRICT_PATHS: u32 = 2;
    pub(crate) const ABSOLUTE_REDIRECTS: u32 = 4;
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
    /// Upstream `a`, form `b`, string `c` or none, octets `d` of the prefix.
    pub(crate) const PROXY: u32 = 4;
    /// Program `a`, template `b`, flag `c`, 1 in `d` where the query is kept.
    pub(crate) const REWRITE: u32 = 5;
    /// String `a`: the value of Allow.
    pub(crate) const METHODS: u32 = 6;
    /// Action `a`; `b` and `c` the low and high half of the bound, `d` 1 if there is one.
    pub(crate) const BODY: u32 = 7;
    /// Side `a` (0 request), action `b` (0 set, 1 add, 2 drop), name string `c`, template `d` or none.
    pub(crate) const HEADER: u32 = 8;
    /// String `a`; string `b` is the name of the field.
    pub(crate) const HSTS: u32 = 9;
    /// Meter `a`, 1 in `b` if always.
    pub(crate) const METER: u32 = 10;
    /// Template `a`.
    pub(crate) const TYPE: u32 = 11;
    /// Name string `a`.
    pub(crate) const UNIQUE_HEADER: u32 = 12;
}

/// Forms of `PROXY`.
pub(crate) mod proxy_form {
    pub(crate) const RAW: u32 = 0;
    pub(crate) const CANONICAL: u32 = 1;
    pub(crate) const STRIP: u32 = 2;
    pub(crate) const BASE: u32 = 3;
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
    /// A string: the header's name.
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
}

/// Kinds of row in `plans`. A source stands before the rows that belong to it.
pub(crate) mod plans {
    /// `a` plans, then `b` credentials follow; `c` is the status for missing | unknown << 16, `d` failed | index of
    /// the source << 16.
    pub(crate) const SOURCE: u32 = 0;
    /// String `a`.
    pub(crate) const PLAN: u32 = 1;
    /// `a` 0 an argument, 1 a header; string `b` its name; `c` 1 if it is kept.
    pub(crate) const CREDENTIAL: u32 = 2;
}
