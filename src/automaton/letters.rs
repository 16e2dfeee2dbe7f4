//! Literal text in patterns: what patterns begin with, and what they cannot do without.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A letter of a literal: one byte, or an ASCII letter in either case (upper case first).
pub(super) type Letter = [u8; 2];

/// The letters that every match of `hir` begins with, and what follows them.
pub(super) fn beginning(hir: &Hir) -> (Vec<Letter>, Hir) {
    let parts = match hir.kind() {
        HirKind::Concat(parts) => parts.clone(),
        _ => vec![hir.clone()],
    };
    let mut letters = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let Some(own) = letters_of(part) else {
            return (letters, Hir::concat(parts.get(index..).unwrap_or(&[]).to_vec()));
        };
        letters.extend(own);
    }
    (letters, Hir::empty())
}

/// The longest run of letters that every match of `hir` holds, in lower case; empty where there is none.
pub(super) fn required(hir: &Hir) -> Vec<u8> {
    let parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        HirKind::Repetition(repetition) if repetition.min > 0 => return required(&repetition.sub),
        _ => core::slice::from_ref(hir),
    };
    let mut longest = Vec::new();
    let mut run = Vec::new();
    for part in parts {
        match letters_of(part) {
            Some(letters) => run.extend(letters.iter().map(|[_, lower]| lower.to_ascii_lowercase())),
            None if matches!(part.kind(), HirKind::Look(_)) => {}
            None => {
                longest = longer(longest, core::mem::take(&mut run));
                if matches!(part.kind(), HirKind::Repetition(repetition) if repetition.min > 0) {
                    longest = longer(longest, required(part));
                }
            }
        }
    }
    longer(longest, run)
}

fn longer(one: Vec<u8>, other: Vec<u8>) -> Vec<u8> {
    if other.len() > one.len() { other } else { one }
}

fn letters_of(hir: &Hir) -> Option<Vec<Letter>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(literal.0.iter().map(|byte| [*byte, *byte]).collect()),
        HirKind::Class(Class::Bytes(class)) => match class.ranges() {
            [upper, lower]
                if upper.len() == 1 && lower.len() == 1 && upper.start().to_ascii_lowercase() == lower.start() =>
            {
                Some(vec![[upper.start(), lower.start()]])
            }
            _ => None,
        },
        _ => None,
    }
}
