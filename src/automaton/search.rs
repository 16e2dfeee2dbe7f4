//! A list of regexes, the first of which that matches counts, as few scanners.

use super::branch::{Branch, Gap, branches, reversed};
use super::filter::{Filter, filter};
use super::limits::{Cost, Limits, Refused};
use super::look_around::without_look_around;
use super::program::Program;
use super::scanner::{Emission, Job, Literal, Scanner, build};
use crate::model::pattern::Meaning;
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

/// States that a scanner needs for each letter and instruction of its patterns, where they hardly overlap.
const STATES_A_PLACE: usize = 4;

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
    let mut workshop = Workshop { limits, steps, scanners: Vec::new() };
    let mut scans = workshop.scans(top.anchored, literals, false)?;
    if literals.is_some() {
        scans.remove(0);
    }
    let (filtered, always): (Vec<Job>, Vec<Job>) = top.anywhere.into_iter().partition(Job::has_required);
    scans.extend(workshop.scans(top.backward, None, true)?);
    for (scan, jobs) in workshop.parts(filtered, None)? {
        let required: Vec<&[u8]> = jobs.iter().map(|job| job.required.as_slice()).collect();
        scans.push(Scan { filter: filter(&required), ..scan });
    }
    scans.extend(workshop.scans(always, None, false)?);
    let mut rest: Vec<Plan> = plans.collect();
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
    Ok(Search { scanners: workshop.scanners, scans, continuations })
}

/// Jobs of one text, by how they are looked for.
#[derive(Default)]
struct Plan {
    anchored: Vec<Job>,
    anywhere: Vec<Job>,
    backward: Vec<Job>,
    line: bool,
    repeats: bool,
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
            let refused = |cost| Refused { language: rank, cost };
            let Limits { instructions_max, look_instructions_max, .. } = *self.limits;
            let program = Program::new(meaning, false, instructions_max)
                .map_err(|_| refused(Cost::Instructions(instructions_max)))?;
            let program = without_look_around(&program, self.limits, steps)
                .map_err(|_| refused(Cost::LookAround(look_instructions_max)))?;
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
        if branch.gaps.is_empty() || repeats && self.repeating >= REPEATING_MAX {
            let is_backward = branch.gaps.is_empty() && !branch.anchored && branch.end.is_some();
            let job = if is_backward {
                whole(&backward(&branch), true, Emission::Rank(rank))?
            } else {
                whole(&forward(&branch), branch.anchored, Emission::Rank(rank))?
            };
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

/// The only piece of `branch`, which asks for an end, read from there.
fn backward(branch: &Branch) -> Hir {
    let newline =
        Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(Hir::literal(*b"\n")) });
    let mut parts = Vec::new();
    parts.extend((branch.end == Some(Look::EndLF)).then_some(newline));
    parts.extend(branch.pieces.first().map(reversed));
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

/// Jobs of one continuation, and its index.
type List = (usize, Vec<Job>);

/// Builds scanners within their budget.
struct Workshop<'a> {
    limits: &'a Limits,
    steps: &'a mut u64,
    scanners: Vec<Scanner>,
}

impl Workshop<'_> {
    /// Scans for `jobs`; the first of them looks for `literals` too.
    fn scans(
        &mut self,
        jobs: Vec<Job>,
        literals: Option<&[Literal<'_>]>,
        backward: bool,
    ) -> Result<Vec<Scan>, Refused> {
        let parts = self.parts(jobs, literals)?;
        Ok(parts.into_iter().map(|(scan, _)| Scan { backward, ..scan }).collect())
    }

    /// Scans for `jobs`, each with its own; the first of them looks for `literals` too.
    fn parts(
        &mut self,
        mut jobs: Vec<Job>,
        literals: Option<&[Literal<'_>]>,
    ) -> Result<Vec<(Scan, Vec<Job>)>, Refused> {
        // Those that begin alike share states; those that begin with anything multiply them.
        jobs.sort_by(|one, other| one.beginning().cmp(&other.beginning()));
        let mut parts = Vec::new();
        let mut waiting = if jobs.is_empty() && literals.is_none() { Vec::new() } else { vec![jobs] };
        let mut literals = literals;
        while let Some(mut jobs) = waiting.pop() {
            let own = literals.unwrap_or(&[]);
            if let Some(scanner) = self.build(&[&jobs], own, jobs.len() <= 1)? {
                literals = None;
                let best = jobs.iter().map(|job| job.emission.best()).min().unwrap_or(u32::MAX);
                self.scanners.push(scanner);
                let scanner = self.scanners.len() - 1;
                parts.push((Scan { scanner, start: 0, best, backward: false, filter: None }, jobs));
            } else {
                let behind = jobs.split_off(jobs.len() / 2);
                waiting.extend([behind, jobs]);
            }
        }
        Ok(parts)
    }

    /// Scans for lists of jobs, in as few scanners as the budget allows.
    fn shared(&mut self, lists: Vec<List>, backward: bool) -> Result<Vec<(usize, Scan)>, Refused> {
        let mut scans = Vec::new();
        let mut waiting = if lists.is_empty() { Vec::new() } else { vec![lists] };
        while let Some(mut lists) = waiting.pop() {
            let starts: Vec<&[Job]> = lists.iter().map(|(_, jobs)| jobs.as_slice()).collect();
            if let Some(scanner) = self.build(&starts, &[], false)? {
                self.scanners.push(scanner);
                let scanner = self.scanners.len() - 1;
                for (start, (index, jobs)) in lists.iter().enumerate() {
                    let best = jobs.iter().map(|job| job.emission.best()).min().unwrap_or(u32::MAX);
                    scans.push((*index, Scan { scanner, start, best, backward, filter: None }));
                }
            } else if lists.len() == 1 {
                for (index, jobs) in lists {
                    scans.extend(self.scans(jobs, None, backward)?.into_iter().map(|scan| (index, scan)));
                }
            } else {
                let behind = lists.split_off(lists.len() / 2);
                waiting.extend([behind, lists]);
            }
        }
        Ok(scans)
    }

    /// The scanner of `starts`, or None where it would be beyond its budget and there is something to split.
    fn build(&mut self, starts: &[&[Job]], literals: &[Literal<'_>], is_one: bool) -> Result<Option<Scanner>, Refused> {
        let places = starts.iter().flat_map(|jobs| jobs.iter()).map(Job::size).sum::<usize>()
            + literals.iter().map(|literal| literal.text.len()).sum::<usize>();
        let Limits { states_max, states_of_one_max, steps_max, steps_of_one_max, .. } = *self.limits;
        let states = STATES_A_PLACE * places + if is_one { states_of_one_max } else { states_max };
        let is_refused = is_one && literals.is_empty();
        let given = if is_refused { (*self.steps).min(steps_of_one_max) } else { *self.steps };
        let mut left = given;
        let built = build(starts, literals, states, &mut left);
        *self.steps -= given - left;
        let refused = |cost| {
            let language = starts.iter().map(|jobs| culprit(jobs)).min().unwrap_or(0);
            Err(Refused { language, cost })
        };
        match built {
            Ok(scanner) => Ok(Some(scanner)),
            Err(_) if *self.steps == 0 => refused(Cost::Steps(steps_max)),
            Err(_) if is_refused && left == 0 => refused(Cost::Steps(given)),
            Err(_) if is_refused => refused(Cost::States(states)),
            Err(_) => Ok(None),
        }
    }
}

/// The rank of the largest of `jobs`.
fn culprit(jobs: &[Job]) -> u32 {
    jobs.iter().max_by_key(|job| job.size()).map_or(0, |job| job.emission.best())
}
