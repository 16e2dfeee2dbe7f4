//! A regex as alternatives, each of them pieces with gaps (`.*`) between.
//!
//! A gap forgets nothing: behind `^/a/.*` every state would have to be there twice, with and without the `/a/`. So
//! what stands behind a gap is looked for once what stands before it was found, where it was first found: an earlier
//! end of the one leaves more room for the other.

use crate::regex::Meaning;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look, Repetition};

/// One way in which a regex matches.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    /// Whether it begins at the first byte.
    pub(super) anchored: bool,
    /// The kind of end that the last piece stands at, if one is asked for: `End` or `EndLF`.
    pub(super) end: Option<Look>,
    /// At least one. Where there are several, none asks what stands around it.
    pub(super) pieces: Vec<Hir>,
    /// What may be between each and the next.
    pub(super) gaps: Vec<Gap>,
}

/// What `.*` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Gap {
    /// Any bytes.
    Bytes,
    /// Any bytes but newlines.
    Line,
}

/// Branches of one regex; one of more is left whole.
const BRANCHES_MAX: usize = 64;

/// `.{3,}` is three pieces of one byte and a gap; more are left whole.
const BEFORE_GAP_MAX: u32 = 8;

/// The branches of `meaning`, which holds no look-around.
pub(super) fn branches(meaning: &Meaning) -> Vec<Branch> {
    let hir = without_groups(&meaning.hir);
    match hir.kind() {
        HirKind::Alternation(ways) if ways.len() <= BRANCHES_MAX => ways.iter().map(branch).collect(),
        _ => vec![branch(&hir)],
    }
}

fn branch(hir: &Hir) -> Branch {
    let mut parts = Vec::new();
    flatten(hir, &mut parts);
    let anchored = hir.properties().look_set_prefix().contains(Look::Start);
    let whole = Branch { anchored, end: None, pieces: vec![hir.clone()], gaps: Vec::new() };
    let starts = parts.iter().take_while(|part| *part.kind() == HirKind::Look(Look::Start)).count();
    let mut rest = parts.split_off(starts);
    let end = match rest.last().map(Hir::kind) {
        Some(HirKind::Look(end @ (Look::End | Look::EndLF))) => Some(*end),
        _ => None,
    };
    rest.truncate(rest.len() - usize::from(end.is_some()));
    if anchored && starts == 0 || rest.iter().any(|part| !part.properties().look_set().is_empty()) {
        return whole;
    }
    let (pieces, gaps) = pieces(rest);
    // Only where no piece holds a newline is its first end in a line as good as every other there.
    let crosses = gaps.contains(&Gap::Line) && pieces.iter().any(may_hold_newline);
    // A last piece that may be empty does not see a newline between the gap and the end.
    let is_empty = |piece: &Hir| piece.properties().minimum_len() == Some(0);
    let ends_anyhow = end == Some(Look::End) && gaps.last() == Some(&Gap::Line) && pieces.last().is_some_and(is_empty);
    if crosses || ends_anyhow { whole } else { Branch { anchored, end, pieces, gaps } }
}

fn pieces(parts: Vec<Hir>) -> (Vec<Hir>, Vec<Gap>) {
    let mut pieces = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let mut piece = Vec::new();
    for part in parts {
        match gap(&part) {
            None => piece.push(part),
            Some((least, class, gap)) => {
                piece.extend(core::iter::repeat_n(class, least as usize));
                match gaps.last_mut() {
                    // `.*.*`
                    Some(before) if piece.is_empty() => *before = (*before).min(gap),
                    _ => {
                        pieces.push(Hir::concat(core::mem::take(&mut piece)));
                        gaps.push(gap);
                    }
                }
            }
        }
    }
    pieces.push(Hir::concat(piece));
    (pieces, gaps)
}

/// How many bytes a gap has at least, which, and what kind it is.
fn gap(hir: &Hir) -> Option<(u32, Hir, Gap)> {
    let HirKind::Repetition(Repetition { min: least @ 0..=BEFORE_GAP_MAX, max: None, sub, .. }) = hir.kind() else {
        return None;
    };
    let HirKind::Class(Class::Bytes(class)) = sub.kind() else { return None };
    let gap = match (class.ranges().len(), class.iter().map(ClassBytesRange::len).sum()) {
        (1, 256) => Gap::Bytes,
        (2, 255) if !holds(class, b'\n') => Gap::Line,
        _ => return None,
    };
    Some((*least, (**sub).clone(), gap))
}

fn holds(class: &ClassBytes, byte: u8) -> bool {
    class.iter().any(|range| (range.start()..=range.end()).contains(&byte))
}

fn may_hold_newline(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&b'\n'),
        HirKind::Class(Class::Bytes(class)) => holds(class, b'\n'),
        HirKind::Class(Class::Unicode(_)) => true,
        HirKind::Repetition(repetition) => may_hold_newline(&repetition.sub),
        HirKind::Capture(capture) => may_hold_newline(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(may_hold_newline),
    }
}

fn flatten(hir: &Hir, parts: &mut Vec<Hir>) {
    match hir.kind() {
        HirKind::Concat(own) => own.iter().for_each(|part| flatten(part, parts)),
        HirKind::Empty => {}
        _ => parts.push(hir.clone()),
    }
}

fn without_groups(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Capture(capture) => without_groups(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(without_groups).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(without_groups).collect()),
        HirKind::Repetition(repetition) => {
            let sub = Box::new(without_groups(&repetition.sub));
            Hir::repetition(Repetition { sub, ..repetition.clone() })
        }
        _ => hir.clone(),
    }
}

/// What `hir`, which asks nothing of what stands around it, holds when it is read from its end.
pub(super) fn reversed(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Literal(literal) => Hir::literal(literal.0.iter().rev().copied().collect::<Vec<u8>>()),
        HirKind::Concat(parts) => Hir::concat(parts.iter().rev().map(reversed).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(reversed).collect()),
        HirKind::Repetition(repetition) => {
            let sub = Box::new(reversed(&repetition.sub));
            Hir::repetition(Repetition { sub, ..repetition.clone() })
        }
        HirKind::Capture(capture) => reversed(&capture.sub),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    }
}
