//! What came out, as Markdown.

use crate::engines::Maker;
use crate::families::Family;
use crate::race::{Cell, Race};

/// One family: a row a size, a column for each engine that can express it; then what building them took.
pub(crate) fn of_family(title: &str, family: &Family, makers: &[Maker], races: &[Race]) -> String {
    let runs = |race: &Race, nth: usize| matches!(race.cells[nth], Cell::Time { .. });
    let shown: Vec<usize> = (0..makers.len()).filter(|&nth| races.iter().any(|race| runs(race, nth))).collect();
    let mut lines = vec![format!("### {title}: {}\n", family.what)];
    let names = shown.iter().map(|&nth| makers[nth].name);
    lines.push(row("locations", names.chain(["ours / best rival"]).map(str::to_owned)));
    lines.push("|---".repeat(shown.len() + 2) + "|");
    for race in races {
        let times = shown.iter().map(|&nth| cell(race.cells[nth]));
        lines.push(row(&grouped(race.locations), times.chain([ratio(race)])));
    }
    let builds = shown.iter().map(|&nth| build(races.iter().map(|race| race.cells[nth])));
    lines.push(row("s to build the last", builds.chain([String::new()])));
    if let Some(refused) = races.iter().find(|race| matches!(race.cells[0], Cell::Unfit)) {
        lines.push(format!(
            "\nrulec refuses {} locations: they pass the limits of compilation.",
            grouped(refused.locations)
        ));
    }
    let given_up: Vec<&str> = shown
        .iter()
        .filter(|&&nth| races.iter().any(|race| matches!(race.cells[nth], Cell::Hopeless)))
        .map(|&nth| makers[nth].name)
        .collect();
    if !given_up.is_empty() {
        lines.push(format!("\nToo slow to be tried at more: {}.", given_up.join(", ")));
    }
    lines.join("\n") + "\n"
}

pub(crate) fn row(first: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {first} | {} |", cells.join(" | "))
}

/// Of the largest that was built.
fn build(cells: impl Iterator<Item = Cell>) -> String {
    let times =
        cells.filter_map(|cell| if let Cell::Time { build_seconds, .. } = cell { Some(build_seconds) } else { None });
    times.last().map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}"))
}

fn cell(cell: Cell) -> String {
    match cell {
        Cell::Time { nanoseconds, .. } => time(nanoseconds),
        Cell::Unfit | Cell::Hopeless => "-".to_owned(),
    }
}

/// Three digits are what a run repeats.
pub(crate) fn time(nanoseconds: f64) -> String {
    if nanoseconds < 99.95 { format!("{nanoseconds:.1}") } else { grouped(rounded(nanoseconds)) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time in nanoseconds")]
fn rounded(nanoseconds: f64) -> usize {
    nanoseconds.round() as usize
}

/// `12 345`
pub(crate) fn grouped(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{} {:03}", grouped(number / 1000), number % 1000) }
}

fn ratio(race: &Race) -> String {
    let time = |cell: &Cell| if let Cell::Time { nanoseconds, .. } = cell { Some(*nanoseconds) } else { None };
    let Some((ours, rivals)) = race.cells.split_first() else { return "-".to_owned() };
    match (time(ours), rivals.iter().filter_map(time).min_by(f64::total_cmp)) {
        (Some(ours), Some(best)) => format!("{:.2}", ours / best),
        _ => "-".to_owned(),
    }
}
