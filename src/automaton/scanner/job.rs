//! What a scanner looks for.

use crate::automaton::branch::Branch;
use crate::automaton::letters::{Letter, beginning, required};
use crate::automaton::program::{Program, TooLarge};
use regex_syntax::hir::{Hir, HirKind, Look};

/// A pattern, and what to tell of it.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// What it begins with.
    pub(super) letters: Vec<Letter>,
    /// What follows them.
    pub(super) program: Program,
    /// Whether it begins at the first byte; else anywhere.
    pub(super) anchored: bool,
    /// Letters that every match holds, in lower case.
    pub(crate) required: Vec<u8>,
    pub(crate) emission: Emission,
    /// What it was made of, if it can be looked for from either end.
    pub(crate) branch: Option<Box<Branch>>,
}

/// What is told of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emission {
    /// Its rank.
    Rank(u32),
    /// That `continuation` goes on behind it, of which `best` is the least rank.
    Continuation {
        /// Which.
        continuation: u32,
        /// Its least rank.
        best: u32,
    },
}

/// Letters of the shortest run that a filter looks for.
const FILTER_MIN: usize = 3;

impl Emission {
    pub(crate) fn best(self) -> u32 {
        match self {
            Self::Rank(rank) => rank,
            Self::Continuation { best, .. } => best,
        }
    }
}

impl Job {
    /// The job of `hir`, which holds no look-around; one that is `anchored` may say so by a `Look::Start`.
    ///
    /// # Errors
    /// If it has more than `instructions_max` instructions.
    pub(crate) fn new(
        hir: &Hir,
        anchored: bool,
        emission: Emission,
        instructions_max: usize,
    ) -> Result<Self, TooLarge> {
        let (letters, rest) = beginning(&without_start(hir));
        // A start that stands further inside is the program's own affair: it has to see the first byte.
        let (letters, rest) = if rest.properties().look_set().contains(Look::Start) && !letters.is_empty() {
            (Vec::new(), hir.clone())
        } else {
            (letters, rest)
        };
        let program = Program::new(&rest.into(), false, instructions_max)?;
        Ok(Self { letters, program, anchored, required: required(hir), emission, branch: None })
    }

    /// The job of a program.
    pub(crate) fn of_program(program: Program, emission: Emission) -> Self {
        let anchored = program.anchored;
        Self { letters: Vec::new(), anchored, program, required: Vec::new(), emission, branch: None }
    }

    pub(crate) fn is_anchored(&self) -> bool {
        self.anchored
    }

    /// Whether every match holds letters enough to filter texts by.
    pub(crate) fn has_required(&self) -> bool {
        self.required.len() >= FILTER_MIN
    }

    /// Instructions and letters.
    pub(crate) fn size(&self) -> usize {
        self.letters.len() + self.program.instructions.len()
    }

    /// What jobs are sorted by, so that those that share states are neighbours.
    pub(crate) fn beginning(&self) -> impl Ord + '_ {
        (self.letters.is_empty(), self.letters.as_slice())
    }
}

fn without_start(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Concat(parts) => {
            let starts = parts.iter().take_while(|part| *part.kind() == HirKind::Look(Look::Start)).count();
            Hir::concat(parts.get(starts..).unwrap_or(&[]).to_vec())
        }
        HirKind::Look(Look::Start) => Hir::empty(),
        _ => hir.clone(),
    }
}
