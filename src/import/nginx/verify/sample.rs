//! Texts that a regex takes.

use super::Random;
use crate::regex;
use regex_syntax::hir::{Class, Hir, HirKind};

/// A regex that texts can be made for.
#[derive(Clone, Debug)]
pub(super) struct Sample(Hir);

impl Sample {
    /// For `source`; look-around counts for nothing, so that what comes may just miss it. None where it cannot be read.
    pub(super) fn of(source: &str, caseless: bool) -> Option<Self> {
        regex::parse(source, caseless).ok().map(|regex| Self(regex.meaning.hir))
    }

    /// A text that holds a match; bytes as Latin-1.
    pub(super) fn text(&self, random: &mut Random) -> String {
        let mut bytes = Vec::new();
        write(&self.0, random, &mut bytes);
        bytes.into_iter().map(char::from).collect()
    }
}

/// A text of a pattern like `(a{1000}){1000}` would be long; one this long is cut.
const OCTETS_MAX: usize = 400;

fn write(hir: &Hir, random: &mut Random, bytes: &mut Vec<u8>) {
    if bytes.len() > OCTETS_MAX {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => bytes.extend(&literal.0),
        HirKind::Class(class) => bytes.extend(member(class, random)),
        HirKind::Repetition(repetition) => {
            let more = match repetition.max {
                Some(max) => (max - repetition.min).min(3),
                None => 3,
            };
            let more = random.below(more as usize + 1);
            for _ in 0..repetition.min as usize + more {
                write(&repetition.sub, random, bytes);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, random, bytes),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, random, bytes)),
        HirKind::Alternation(parts) => {
            if let Some(part) = random.pick(parts) {
                write(part, random, bytes);
            }
        }
    }
}

fn member(class: &Class, random: &mut Random) -> Option<u8> {
    let ranges: Vec<(u8, u8)> = match class {
        Class::Bytes(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
        Class::Unicode(class) => {
            let byte = |c: char| u8::try_from(c).unwrap_or(127);
            class.ranges().iter().map(|range| (byte(range.start()), byte(range.end()))).collect()
        }
    };
    // Letters and digits are what a name is made of.
    for _ in 0..8 {
        let wanted = *b"ab01x9_-Zq".get(random.below(10))?;
        if ranges.iter().any(|(first, last)| (*first..=*last).contains(&wanted)) {
            return Some(wanted);
        }
    }
    let (first, last) = *random.pick(&ranges)?;
    Some(first.saturating_add(u8::try_from(random.below(usize::from(last - first) + 1)).unwrap_or(0)))
}
