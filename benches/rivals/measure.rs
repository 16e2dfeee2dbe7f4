//! The times of engines that agree: interleaved rounds, medians.

use crate::engines::Engine;
use core::hint::black_box;
use std::time::{Duration, Instant};

/// An engine, with its loop over paths compiled together with it.
pub(crate) trait Timed {
    /// The index in the policy's locations of the one that takes `path`.
    fn answer(&mut self, path: &str) -> u32;

    /// What `passes` over `paths` take.
    fn time(&mut self, paths: &[String], passes: u32) -> Duration;

    /// What one decision takes, and the clock.
    fn time_once(&mut self, path: &str) -> Duration;
}

impl<E: Engine> Timed for E {
    fn answer(&mut self, path: &str) -> u32 {
        let found = self.find(path);
        self.location(found)
    }

    fn time(&mut self, paths: &[String], passes: u32) -> Duration {
        let began = Instant::now();
        for _ in 0..passes {
            for path in paths {
                black_box(self.find(black_box(path)));
            }
        }
        began.elapsed()
    }

    #[inline(never)]
    fn time_once(&mut self, path: &str) -> Duration {
        let began = Instant::now();
        black_box(self.find(black_box(path)));
        began.elapsed()
    }
}

/// Nanoseconds a decision of each engine on these paths.
pub(crate) type Measure = fn(&mut [Box<dyn Timed>], &[String]) -> Vec<f64>;

/// Rounds of which the median counts.
const ROUNDS: usize = 31;

/// What one round of one engine takes, about: long beside the clock's grain, and shorter than a scheduler's slice, so
/// that on a busy machine too most rounds run through.
const ROUND: Duration = Duration::from_millis(1);

/// In each round every engine takes its turn, after a pass that brings its tables back into the caches.
pub(crate) fn warm(engines: &mut [Box<dyn Timed>], paths: &[String]) -> Vec<f64> {
    let pace: Vec<Pace> = engines.iter_mut().map(|engine| Pace::of(engine.as_mut(), paths)).collect();
    let mut times = vec![Vec::new(); engines.len()];
    for round in 0..ROUNDS {
        for ((engine, pace), times) in engines.iter_mut().zip(&pace).zip(&mut times) {
            let paths = pace.share(paths, round);
            engine.time(paths, 1);
            let time = engine.time(paths, pace.passes);
            times.push(nanoseconds(time) / f64::from(pace.passes) / count(paths));
        }
    }
    times.into_iter().map(median).collect()
}

/// Decisions that say how fast an engine is, and the fewest of a round.
const SAMPLE: usize = 4;

/// How much an engine does in a round: several passes over all paths, or where it is slow a share of them, another one
/// in each round.
struct Pace {
    passes: u32,
    share: usize,
}

impl Pace {
    fn of(engine: &mut dyn Timed, paths: &[String]) -> Self {
        let sample = &paths[..SAMPLE.min(paths.len())];
        engine.time(sample, 1);
        let one = nanoseconds(engine.time(sample, 1)) / count(sample);
        let decisions = nanoseconds(ROUND) / one.max(1.0);
        if decisions < count(paths) {
            return Self { passes: 1, share: whole(decisions).clamp(sample.len(), paths.len()) };
        }
        Self { passes: u32::try_from(whole(decisions / count(paths))).unwrap_or(1).max(1), share: paths.len() }
    }

    fn share<'p>(&self, paths: &'p [String], round: usize) -> &'p [String] {
        let shares = paths.len() / self.share;
        let start = round % shares * self.share;
        &paths[start..start + self.share]
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

fn count(paths: &[String]) -> f64 {
    f64::from(u32::try_from(paths.len()).expect("few paths"))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of decisions in milliseconds")]
fn whole(number: f64) -> usize {
    number as usize
}
