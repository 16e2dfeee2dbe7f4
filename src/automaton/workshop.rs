//! Jobs to scanners within their budget: in as few as it allows, and without those that are too large alone.

use super::limits::{Cost, Limits, Refused};
use super::scanner::{Emission, Job, Literal, Scanner, build};
use super::search::{Scan, turned};
use std::collections::BTreeMap;

/// States that a scanner needs for each letter and instruction of its patterns, where they hardly overlap.
const STATES_A_PLACE: usize = 4;

/// Jobs of one continuation, and its index.
type List = (usize, Vec<Job>);

/// What scanners are built in.
pub(super) struct Workshop<'a> {
    limits: &'a Limits,
    steps: &'a mut u64,
    /// By continuation: the ranks of the regexes that come to it.
    ranks: Vec<Vec<u32>>,
    pub(super) scanners: Vec<Scanner>,
    /// By rank: regexes that no scanner tells, and what theirs would take too much of.
    pub(super) given_up: BTreeMap<u32, Cost>,
}

/// What came of building a scanner.
enum Built {
    Scanner(Box<Scanner>),
    /// It would be too large, and there is something to split.
    Splits,
    /// It would be too large, and is of one job.
    Never(Cost),
}

impl<'a> Workshop<'a> {
    pub(super) fn new(limits: &'a Limits, steps: &'a mut u64, ranks: Vec<Vec<u32>>) -> Self {
        Self { limits, steps, ranks, scanners: Vec::new(), given_up: BTreeMap::new() }
    }

    /// Scans for `jobs`; the first of them looks for `literals` too.
    pub(super) fn scans(
        &mut self,
        jobs: Vec<Job>,
        literals: Option<&[Literal<'_>]>,
        backward: bool,
    ) -> Result<Vec<Scan>, Refused> {
        Ok(self.parts(jobs, literals, backward)?.into_iter().map(|(scan, _)| scan).collect())
    }

    /// Scans for `jobs`, each with its own; the first of them looks for `literals` too.
    pub(super) fn parts(
        &mut self,
        mut jobs: Vec<Job>,
        literals: Option<&[Literal<'_>]>,
        backward: bool,
    ) -> Result<Vec<(Scan, Vec<Job>)>, Refused> {
        // Those that begin alike share states; those that begin with anything multiply them.
        jobs.sort_by(|one, other| one.beginning().cmp(&other.beginning()));
        let mut parts = Vec::new();
        let mut waiting = if jobs.is_empty() && literals.is_none() { Vec::new() } else { vec![jobs] };
        let mut literals = literals;
        while let Some(mut jobs) = waiting.pop() {
            match self.build(&[&jobs], literals, jobs.len() <= 1)? {
                Built::Scanner(scanner) => {
                    literals = None;
                    let best = jobs.iter().map(|job| job.emission.best()).min().unwrap_or(u32::MAX);
                    parts.push((self.scan(scanner, best, backward), jobs));
                }
                Built::Splits => {
                    let behind = jobs.split_off(jobs.len() / 2);
                    waiting.extend([behind, jobs]);
                }
                Built::Never(cost) => {
                    for job in jobs {
                        parts.extend(self.turned(&job, backward, cost)?);
                    }
                }
            }
        }
        Ok(parts)
    }

    fn scan(&mut self, scanner: Box<Scanner>, best: u32, backward: bool) -> Scan {
        self.scanners.push(*scanner);
        Scan { scanner: self.scanners.len() - 1, start: 0, best, backward, filter: None }
    }

    /// A scan for `job`, too large by `cost`, from the other end. Where that is too large too, the job is given up.
    fn turned(&mut self, job: &Job, backward: bool, cost: Cost) -> Result<Option<(Scan, Vec<Job>)>, Refused> {
        if let Some(other) = turned(job, backward, self.limits.instructions_max)
            && let Built::Scanner(scanner) = self.build(&[core::slice::from_ref(&other)], None, true)?
        {
            return Ok(Some((self.scan(scanner, other.emission.best(), !backward), vec![other])));
        }
        let ranks = match job.emission {
            Emission::Rank(rank) => vec![rank],
            Emission::Continuation { continuation, .. } => {
                self.ranks.get(continuation as usize).cloned().unwrap_or_default()
            }
        };
        self.given_up.extend(ranks.into_iter().map(|rank| (rank, cost)));
        Ok(None)
    }

    /// Scans for lists of jobs, in as few scanners as the budget allows.
    pub(super) fn shared(&mut self, lists: Vec<List>, backward: bool) -> Result<Vec<(usize, Scan)>, Refused> {
        let mut scans = Vec::new();
        let mut waiting = if lists.is_empty() { Vec::new() } else { vec![lists] };
        while let Some(mut lists) = waiting.pop() {
            let starts: Vec<&[Job]> = lists.iter().map(|(_, jobs)| jobs.as_slice()).collect();
            if let Built::Scanner(scanner) = self.build(&starts, None, false)? {
                self.scanners.push(*scanner);
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

    /// The scanner of `starts`, if that keeps its budget.
    fn build(&mut self, starts: &[&[Job]], literals: Option<&[Literal<'_>]>, is_one: bool) -> Result<Built, Refused> {
        let is_alone = is_one && literals.is_none();
        let literals = literals.unwrap_or(&[]);
        let places = starts.iter().flat_map(|jobs| jobs.iter()).map(Job::size).sum::<usize>()
            + literals.iter().map(|literal| literal.text.len()).sum::<usize>();
        let Limits { states_max, states_of_one_max, steps_max, steps_of_one_max, .. } = *self.limits;
        let states = STATES_A_PLACE * places + if is_one { states_of_one_max } else { states_max };
        let given = if is_alone { (*self.steps).min(steps_of_one_max) } else { *self.steps };
        let mut left = given;
        let built = build(starts, literals, states, &mut left);
        *self.steps -= given - left;
        match built {
            Ok(scanner) => Ok(Built::Scanner(Box::new(scanner))),
            Err(_) if *self.steps == 0 => {
                let language = starts.iter().map(|jobs| culprit(jobs)).min().unwrap_or(0);
                Err(Refused { language, cost: Cost::Steps(steps_max) })
            }
            Err(_) if is_alone && left == 0 => Ok(Built::Never(Cost::Steps(given))),
            Err(_) if is_alone => Ok(Built::Never(Cost::States(states))),
            Err(_) => Ok(Built::Splits),
        }
    }
}

/// The rank of the largest of `jobs`.
fn culprit(jobs: &[Job]) -> u32 {
    jobs.iter().max_by_key(|job| job.size()).map_or(0, |job| job.emission.best())
}
