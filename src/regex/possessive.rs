//! What gives nothing back: `a++`, `(?>a|b)`.
//!
//! An automaton follows all ways at once and cannot leave one out. But most such parts leave out nothing: they are
//! taken where it can be shown that the same texts match, with the same groups, if they gave back what they took.

use super::meaning::mark;
use super::parser::{Node, Parser};
use super::{LOOKS_MAX, Mark, Meaning, Mistake};
use core::ops::Range;
use regex_automata::nfa::thompson::{Compiler, Config, NFA, State, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::{Hir, HirKind};
use std::collections::{BTreeSet, HashSet};

/// A part that gives nothing back.
pub(super) struct Atomic {
    range: Range<usize>,
    /// The group that stands around it.
    mark: u32,
    /// Bytes with which it could go on where it could also have ended; None where that is not known.
    goes_on: Option<Bytes>,
}

type Bytes = [bool; 256];

impl Parser<'_> {
    /// `node` as a part that gives nothing back.
    pub(super) fn atomic(&mut self, node: Node, from: usize) -> Result<Node, Mistake> {
        let range = from..self.at;
        if self.atomics.len() == LOOKS_MAX {
            let message = format!("a pattern holds at most {LOOKS_MAX} possessive parts");
            return Err(Mistake::too_large(range, message));
        }
        // Marks of look-around stand before these.
        let index = self.marks + u32::try_from(LOOKS_MAX + self.atomics.len()).unwrap_or(0);
        self.atomics.push(Atomic { range, mark: index, goes_on: goes_on(&node.hir) });
        Ok(Node { hir: mark(index, node.hir), size: node.size })
    }
}

/// Refuses the first of `atomics` that is not shown to change nothing.
pub(super) fn refuse_changes(meaning: &Meaning, atomics: &[Atomic]) -> Result<(), Mistake> {
    if atomics.is_empty() {
        return Ok(());
    }
    let ahead = meaning.looks.iter().filter(|look| look.ahead).map(|look| (&look.hir, true));
    let behind = meaning.looks.iter().filter(|look| !look.ahead).map(|look| (&look.hir, false));
    let mut programs = Vec::new();
    for (hir, ends_anywhere) in core::iter::once((&meaning.hir, true)).chain(ahead).chain(behind) {
        let follow = nfa(hir).map(|nfa| Follow::new(nfa, meaning, ends_anywhere));
        programs.push(follow);
    }
    for atomic in atomics {
        let changes_nothing = atomic.goes_on.is_some_and(|goes_on| goes_on == [false; 256])
            || programs.iter().all(|program| program.as_ref().is_some_and(|program| program.never_takes(atomic)));
        if !changes_nothing {
            let message = "this gives nothing back, which no automaton can express where it matters";
            let help = "leave out the `+`, or write `(?:` for `(?>`; or let what follows begin with other bytes";
            return Err(Mistake::new("regex-possessive", atomic.range.clone(), message).help(help));
        }
    }
    Ok(())
}

fn nfa(hir: &Hir) -> Option<NFA> {
    let config = Config::new().utf8(false).which_captures(WhichCaptures::All).nfa_size_limit(Some(1 << 22));
    Compiler::new().configure(config).build_from_hir(hir).ok()
}

/// The bytes with which `hir` could go on where it could also have ended; none if no text of it begins another.
///
/// None unless its first choice is also the longest: something that is decided, then perhaps a greedy repetition.
fn goes_on(hir: &Hir) -> Option<Bytes> {
    if is_prefix_free(hir) {
        return Some([false; 256]);
    }
    match hir.kind() {
        HirKind::Capture(capture) => goes_on(&capture.sub),
        HirKind::Repetition(repetition) if repetition.greedy && is_prefix_free(&repetition.sub) => {
            Some(nfa(&repetition.sub).map(|nfa| first_bytes(&nfa))?)
        }
        HirKind::Concat(parts) => {
            let (last, before) = parts.split_last()?;
            if is_prefix_free(&Hir::concat(before.to_vec())) { goes_on(last) } else { None }
        }
        _ => None,
    }
}

/// Whether no text of `hir` begins another one, whatever conditions it sets on positions.
fn is_prefix_free(hir: &Hir) -> bool {
    /// Sets of states that are tried; people's possessive parts need a few.
    const SETS_MAX: usize = 64;
    let Some(nfa) = nfa(hir).filter(|nfa| nfa.states().len() <= 2_000) else { return false };
    let mut known: HashSet<BTreeSet<StateID>> = HashSet::new();
    let mut waiting = vec![reached(&nfa, [nfa.start_anchored()])];
    while let Some(set) = waiting.pop() {
        if !known.insert(set.clone()) {
            continue;
        }
        let first = bytes_of(&nfa, &set);
        let ends = set.iter().any(|state| matches!(nfa.state(*state), State::Match { .. }));
        if known.len() > SETS_MAX || ends && first != [false; 256] {
            return false;
        }
        for (byte, _) in (0..=u8::MAX).zip(first).filter(|(_, is_read)| *is_read) {
            waiting.push(reached(&nfa, set.iter().filter_map(|state| read(nfa.state(*state), byte))));
        }
    }
    true
}

fn first_bytes(nfa: &NFA) -> Bytes {
    bytes_of(nfa, &reached(nfa, [nfa.start_anchored()]))
}

/// Bytes that some state of `set` reads.
fn bytes_of(nfa: &NFA, set: &BTreeSet<StateID>) -> Bytes {
    let mut bytes = [false; 256];
    for (byte, is_read) in (0..=u8::MAX).zip(bytes.iter_mut()) {
        *is_read = set.iter().any(|state| read(nfa.state(*state), byte).is_some());
    }
    bytes
}

/// Where `state` leads by reading `byte`.
fn read(state: &State, byte: u8) -> Option<StateID> {
    match state {
        State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
        State::Sparse(sparse) => sparse.matches_byte(byte),
        State::Dense(dense) => dense.matches_byte(byte),
        _ => None,
    }
}

/// What `states` lead to without reading a byte, as if every condition held.
fn reached(nfa: &NFA, states: impl IntoIterator<Item = StateID>) -> BTreeSet<StateID> {
    let mut waiting: Vec<StateID> = states.into_iter().collect();
    let mut set = BTreeSet::new();
    while let Some(state) = waiting.pop() {
        if set.insert(state) {
            waiting.extend(ways(nfa.state(state)));
        }
    }
    set
}

fn ways(state: &State) -> Vec<StateID> {
    match state {
        State::Look { next, .. } | State::Capture { next, .. } => vec![*next],
        State::Union { alternates } => alternates.to_vec(),
        State::BinaryUnion { alt1, alt2 } => vec![*alt1, *alt2],
        _ => Vec::new(),
    }
}

/// What can follow in a pattern, or in a look-around of it.
struct Follow {
    nfa: NFA,
    /// By state: whether the pattern matches from there whatever follows.
    always: Vec<bool>,
}

impl Follow {
    fn new(nfa: NFA, meaning: &Meaning, ends_anywhere: bool) -> Self {
        let is_condition = |state: &State| match state {
            State::Look { .. } => true,
            State::Capture { group_index, .. } => {
                matches!(meaning.mark(u32::try_from(group_index.as_usize()).unwrap_or(u32::MAX)), Mark::Look(_))
            }
            _ => false,
        };
        let mut leads_here: Vec<Vec<StateID>> = vec![Vec::new(); nfa.states().len()];
        let mut waiting = Vec::new();
        for (index, state) in nfa.states().iter().enumerate() {
            let Ok(id) = StateID::new(index) else { continue };
            if ends_anywhere && matches!(state, State::Match { .. }) {
                waiting.push(id);
            }
            for way in ways(state).into_iter().filter(|_| !is_condition(state)) {
                if let Some(places) = leads_here.get_mut(way.as_usize()) {
                    places.push(id);
                }
            }
        }
        let mut always = vec![false; nfa.states().len()];
        while let Some(state) = waiting.pop() {
            if let Some(place @ false) = always.get_mut(state.as_usize()) {
                *place = true;
                waiting.extend(leads_here.get(state.as_usize()).into_iter().flatten());
            }
        }
        Self { nfa, always }
    }

    /// Whether what follows `atomic` matches always, or never begins with a byte that it could have gone on with.
    fn never_takes(&self, atomic: &Atomic) -> bool {
        let ends = |state: &State| match state {
            State::Capture { next, group_index, slot, .. } => {
                let is_end = group_index.as_usize() == atomic.mark as usize && slot.as_usize() % 2 == 1;
                is_end.then_some(*next)
            }
            _ => None,
        };
        let is_always = |state: &StateID| self.always.get(state.as_usize()) == Some(&true);
        let mut waiting: Vec<StateID> =
            self.nfa.states().iter().filter_map(ends).filter(|state| !is_always(state)).collect();
        if waiting.is_empty() {
            return true;
        }
        let Some(goes_on) = atomic.goes_on else { return false };
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            let state = self.nfa.state(id);
            let takes = |byte: u8| goes_on.get(usize::from(byte)) == Some(&true);
            match state {
                // Never true where there is a byte to go on with, a final newline aside.
                State::Look { look: Look::End, .. } => {}
                State::Look { look: Look::EndLF, .. } if !takes(b'\n') => {}
                State::Look { look: Look::EndLF, .. } | State::Match { .. } => return false,
                _ if (0..=u8::MAX).any(|byte| takes(byte) && read(state, byte).is_some()) => return false,
                _ => waiting.extend(ways(state)),
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::regex::parse;

    #[test]
    fn possessive_parts_are_taken_where_they_change_nothing() {
        for pattern in [
            "^/q\\d++x",
            "a++",
            "a++$",
            "a++\\z",
            "(?>a|b)c",
            "(?>ab|ac)b",
            "(?>a|ab)",
            "(?:a++b)*c",
            "(?>/[a-z]+)/",
            "a{2}+a",
            "(?>a*)b",
            "(?:ab)*+c",
            "x(?=a++)a",
            "(?<=(?>a))b",
            "(?:a++)*",
            "\\d++\\b",
        ] {
            let taken = parse(pattern, false).map(|_| ());
            // Whether a boundary follows may depend on how much was taken.
            assert_eq!(taken.is_ok(), pattern != "\\d++\\b", "{pattern}");
        }
        for pattern in ["a++a", "(?>a|ab)c", "a*+ab", "a++(?!b)", "[^x]++$", "(?:a|ab)++c", "a?+a", "(?>a+?)b"] {
            assert_eq!(parse(pattern, false).expect_err(pattern).code, "regex-possessive", "{pattern}");
        }
    }
}
