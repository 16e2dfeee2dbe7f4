//! Perl's regular expressions, as nginx users write them, to regex-syntax's HIR.
//!
//! The reader is our own: regex-syntax's reads another dialect (`[a&&b]`, `\<`, `(?x)`), and whatever it reads
//! differently would have to be found and refused beforehand by a second reader anyway. Here every construct either has
//! exactly the meaning that PCRE2 gives it without UTF mode, or is refused by name with what to write instead.
//!
//! Patterns and what they match are bytes: classes are ASCII, a character beyond ASCII is its UTF-8 bytes, `$` is also
//! true before one final newline.

mod class;
mod escape;
mod flags;
mod group;
mod look;
mod meaning;
mod parser;
mod possessive;
mod sets;

pub use meaning::{LookAround, Mark, Meaning};

use core::ops::Range;

/// What a pattern means.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Regex {
    /// Names of the groups 1.., None for those without.
    pub groups: Vec<Option<String>>,
    /// What it matches.
    pub meaning: Meaning,
}

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// `regex-syntax`, `regex-backreference`, `regex-unsupported`, `regex-ambiguous`, `regex-flag`,
    /// `regex-possessive`, `regex-lookbehind` or `regex-too-large`.
    pub code: &'static str,
    /// Where, in bytes of the pattern.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Reads `source`; `caseless` is `~*`.
///
/// It costs time and memory linear in the length of `source` and in the size limit of what it stands for.
///
/// # Errors
/// If it is no regular expression of Perl's, is none that is regular, could be read in two ways, or is too large.
pub fn parse(source: &str, caseless: bool) -> Result<Regex, Mistake> {
    parser::Parser::new(source, caseless).parse()
}

/// Groups within groups. PCRE2 itself stops at 250; people write five.
const NEST_MAX: usize = 64;
/// The largest number in `{...}`: ten times what anybody writes for a path.
const REPEAT_MAX: u32 = 1_000;
/// Bytes and classes of a pattern with its repetitions written out. Longer ones cost the automata more than they tell.
const SIZE_MAX: usize = 20_000;
/// Look-around in one pattern, and as many possessive parts: ten times what people write.
const LOOKS_MAX: usize = 64;
/// PCRE2's own bound for names of groups.
const NAME_OCTETS_MAX: usize = 32;

impl Mistake {
    fn new(code: &'static str, range: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, range, message: message.into(), help: None }
    }

    fn syntax(range: Range<usize>, message: impl Into<String>) -> Self {
        Self::new("regex-syntax", range, message)
    }

    fn unsupported(range: Range<usize>, message: impl Into<String>) -> Self {
        Self::new("regex-unsupported", range, message)
    }

    fn ambiguous(range: Range<usize>, message: impl Into<String>) -> Self {
        Self::new("regex-ambiguous", range, message)
    }

    fn backreference(range: Range<usize>) -> Self {
        Self::new("regex-backreference", range, "a backreference: no automaton can compare two parts of a text")
            .help("write the alternatives out, or match less exactly and let the upstream compare")
    }

    fn lookbehind(range: Range<usize>) -> Self {
        Self::new("regex-lookbehind", range, "what stands behind may have different lengths")
            .help("write alternatives, each of one length: `(?<=ab|c)`; no `*`, `+` or `?`")
    }

    fn too_large(range: Range<usize>, message: impl Into<String>) -> Self {
        Self::new("regex-too-large", range, message)
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
