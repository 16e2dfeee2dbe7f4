//! A list of regexes, the first of which that matches counts, as few scanners.

use super::branch::{Branch, Gap, branches, reversed};
use super::filter::{Filter, filter};
use super::letters::required;
use super::limits::{Cost, Limits, Refused, Simulated};
use super::look_around::without_look_around;
use super::program::Program;
use super::scanner::{Emission, Job, Literal, Scanner};
use super::workshop::Workshop;
use crate::regex::Meaning;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};
use std::collections::HashMap;

/// What tells the first regex of a list that a text holds.
#[derive(Debug)]
pub(crate) struct Search {
    /// With literals, the first is the scanner that looks for them too.
    pub(crate) scanners: Vec<Scanner>,
    /// The scans of a text, besides that for the literals.
    pub(crate) scans: Vec<Scan>,
    /// What the outputs of scanners go on with.
    pub(crate) continuations: Vec<Continuation>,
    /// Regexes that no scanner tells, by rank.
    pub(crate) simulated: Vec<Simulated>,
}

/// A run of a scanner.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) scanner: usize,
    /// Which of its starts.
    pub(crate) start: usize,
    /// The least rank that it can tell.
    pub(crate) best: u32,
    /// Whether it reads from the end.
    pub(crate) backward: bool,
    /// What a text must hold for it to tell anything.
    pub(crate) filter: Option<Filter>,
}

/// Scans of what follows a place.
#[derive(Debug)]
pub(crate) struct Continuation {
    pub(crate) scans: Vec<Scan>,
    /// Whether they end with the line.
    pub(crate) line: bool,
    /// Whether the place may be found several times; the first counts.
    pub(crate) repeats: bool,
}

/// Continuations of places that may be found several times: a matcher keeps bits for their scans. What is beyond is
/// left whole.
const REPEATING_MAX: usize = 1024;

/// The scanners of `regexes`, and of `literals` if there is to be a scanner for them. Takes its steps from `steps`.
///
/// # Errors
/// The index of a regex that is too large.
pub(crate) fn search(
    regexes: &[&Meaning],
    literals: Option<&[Literal<'_>]>,
    limits: &Limits,
    steps: &mut u64,
) -> Result<Search, Refused> {
    let mut planner = Planner { limits, plans: vec![Plan::default()], known: HashMap::new(), repeating: 0 };
    for (rank, meaning) in (0..).zip(regexes) {
        planner.regex(rank, meaning, steps)?;
    }
    let mut plans = planner.plans.into_iter();
    let top = plans.next().unwrap_or_default();
    let mut rest: Vec<Plan> = plans.collect();
    let ranks = rest.iter_mut().map(|plan| core::mem::take(&mut plan.ranks)).collect();
    let mut workshop = Workshop::new(limits, steps, ranks);
    let mut scans = workshop.scans(top.anchored, literals, false)?;
    if literals.is_some() {
        scans.remove(0);
    }
    let (filtered, always): (Vec<Job>, Vec<Job>) = top.anywhere.into_iter().partition(Job::has_required);
    scans.extend(workshop.scans(top.backward, None, true)?);
    for (scan, jobs) in workshop.parts(filtered, None, false)? {
        let required: Vec<&[u8]> = jobs.iter().map(|job| job.required.as_slice()).collect();
        scans.push(Scan { filter: filter(&required), ..scan });
    }
    scans.extend(workshop.scans(always, None, false)?);
    let mut continuations: Vec<Continuation> =
        rest.iter().map(|plan| Continuation { scans: Vec::new(), line: plan.line, repeats: plan.repeats }).collect();
    for (backward, take) in [(true, Plan::take_backward as fn(&mut Plan) -> Vec<Job>), (false, Plan::take_anywhere)] {
        let lists = rest.iter_mut().enumerate().map(|(index, plan)| (index, take(plan)));
        let lists = lists.filter(|(_, jobs)| !jobs.is_empty()).collect();
        for (index, scan) in workshop.shared(lists, backward)? {
            if let Some(continuation) = continuations.get_mut(index) {
                continuation.scans.push(scan);
            }
        }
    }
    let Workshop { scanners, given_up, .. } = workshop;
    let simulated = given_up
        .into_iter()
        .filter_map(|(rank, cost)| Some((rank, cost, regexes.get(rank as usize)?)))
        .map(|(rank, cost, meaning)| {
            let program = program(rank, meaning, limits, steps)?;
            let required = if meaning.looks.is_empty() { required(&meaning.hir) } else { Vec::new() };
            Ok(Simulated { rank, program, required, cost })
        })
        .collect::<Result<_, _>>()?;
    Ok(Search { scanners, scans, continuations, simulated })
}

/// The regex of `rank` as a program without look-around.
fn program(rank: u32, meaning: &Meaning, limits: &Limits, steps: &mut u64) -> Result<Program, Refused> {
    let refused = |cost| Refused { language: rank, cost };
    let Limits { instructions_max, look_instructions_max, .. } = *limits;
    let program = Program::new(meaning, false, instructions_max);
    let program = program.map_err(|_| refused(Cost::Instructions(instructions_max)))?;
    if meaning.looks.is_empty() {
        return Ok(program);
    }
    without_look_around(&program, limits, steps).map_err(|_| refused(Cost::LookAround(look_instructions_max)))
}

/// Jobs of one text, by how they are looked for.
#[derive(Default)]
struct Plan {
    anchored: Vec<Job>,
    anywhere: Vec<Job>,
    backward: Vec<Job>,
    line: bool,
    repeats: bool,
    /// The regexes that come to it.
    ranks: Vec<u32>,
}

impl Plan {
    fn take_backward(&mut self) -> Vec<Job> {
        core::mem::take(&mut self.backward)
    }

    fn take_anywhere(&mut self) -> Vec<Job> {
        core::mem::take(&mut self.anywhere)
    }
}

struct Planner<'a> {
    limits: &'a Limits,
    /// The first is of the whole text, the others are of continuations, in order.
    plans: Vec<Plan>,
    /// By plan, piece, whether it is anchored, and gap: the continuation.
    known: HashMap<(usize, String, bool, Gap), u32>,
    repeating: usize,
}

impl Planner<'_> {
    fn regex(&mut self, rank: u32, meaning: &Meaning, steps: &mut u64) -> Result<(), Refused> {
        if !meaning.looks.is_empty() {
            let program = program(rank, meaning, self.limits, steps)?;
            self.job(0, false, Job::of_program(program, Emission::Rank(rank)));
            return Ok(());
        }
        branches(meaning).into_iter().try_for_each(|branch| self.branch(0, rank, branch))
    }

    fn branch(&mut self, plan: usize, rank: u32, mut branch: Branch) -> Result<(), Refused> {
        let empty = |piece: Option<&Hir>| piece == Some(&Hir::empty());
        while branch.pieces.len() > 1
            && empty(branch.pieces.first())
            && (!branch.anchored || branch.gaps.first() == Some(&Gap::Bytes))
        {
            branch.anchored = false;
            branch.pieces.remove(0);
            branch.gaps.remove(0);
        }
        while branch.pieces.len() > 1
            && empty(branch.pieces.last())
            && (branch.end.is_none() || branch.gaps.last() == Some(&Gap::Bytes))
        {
            branch.end = None;
            branch.pieces.pop();
            branch.gaps.pop();
        }
        let instructions_max = self.limits.instructions_max;
        let whole = |hir: &Hir, anchored: bool, emission: Emission| {
            let cost = Cost::Instructions(instructions_max);
            Job::new(hir, anchored, emission, instructions_max).map_err(|_| Refused { language: rank, cost })
        };
        let repeats = !branch.anchored;
        let is_line = self.plans.get(plan).is_some_and(|plan| plan.line);
        // What is read to the end of a line cannot tell whether the text ends there too.
        let may_be_whole = !(is_line && branch.end.is_some());
        if branch.gaps.is_empty() || repeats && self.repeating >= REPEATING_MAX && may_be_whole {
            let is_backward = branch.gaps.is_empty() && !branch.anchored && branch.end.is_some();
            let mut job = if is_backward {
                whole(&backward(&branch), true, Emission::Rank(rank))?
            } else {
                whole(&forward(&branch), branch.anchored, Emission::Rank(rank))?
            };
            job.branch = (branch.gaps.is_empty() && !is_line).then(|| Box::new(branch));
            self.job(plan, is_backward, job);
            return Ok(());
        }
        let (piece, gap) = (branch.pieces.remove(0), branch.gaps.remove(0));
        let key = (plan, format!("{piece:?}"), branch.anchored, gap);
        let next = if let Some(next) = self.known.get(&key) {
            *next
        } else {
            let next = u32::try_from(self.plans.len()).unwrap_or(u32::MAX);
            let emission = Emission::Continuation { continuation: next - 1, best: rank };
            let job = whole(&piece, branch.anchored, emission)?;
            self.plans.push(Plan { line: gap == Gap::Line, repeats, ..Plan::default() });
            self.repeating += usize::from(repeats);
            self.job(plan, false, job);
            self.known.insert(key, next);
            next
        };
        branch.anchored = false;
        if let Some(plan) = self.plans.get_mut(next as usize) {
            plan.ranks.push(rank);
        }
        self.branch(next as usize, rank, branch)
    }

    fn job(&mut self, plan: usize, is_backward: bool, job: Job) {
        if let Some(plan) = self.plans.get_mut(plan) {
            let jobs = match (is_backward, job.is_anchored()) {
                (true, _) => &mut plan.backward,
                (false, true) => &mut plan.anchored,
                (false, false) => &mut plan.anywhere,
            };
            jobs.push(job);
        }
    }
}

/// What `job` looks for, from the other end of the text; None if that cannot be said.
pub(super) fn turned(job: &Job, is_backward: bool, instructions_max: usize) -> Option<Job> {
    let branch = job.branch.as_ref()?;
    let (hir, anchored) = if is_backward {
        (forward(branch), branch.anchored)
    } else if branch.pieces.iter().all(|piece| piece.properties().look_set().is_empty()) {
        (backward(branch), branch.end.is_some())
    } else {
        return None;
    };
    let mut other = Job::new(&hir, anchored, job.emission, instructions_max).ok()?;
    // Filters read forward.
    other.required.clone_from(&job.required);
    Some(other)
}

/// The whole of `branch`.
fn forward(branch: &Branch) -> Hir {
    let mut parts = Vec::new();
    parts.extend(branch.anchored.then(|| Hir::look(Look::Start)));
    for (index, piece) in branch.pieces.iter().enumerate() {
        parts.push(piece.clone());
        parts.extend(branch.gaps.get(index).map(|gap| any(*gap)));
    }
    parts.extend(branch.end.map(Hir::look));
    Hir::concat(parts)
}

/// The only piece of `branch`, read from its end.
fn backward(branch: &Branch) -> Hir {
    let newline =
        Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(Hir::literal(*b"\n")) });
    let mut parts = Vec::new();
    parts.extend((branch.end == Some(Look::EndLF)).then_some(newline));
    parts.extend(branch.pieces.first().map(reversed));
    parts.extend(branch.anchored.then(|| Hir::look(Look::End)));
    Hir::concat(parts)
}

fn any(gap: Gap) -> Hir {
    let class = match gap {
        Gap::Bytes => ClassBytes::new([ClassBytesRange::new(0, u8::MAX)]),
        Gap::Line => line_bytes(),
    };
    let sub = Box::new(Hir::class(Class::Bytes(class)));
    Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub })
}

/// All bytes but the newline.
fn line_bytes() -> ClassBytes {
    ClassBytes::new([ClassBytesRange::new(0, b'\n' - 1), ClassBytesRange::new(b'\n' + 1, u8::MAX)])
}
