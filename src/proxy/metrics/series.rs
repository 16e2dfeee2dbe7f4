//! Names to numbers: a request's labels are looked up once for each kind of request and core, then known by number.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Metrics;
use crate::proxy::limits::{METRIC_NAMES_MAX, METRIC_SERIES_MAX};

/// What stands for all that found no room.
pub(super) const OTHER: &str = "other";

/// Classes of status; the first where there was no answer.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The labels of a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct Series<'n> {
    pub(in crate::proxy) service: &'n str,
    pub(in crate::proxy) location: &'n str,
    pub(in crate::proxy) upstream: &'n str,
    pub(in crate::proxy) code: &'static str,
    pub(in crate::proxy) status: Option<u16>,
}

/// Where a request counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) struct Numbers {
    pub(super) series: usize,
    pub(super) service: usize,
    pub(super) upstream: usize,
}

/// Labels as the page shows them: service, location, upstream, code, class of status.
pub(super) type Labels = (Arc<str>, Arc<str>, Arc<str>, &'static str, &'static str);

/// The names that have a number.
#[derive(Debug)]
pub(super) struct Known {
    series: Numbered<Labels>,
    services: Numbered<Arc<str>>,
    upstreams: Numbered<Arc<str>>,
}

/// Values in the order in which they came, each once.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    pub(super) values: Vec<T>,
    numbers: BTreeMap<T, usize>,
    max: usize,
}

impl<T: Clone + Ord> Numbered<T> {
    fn new(max: usize) -> Self {
        Self { values: Vec::new(), numbers: BTreeMap::new(), max }
    }

    /// None where there is no room for one more.
    fn number(&mut self, value: T) -> Option<usize> {
        if let Some(number) = self.numbers.get(&value) {
            return Some(*number);
        }
        let number = self.values.len();
        (number < self.max).then(|| {
            self.values.push(value.clone());
            self.numbers.insert(value, number);
            number
        })
    }
}

impl Default for Known {
    fn default() -> Self {
        let other = || Arc::<str>::from(OTHER);
        let mut known = Self {
            series: Numbered::new(METRIC_SERIES_MAX),
            services: Numbered::new(METRIC_NAMES_MAX),
            upstreams: Numbered::new(METRIC_NAMES_MAX),
        };
        // They come first, so that there is room for them.
        for class in CLASSES {
            known.series.number((other(), other(), other(), OTHER, class));
        }
        known.services.number(other());
        known.upstreams.number(other());
        known
    }
}

impl Known {
    pub(super) fn numbers(&mut self, of: Series<'_>) -> Numbers {
        let class = of.status.map_or(0, |status| usize::from(status / 100));
        let class_name = CLASSES.get(class).copied().unwrap_or(OTHER);
        let (service, upstream) = (Arc::<str>::from(of.service), Arc::<str>::from(of.upstream));
        let labels = (Arc::clone(&service), Arc::from(of.location), Arc::clone(&upstream), of.code, class_name);
        Numbers {
            series: self.series.number(labels).unwrap_or(class),
            service: self.services.number(service).unwrap_or(0),
            upstream: self.upstreams.number(upstream).unwrap_or(0),
        }
    }

    pub(super) fn series(&self) -> &[Labels] {
        &self.series.values
    }

    pub(super) fn services(&self) -> &[Arc<str>] {
        &self.services.values
    }

    pub(super) fn upstreams(&self) -> &[Arc<str>] {
        &self.upstreams.values
    }
}

/// What a core has asked for before, by the indices of one policy's manifest.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Asked {
    generation: u64,
    /// No client chooses the keys.
    numbers: FxHashMap<Key, Numbers>,
}

/// Indices; a code is known by where its text stands, which may be more than one place.
type Key = (Option<u32>, Option<u32>, Option<u32>, u16, usize);

impl Asked {
    /// The numbers of a request that was decided by the policy of `generation`; `names` gives its labels.
    pub(in crate::proxy) fn numbers<'n>(
        &mut self,
        metrics: &Metrics,
        generation: u64,
        key: Key,
        names: impl FnOnce() -> Series<'n>,
    ) -> Numbers {
        if generation < self.generation {
            // It ends on an earlier policy, whose indices mean something else.
            return metrics.numbers(names());
        }
        if generation > self.generation {
            self.numbers.clear();
            self.generation = generation;
        }
        *self.numbers.entry(key).or_insert_with(|| metrics.numbers(names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_all_is_other() {
        let metrics = Metrics::default();
        let mut asked = Asked::default();
        let mut number = |index: usize| {
            let (location, at) = (format!("/{index}"), u32::try_from(index).ok());
            let series = || Series { service: "s", location: &location, upstream: "", code: "", status: Some(200) };
            asked.numbers(&metrics, 1, (Some(0), at, None, 200, 0), series).series
        };
        let numbers: Vec<usize> = (0..METRIC_SERIES_MAX + 9).map(&mut number).collect();
        assert_eq!(numbers[0], CLASSES.len());
        // The class is told even so.
        assert_eq!((numbers[METRIC_SERIES_MAX], number(0)), (2, CLASSES.len()));
    }

    #[test]
    fn another_policys_indices_are_other_names() {
        let metrics = Metrics::default();
        let mut asked = Asked::default();
        let mut number = |generation, location| {
            let series = || Series { service: "s", location, upstream: "", code: "", status: Some(200) };
            asked.numbers(&metrics, generation, (Some(0), Some(0), None, 200, 0), series)
        };
        let before = number(1, "/a");
        let after = number(2, "/b");
        assert_ne!(before, after);
        assert_eq!((number(1, "/a"), number(2, "never asked for"), number(3, "/b")), (before, after, after));
    }
}
