//! The machine that a run was made on, as Linux describes it.

use std::fs::read_to_string;

pub(crate) fn line() -> String {
    let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("an unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
    let caches: Vec<String> = (0..8).filter_map(cache).collect();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let model = model.trim_start_matches([' ', '\t', ':']);
    format!("{model}, {cores} cores, {}; load average before the run: {load}\n", caches.join(", "))
}

/// `L2 512K`
fn cache(index: usize) -> Option<String> {
    let read = |name: &str| read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{name}")).ok();
    let (level, size, kind) = (read("level")?, read("size")?, read("type")?);
    (kind.trim() != "Instruction").then(|| format!("L{} {}", level.trim(), size.trim()))
}
