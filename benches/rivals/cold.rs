//! Times with cold caches: what a gateway pays whose cores did something else between two decisions.

use crate::measure::{Timed, median, nanoseconds};
use core::hint::black_box;
use std::time::Instant;

/// Twice the last cache of the machines this was tried on.
const SWEEP_OCTETS: usize = 64 << 20;

/// A cache line.
const LINE: usize = 64;

/// Decisions of which the median counts.
const DECISIONS: usize = 51;

/// Before each decision every line of a large buffer is written, so that neither tables nor code are in any cache; the
/// path is read again then, as the request that brings it was just read. What the clock itself takes is subtracted.
pub(crate) fn cold(engines: &mut [Box<dyn Timed>], paths: &[String]) -> Vec<f64> {
    let mut buffer = vec![0_u8; SWEEP_OCTETS];
    let mut times = vec![Vec::new(); engines.len()];
    let mut clock = Vec::new();
    for path in paths.iter().cycle().step_by(11).take(DECISIONS) {
        for (engine, times) in engines.iter_mut().zip(&mut times) {
            sweep(&mut buffer);
            black_box(path.bytes().map(u32::from).sum::<u32>());
            clock.push(grain());
            times.push(nanoseconds(engine.time_once(path)));
        }
    }
    let clock = median(clock);
    times.into_iter().map(|times| (median(times) - clock).max(0.0)).collect()
}

fn sweep(buffer: &mut [u8]) {
    for byte in buffer.iter_mut().step_by(LINE) {
        *byte = byte.wrapping_add(1);
    }
    black_box(buffer);
}

/// What reading the clock twice takes; it also brings the clock's code back into the caches.
fn grain() -> f64 {
    black_box(Instant::now());
    let began = Instant::now();
    nanoseconds(began.elapsed())
}
