//! What a look-ahead demands of the bytes that follow.
//!
//! An automaton reads a byte before it knows the next one. So `$`, `\z` and `\b` do not look: they go on under a
//! constraint, and the next byte, or the end, keeps it or breaks it.

use super::byte_classes::is_word;

/// What must follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Constraint {
    /// Anything.
    None,
    /// The end.
    End,
    /// A newline, then the end.
    FinalNewline,
    /// A byte of a word.
    Word,
    /// The end, or a byte that is of no word.
    NotWord,
}

impl Constraint {
    /// Both, or None where they contradict each other.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        use Constraint::{End, FinalNewline, NotWord};
        match (self, other) {
            (a, b) if a == b => Some(a),
            (Self::None, other) | (other, Self::None) => Some(other),
            (End, NotWord) | (NotWord, End) => Some(End),
            (FinalNewline, NotWord) | (NotWord, FinalNewline) => Some(FinalNewline),
            _ => None,
        }
    }

    /// What still must follow `byte`, or None where `byte` breaks it.
    pub(super) fn after(self, byte: u8) -> Option<Self> {
        let kept = match self {
            Self::None => true,
            Self::End => false,
            Self::FinalNewline => return (byte == b'\n').then_some(Self::End),
            Self::Word => is_word(byte),
            Self::NotWord => !is_word(byte),
        };
        kept.then_some(Self::None)
    }

    /// Whether the end keeps it.
    pub(super) fn holds_at_end(self) -> bool {
        matches!(self, Self::None | Self::End | Self::NotWord)
    }
}
