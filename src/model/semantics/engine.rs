//! Matches patterns by walking their NFA: for explanations, where PCRE2 is not at hand.

use super::Regexes;
use crate::model::{Operator, Pattern};
use crate::regex::{Mark, Meaning};
use core::ops::Range;
use regex_automata::nfa::thompson::{Compiler, Config, NFA, State, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::Hir;

/// Backtracking that visits no pair of state and position twice, so it costs their product at most.
///
/// Look-around is decided where it is met, by a search of its own. Compiles a pattern anew at each call. A pattern
/// without a meaning (it has a mistake) matches nothing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Simulation;

impl Regexes for Simulation {
    fn captures(&self, pattern: &Pattern, subject: &[u8]) -> Option<Vec<Option<Range<usize>>>> {
        Nfas::new(pattern.meaning.as_ref()?)?.captures(pattern, subject)
    }
}

/// The same for the one pattern that an operator asks for, compiled once.
pub(crate) struct Prepared<'m>(Option<Nfas<'m>>);

impl<'m> Prepared<'m> {
    /// For the pattern of `operator`, where it has one.
    pub(crate) fn new(operator: &'m Operator) -> Self {
        let meaning = match operator {
            Operator::Regex(pattern) => pattern.meaning.as_ref(),
            _ => None,
        };
        Self(meaning.and_then(Nfas::new))
    }
}

impl Regexes for Prepared<'_> {
    fn captures(&self, pattern: &Pattern, subject: &[u8]) -> Option<Vec<Option<Range<usize>>>> {
        self.0.as_ref()?.captures(pattern, subject)
    }
}

type Slots = Vec<Option<usize>>;

struct Nfas<'m> {
    meaning: &'m Meaning,
    whole: NFA,
    looks: Vec<NFA>,
}

impl<'m> Nfas<'m> {
    fn new(meaning: &'m Meaning) -> Option<Self> {
        let config = Config::new().utf8(false).which_captures(WhichCaptures::All);
        let nfa = |hir: &Hir| Compiler::new().configure(config.clone()).build_from_hir(hir).ok();
        let looks = meaning.looks.iter().map(|look| nfa(&look.hir)).collect::<Option<Vec<NFA>>>()?;
        Some(Self { meaning, whole: nfa(&meaning.hir)?, looks })
    }

    fn captures(&self, pattern: &Pattern, subject: &[u8]) -> Option<Vec<Option<Range<usize>>>> {
        let mut search = Search::new(self, &self.whole, subject, None);
        let slots = (0..=subject.len()).find_map(|start| search.run(start))?;
        let group = |group: usize| {
            let slot = |slot: usize| slots.get(slot).copied().flatten();
            Some(slot(group * 2)?..slot(group * 2 + 1)?)
        };
        Some((0..=pattern.groups.len()).map(group).collect())
    }

    /// Whether look-around `index` holds at `at`.
    fn look(&self, index: usize, subject: &[u8], at: usize) -> bool {
        let (Some(look), Some(nfa)) = (self.meaning.looks.get(index), self.looks.get(index)) else { return false };
        let is_there = if look.ahead {
            Search::new(self, nfa, subject, None).run(at).is_some()
        } else {
            let mut search = Search::new(self, nfa, subject, Some(at));
            (0..=at).any(|start| search.run(start).is_some())
        };
        is_there != look.negative
    }
}

struct Search<'a> {
    nfas: &'a Nfas<'a>,
    nfa: &'a NFA,
    subject: &'a [u8],
    /// Where a match has to end, if not anywhere.
    end: Option<usize>,
    /// By state and position: a pair that led nowhere once leads nowhere again, from a later start too.
    visited: Vec<bool>,
}

impl<'a> Search<'a> {
    fn new(nfas: &'a Nfas<'a>, nfa: &'a NFA, subject: &'a [u8], end: Option<usize>) -> Self {
        Self { nfas, nfa, subject, end, visited: vec![false; nfa.states().len() * (subject.len() + 1)] }
    }

    /// The captures of the first match in Perl's order, if there is one.
    fn run(&mut self, start: usize) -> Option<Slots> {
        let slots = vec![None; self.nfa.group_info().slot_len()];
        // What is still to be tried, the next one last.
        let mut stack = vec![(self.nfa.start_anchored(), start, slots)];
        while let Some((state, at, slots)) = stack.pop() {
            if self.is_visited(state, at) {
                continue;
            }
            match self.nfa.state(state) {
                State::Match { .. } if self.end.is_none_or(|end| end == at) => return Some(slots),
                State::Look { look, next } if self.holds(*look, at) => stack.push((*next, at, slots)),
                State::Match { .. } | State::Fail | State::Look { .. } => {}
                State::Union { alternates } => {
                    stack.extend(alternates.iter().rev().map(|next| (*next, at, slots.clone())));
                }
                State::BinaryUnion { alt1, alt2 } => {
                    stack.push((*alt2, at, slots.clone()));
                    stack.push((*alt1, at, slots));
                }
                State::Capture { next, slot, group_index, .. } => {
                    let mark = self.nfas.meaning.mark(u32::try_from(group_index.as_usize()).unwrap_or(u32::MAX));
                    let is_look_begun = slot.as_usize() % 2 == 0;
                    if let Mark::Look(look) = mark
                        && is_look_begun
                        && !self.nfas.look(look, self.subject, at)
                    {
                        continue;
                    }
                    let mut slots = slots;
                    if let Some(place) = slots.get_mut(slot.as_usize()) {
                        *place = Some(at);
                    }
                    stack.push((*next, at, slots));
                }
                State::ByteRange { trans } => {
                    if self.subject.get(at).is_some_and(|byte| trans.matches_byte(*byte)) {
                        stack.push((trans.next, at + 1, slots));
                    }
                }
                State::Sparse(sparse) => {
                    let next = self.subject.get(at).and_then(|byte| sparse.matches_byte(*byte));
                    stack.extend(next.map(|next| (next, at + 1, slots)));
                }
                State::Dense(dense) => {
                    let next = self.subject.get(at).and_then(|byte| dense.matches_byte(*byte));
                    stack.extend(next.map(|next| (next, at + 1, slots)));
                }
            }
        }
        None
    }

    /// Marks the pair, and says whether it was marked.
    fn is_visited(&mut self, state: StateID, at: usize) -> bool {
        let pair = state.as_usize() * (self.subject.len() + 1) + at;
        self.visited.get_mut(pair).is_none_or(|visited| core::mem::replace(visited, true))
    }

    fn holds(&self, look: Look, at: usize) -> bool {
        let is_word = |at: Option<usize>| {
            let byte = at.and_then(|at| self.subject.get(at));
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        };
        let is_boundary = is_word(at.checked_sub(1)) != is_word(Some(at));
        match look {
            Look::Start => at == 0,
            Look::End => at == self.subject.len(),
            // PCRE's `$`: the end, or before one final newline.
            Look::EndLF => matches!(self.subject.get(at..), Some([] | [b'\n'])),
            Look::WordAscii => is_boundary,
            Look::WordAsciiNegate => !is_boundary,
            _ => false,
        }
    }
}
