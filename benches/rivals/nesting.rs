//! What nesting costs: rulec on trees, beside rulec on the same locations without their nesting, in the same rounds.

use crate::engines::ours;
use crate::families::Family;
use crate::measure;
use crate::table;

const PAIRS: [(&str, &str, &str); 2] = [("two", "nested-2", "flat-2"), ("three", "nested-3", "flat-3")];

pub(crate) fn table(asked: &[usize]) -> String {
    let mut lines = vec![
        "### nesting: rulec on trees of the mix and on the same locations on one level\n".to_owned(),
        table::row("locations", ["levels", "nested", "flat", "nested / flat"].map(str::to_owned).into_iter()),
        "|---|---|---|---|---|".to_owned(),
    ];
    for (levels, nested, flat) in PAIRS {
        for size in Family::named(nested).sizes_of(asked) {
            let nested = Family::named(nested).policy(size);
            let engines = [ours::make(&nested), ours::make(&Family::named(flat).policy(size))];
            let mut engines: Vec<_> = engines.into_iter().flatten().collect();
            if let [nested, flat] = measure::warm(&mut engines, &nested.paths).as_slice() {
                let cells =
                    [levels.to_owned(), table::time(*nested), table::time(*flat), format!("{:.2}", nested / flat)];
                lines.push(table::row(&table::grouped(size), cells.into_iter()));
            }
        }
    }
    lines.join("\n") + "\n"
}
