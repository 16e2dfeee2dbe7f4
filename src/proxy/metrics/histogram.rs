//! How long things took.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use super::add;

/// Upper bounds, in microseconds: from what a cache next door takes to what people wait for.
pub(super) const BOUNDS: [u64; 15] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 60_000_000,
];

/// One core's times of one kind.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Histogram {
    /// By the first bound that is not less; the last is for all that is longer.
    counts: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Histogram {
    pub(super) fn add(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get(BOUNDS.partition_point(|bound| *bound < micros)) {
            add(count, 1);
        }
        add(&self.micros, micros);
    }
}

/// Times of all cores.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) counts: [u64; BOUNDS.len() + 1],
    pub(super) micros: u64,
}

impl Times {
    pub(super) fn add(&mut self, histogram: &Histogram) {
        for (sum, count) in self.counts.iter_mut().zip(&histogram.counts) {
            *sum += count.load(Ordering::Relaxed);
        }
        self.micros = self.micros.wrapping_add(histogram.micros.load(Ordering::Relaxed));
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_at_the_first_bound_that_holds_it() {
        let histogram = Histogram::default();
        for micros in [0, 500, 501, 60_000_000, 60_000_001] {
            histogram.add(Duration::from_micros(micros));
        }
        let mut times = Times::default();
        times.add(&histogram);
        assert_eq!((times.counts[0], times.counts[1], times.counts[14], times.counts[15]), (2, 1, 1, 1));
        assert_eq!((times.count(), times.micros), (5, 120_001_002));
    }
}
