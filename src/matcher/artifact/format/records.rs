//! Rows of the tables.

use super::NONE;
use super::kinds::{instruction, look};

/// A row of a table: some numbers.
pub trait Record: Sized + Default + 'static {
    /// Numbers in a row.
    const WORDS: usize;
    /// The row whose numbers are `words`.
    fn read(words: &[[u8; 4]]) -> Self;
    /// Its numbers in order.
    fn write(&self, put: impl FnMut(u32));
}

macro_rules! record {
    ($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name { $($(#[$field_about])* pub $field: u32),* }

        impl Record for $name {
            const WORDS: usize = [$(stringify!($field)),*].len();

            #[inline]
            fn read(words: &[[u8; 4]]) -> Self {
                let Some([$($field),*]) = words.first_chunk() else { return Self::default() };
                Self { $($field: u32::from_le_bytes(*$field)),* }
            }

            fn write(&self, mut put: impl FnMut(u32)) {
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
    /// What holds for the whole policy: the only row.
    Policy {
        /// Number of named groups and variables.
        captures,
        /// Number of `header_names`.
        headers,
        /// By length modulo 64: whether a name in `header_names` is that long.
        lengths_low,
        /// The higher half.
        lengths_high,
        /// What gives the names their slots.
        factor,
        /// There are `2^bits` of `header_slots`.
        bits,
        /// Cookie among the `header_names`, or none.
        cookie,
        /// Number of upstreams.
        upstreams,
        /// Number of meters.
        meters,
        /// Number of facts.
        facts,
        /// CRC-32 of the manifest: of these tables, and of no others.
        manifest,
    }
}
record! {
    /// The name of a header that rules read. The first is Host, the second Connection.
    HeaderName {
        /// Where it begins in `bytes`, in lower case.
        start,
        /// Its length.
        octets,
        /// A later name in the same slot, or none.
        next,
        /// A number of its first octets and one of its last, as `header_hash::Ends` has them, in lower case.
        head_low, head_high, tail_low, tail_high,
        /// The same of its letters: 0x20 for each.
        head_letters_low, head_letters_high, tail_letters_low, tail_letters_high,
    }
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
        /// Numbers of a state: a transition for each class, then the label.
        stride,
        /// Number of states.
        states,
        /// First of its `transitions`.
        transitions,
        /// States from this one on lead to themselves alone: the rest of a text changes nothing.
        resting,
    }
}
record! {
    /// A field (or part of what is asked of it), classified by one automaton. Class 0 is an absent field.
    Variable {
        /// One of the `field` constants.
        field,
        /// The header, or the name of the argument or cookie, which is a string; or none.
        name,
        /// The automaton; its labels are classes less one. Of a fact its index; none for a caller's plan, for the
        /// client's address, and where there are slots.
        automaton,
        /// Number of classes.
        classes,
        /// First of its `slots`. A value that stands in none of them is of class 1.
        slots,
        /// Their number: a power of two, or 0.
        slots_count,
    }
}
record! {
    /// A place for a value, found by its hash: in this one, or in one of the next.
    Slot {
        /// First octet of the value in `bytes`.
        start,
        /// Its octets.
        octets,
        /// Its class; none: the slot is empty.
        class,
    }
}
record! {
    /// An inner node of the diagram.
    Node {
        /// What it asks for.
        variable,
        /// 0, or the number of its runs: stretches of classes that lead to the same.
        runs,
        /// First of its `children`. Without runs one a class: 0 false, 1 true, else a node plus 2. With runs the first
        /// class of each but the first, ascending, then the child of each.
        children,
    }
}
record! {
    /// The addresses from one on, up to those of the next row, and their class. The first row begins at 0.
    Addresses {
        /// The address as one number, the highest 32 bits first; of IPv4 its mapped IPv6 address.
        a, b, c, d,
        /// Its class.
        class,
    }
}
record! {
    /// The services of one listener. The first row is for requests that do not say theirs: all services. The second is
    /// for listeners that no rule names.
    Host {
        /// Name of the listener; none in the first two rows.
        listener,
        /// The search whose ranks index `host_ranks` from `ranks`.
        search,
        /// First of its `host_ranks`.
        ranks,
        /// Their number.
        ranks_count,
        /// The service that takes other hosts, or none.
        default,
        /// First of the `slots` of names that stand in rules as they are and are told without the search: for class
        /// they have their rank.
        names,
        /// Their number: a power of two, or 0.
        names_count,
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
        /// How a location is found.
        lookup,
        /// First of its `kept_names`.
        kept_names,
        /// Their number.
        kept_names_count,
    }
}
record! {
    /// What a state tells.
    Output {
        /// The least rank that holds whatever follows, or none.
        seen,
        /// The least rank that holds if nothing follows, or none.
        end,
        /// The outcome if the path goes on, or none where that stays as it was.
        going_on,
        /// The outcome if the path ends here, or none likewise.
        ending,
        /// First of the `scans` that go on from here.
        scans,
        /// Their number.
        scans_count,
    }
}
record! {
    /// A run of a scanner over a text.
    Scan {
        /// Where it begins: a state, with `SPECIAL` where that is. What is simulated: the program.
        start,
        /// Index of its 256 byte classes.
        classes,
        /// The least rank that it can tell.
        best,
        /// Bits: see the `scan_flag` constants.
        flags,
        /// What the text must hold, or none.
        filter,
        /// The bit that says that it was started before, or none.
        started,
    }
}
record! {
    /// A filter of texts.
    Filter {
        /// First of its octets in `filter_bits`.
        start,
        /// Logarithm to base 2 of the number of its bits.
        log2,
        /// How far apart the grams of a text are that must be looked at.
        stride,
    }
}
record! {
    /// What tells the first regex of a list that a text holds.
    Search {
        /// First of its `scans`.
        scans,
        /// Their number.
        scans_count,
        /// First of its `regex_locations`, by rank.
        regexes,
        /// Their number; 0 where ranks are of something else.
        regexes_count,
        /// Scans that may be found several times on a text, and are started once: a bit is kept of each.
        repeating,
    }
}
record! {
    /// How the location of a path is found: by a scanner of all exact and prefix locations, and of the anchored regexes
    /// of the outermost level.
    Lookup {
        /// Where it begins.
        start,
        /// Index of its 256 byte classes.
        classes,
        /// The outcome before the first byte.
        outcome,
        /// The search of the outermost level, or none.
        root,
        /// As of that search.
        repeating,
    }
}
record! {
    /// What exact and prefix locations say of a path.
    Outcome {
        /// The location, or none.
        location,
        /// One of the `outcome_kind` constants.
        kind,
        /// First of the searches in `eligible` that go before the location, innermost first.
        eligible,
        /// Their number.
        eligible_count,
    }
}
record! {
    /// A location.
    Location {
        /// The service it belongs to.
        service,
        /// 1: it is a regex location.
        is_regex,
        /// Of a regex location: the search of the regexes nested in it, or none.
        search,
        /// The regex location that it is nested in, or none. It stands before it.
        enclosing,
        /// What takes the captures of its regex, or none.
        program,
        /// First of its `operations`.
        operations,
        /// Their number.
        operations_count,
        /// 1: `internal`.
        internal,
        /// First of the `operations` that are its settings where its statements do not run.
        settings,
        /// Their number.
        settings_count,
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
        /// First of its `looks`.
        looks,
        /// Their number.
        looks_count,
    }
}
record! {
    /// A look-around of a program. It asks only those before it.
    Look {
        /// First of its instructions, counted from the program's first.
        from,
        /// Behind the last.
        end,
        /// Where it begins, counted likewise.
        start,
        /// 1: something begins here; 0: something ends here.
        ahead,
        /// 1: it must not.
        negative,
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
    /// A map.
    Map {
        /// First of its `map_cases`.
        cases,
        /// Their number.
        cases_count,
    }
}
record! {
    /// A case of a map, in order.
    MapCase {
        /// A root in the diagram, as of an operation.
        guard,
        /// 0, or no case: where the guard does not hold, so many of the next rows are skipped.
        skip,
        /// What takes the captures that `template` reads, or none.
        program,
        /// The field it reads: one of the `field` constants.
        field,
        /// The header, or the name of the argument or cookie, which is a string; or none.
        name,
        /// The value.
        template,
    }
}
record! {
    /// A plan source, a plan's name, or a place of a credential; see the `plans` constants.
    PlansRow { kind, a, b, c, d }
}

impl Addresses {
    /// The addresses from `first` on are of `class`.
    #[expect(clippy::cast_possible_truncation, reason = "the number is kept in four pieces")]
    pub fn new(first: u128, class: u32) -> Self {
        let [a, b, c, d] = [96, 64, 32, 0].map(|shift| (first >> shift) as u32);
        Self { a, b, c, d, class }
    }

    /// Where they begin.
    pub fn first(&self) -> u128 {
        [self.a, self.b, self.c, self.d].into_iter().fold(0, |number, word| number << 32 | u128::from(word))
    }
}

impl Instruction {
    /// Whether it leads to one of the first `count` instructions of `program`, and names slots and look-around of it only.
    pub fn is_of(self, program: Program) -> bool {
        let is_there = |at: u32| at < program.count;
        match self.kind {
            instruction::BYTE => is_there(self.c),
            instruction::SPLIT => is_there(self.a) && is_there(self.b),
            instruction::SAVE => self.a < program.slots && is_there(self.b),
            instruction::LOOK => self.a < look::AROUND.saturating_add(program.looks_count) && is_there(self.b),
            _ => true,
        }
    }
}

impl Service {
    /// One that keeps nothing.
    pub const NONE: Self = Self {
        flags: 0,
        slash_redirect: 0,
        plans: NONE,
        operations: 0,
        operations_count: 0,
        lookup: 0,
        kept_names: 0,
        kept_names_count: 0,
    };
}

impl Node {
    /// How many of `children` it takes where its variable has `classes`.
    pub fn children_count(&self, classes: u32) -> u32 {
        if self.runs == 0 { classes } else { self.runs.saturating_mul(2) - 1 }
    }
}

impl Slot {
    /// Slots that are looked at for one value. The compiler gives a table more slots until that is enough.
    pub const PROBES_MAX: u32 = 32;

    /// The slots of a table of `count` where a value with `hash` may stand, in order.
    pub fn places(hash: ValueHash, count: u32) -> impl Iterator<Item = u32> {
        let first = hash.0 ^ (hash.0 >> 15);
        (0..Self::PROBES_MAX.min(count)).map(move |probe| first.wrapping_add(probe) & count.wrapping_sub(1))
    }
}

/// The hash of a value, taken piece by piece (FNV-1a).
#[derive(Clone, Copy, Debug)]
pub struct ValueHash(u32);

impl ValueHash {
    /// Of nothing yet.
    pub const START: Self = Self(0x811C_9DC5);

    /// The hash of a name that is there as a whole, eight octets at a time.
    pub fn of_name(name: &[u8]) -> Self {
        let Some(last) = name.last_chunk::<8>() else { return Self::START.feed(name) };
        let words = name.as_chunks::<8>().0.iter().chain([last]);
        let mix = |hash: u64, word: &[u8; 8]| {
            (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        };
        let hash = words.fold(0, mix);
        Self(u32::try_from(hash >> 32).unwrap_or(0))
    }

    /// With `bytes` behind what was fed before.
    #[must_use]
    pub fn feed(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)))
    }
}
