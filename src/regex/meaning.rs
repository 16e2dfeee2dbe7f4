//! What a pattern means: a HIR, and the look-around in it.

use regex_syntax::hir::{Capture, Hir};

/// A set of texts. HIR has no look-around, so groups of numbers that no author can write stand for it: they are
/// empty, and mark the place.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Meaning {
    /// `Look::End` is `\z`, `Look::EndLF` PCRE's `$`: the end, or before one final newline.
    pub hir: Hir,
    /// All look-around; one that stands inside another comes before it.
    pub looks: Vec<LookAround>,
    /// The group that stands for `looks[0]`; groups from here on are no groups.
    pub marks: u32,
    /// Groups inside positive look-around: PCRE keeps what they captured there.
    pub groups_inside: Vec<u32>,
}

/// A condition on what stands around a position.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LookAround {
    /// `(?=` and `(?!`: something that begins here; else something that ends here.
    pub ahead: bool,
    /// `(?!` and `(?<!`: it must not be there.
    pub negative: bool,
    /// What must be there, with marks of its own.
    pub hir: Hir,
}

/// What a group of a HIR stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every reader has to consider every one")]
pub enum Mark {
    /// A group that captures.
    Group,
    /// The look-around of this index.
    Look(usize),
    /// Nothing that has to be done.
    Nothing,
}

impl Meaning {
    /// What group `index` of the HIR stands for.
    pub fn mark(&self, index: u32) -> Mark {
        match index.checked_sub(self.marks) {
            None => Mark::Group,
            Some(look) if (look as usize) < self.looks.len() => Mark::Look(look as usize),
            Some(_) => Mark::Nothing,
        }
    }
}

/// Without look-around.
impl From<Hir> for Meaning {
    fn from(hir: Hir) -> Self {
        Self { hir, looks: Vec::new(), marks: u32::MAX, groups_inside: Vec::new() }
    }
}

/// The place that group `index` marks.
pub(super) fn mark(index: u32, around: Hir) -> Hir {
    Hir::capture(Capture { index, name: None, sub: Box::new(around) })
}
