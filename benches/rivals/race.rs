//! One policy, every engine that can take it: agreement first, then times.

use crate::engines::Maker;
use crate::families::Family;
use crate::families::policy::Policy;
use crate::measure::{Measure, Timed};
use std::time::Instant;

/// What came out for one family and size; a cell for each maker.
pub(crate) struct Race {
    pub(crate) locations: usize,
    pub(crate) cells: Vec<Cell>,
}

#[derive(Clone, Copy)]
pub(crate) enum Cell {
    Time {
        nanoseconds: f64,
        build_seconds: f64,
    },
    /// The engine cannot express the policy.
    Unfit,
    /// The engine was too slow at a smaller size already.
    Hopeless,
}

/// An engine that took so long is not tried at the next size, which is ten times as large. Ours always is.
const BUILD_SECONDS_MAX: f64 = 2.0;
const NANOSECONDS_MAX: f64 = 1e6;

/// From this size on the next is only for engines that are not this many times slower than the fastest: nobody would
/// take the others there, and building them takes minutes.
const LARGE: usize = 10_000;
const TIMES_FASTEST_MAX: f64 = 5.0;

impl Race {
    fn is_hopeless_beyond(&self, nth: usize) -> bool {
        let time = |cell: &Cell| if let Cell::Time { nanoseconds, .. } = cell { Some(*nanoseconds) } else { None };
        match self.cells[nth] {
            Cell::Time { nanoseconds, build_seconds } => {
                let fastest = self.cells.iter().filter_map(time).fold(f64::INFINITY, f64::min);
                build_seconds > BUILD_SECONDS_MAX
                    || nanoseconds > NANOSECONDS_MAX
                    || self.locations >= LARGE && nanoseconds > TIMES_FASTEST_MAX * fastest
            }
            Cell::Unfit => false,
            Cell::Hopeless => true,
        }
    }
}

/// The sizes of `family` in `sizes`, which ascend.
pub(crate) fn races(
    family: &Family,
    sizes: impl Iterator<Item = usize>,
    makers: &[Maker],
    measure: Measure,
) -> Vec<Race> {
    let mut races: Vec<Race> = Vec::new();
    for size in sizes {
        let hopeless = |nth: usize| nth > 0 && races.last().is_some_and(|race| race.is_hopeless_beyond(nth));
        let tried: Vec<Option<&Maker>> =
            makers.iter().enumerate().map(|(nth, maker)| (!hopeless(nth)).then_some(maker)).collect();
        races.push(race(&family.policy(size), &tried, measure));
    }
    races
}

fn race(policy: &Policy, makers: &[Option<&Maker>], measure: Measure) -> Race {
    let mut cells = Vec::new();
    let mut engines = Vec::new();
    let mut names = Vec::new();
    for maker in makers {
        let began = Instant::now();
        cells.push(match maker.map(|maker| (maker.name, (maker.make)(policy))) {
            Some((name, Some(engine))) => {
                engines.push(engine);
                names.push(name);
                Cell::Time { nanoseconds: 0.0, build_seconds: began.elapsed().as_secs_f64() }
            }
            Some((_, None)) => Cell::Unfit,
            None => Cell::Hopeless,
        });
    }
    agree(policy, &names, &mut engines);
    let mut times = measure(&mut engines, &policy.paths).into_iter();
    for cell in &mut cells {
        if let Cell::Time { nanoseconds, .. } = cell {
            *nanoseconds = times.next().unwrap_or_default();
        }
    }
    Race { locations: policy.locations.len(), cells }
}

/// Panics where an engine finds another location than the first one.
fn agree(policy: &Policy, names: &[&str], engines: &mut [Box<dyn Timed>]) {
    for path in &policy.paths {
        let mut answers = engines.iter_mut().map(|engine| engine.answer(path));
        let Some(first) = answers.next() else { return };
        for (answer, name) in answers.zip(names.iter().skip(1)) {
            let show = |index: u32| policy.locations.get(index as usize).map_or("nothing", |found| &found.pattern);
            assert!(answer == first, "{path}: {} finds {}, {name} {}", names[0], show(first), show(answer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::agree;
    use crate::engines::makers;
    use crate::families::FAMILIES;

    #[test]
    fn every_engine_finds_the_same_locations_and_most_paths_hit_one() {
        for family in &FAMILIES {
            let policy = family.policy(30);
            let made = makers().into_iter().filter_map(|maker| Some((maker.name, (maker.make)(&policy)?)));
            let (names, mut engines): (Vec<_>, Vec<_>) = made.unzip();
            agree(&policy, &names, &mut engines);
            assert!(names.len() > 3 && names[0] == "rulec", "{}: {names:?}", family.name);
            let misses = policy.paths.iter().filter(|path| engines[0].answer(path) == crate::engines::NOTHING).count();
            let share = misses * 100 / policy.paths.len();
            assert!((3..20).contains(&share), "{}: {share} % of paths miss", family.name);
        }
    }
}
