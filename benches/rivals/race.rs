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
    /// The engine is hopeless at this size.
    TooLarge,
}

pub(crate) fn race(family: &Family, locations: usize, makers: &[Maker], measure: Measure) -> Race {
    let policy = family.policy(locations);
    let mut cells = Vec::new();
    let mut engines = Vec::new();
    let mut names = Vec::new();
    for maker in makers {
        let began = Instant::now();
        let made = if locations > maker.locations_max { None } else { (maker.make)(&policy) };
        cells.push(match made {
            Some(engine) => {
                engines.push(engine);
                names.push(maker.name);
                Cell::Time { nanoseconds: 0.0, build_seconds: began.elapsed().as_secs_f64() }
            }
            None if locations > maker.locations_max => Cell::TooLarge,
            None => Cell::Unfit,
        });
    }
    agree(&policy, &names, &mut engines);
    let mut times = measure(&mut engines, &policy.paths).into_iter();
    for cell in &mut cells {
        if let Cell::Time { nanoseconds, .. } = cell {
            *nanoseconds = times.next().unwrap_or_default();
        }
    }
    Race { locations: policy.locations.len(), cells }
}

/// Panics where an engine finds another location than the first one.
pub(crate) fn agree(policy: &Policy, names: &[&str], engines: &mut [Box<dyn Timed>]) {
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
