//! docs/limits.md tells what the code says.

use std::fs;
use std::path::Path;

#[test]
fn the_page_of_limits_tells_what_the_code_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: String| fs::read_to_string(root.join(&path)).unwrap_or_else(|why| panic!("{path}: {why}"));
    let page = read("docs/limits.md".to_owned());
    let budgets = read("src/automaton/limits.rs".to_owned());
    let mut rows = 0;
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, value, why, said, _] = cells.as_slice() else { panic!("five bars: {line}") };
        let value = value.trim_matches('`');
        let is_told = match name.trim_matches('`').split_once("` `") {
            Some((file, name)) => {
                let source = read(format!("src/{file}"));
                let start = format!("const {name}: ");
                source.lines().any(|line| line.contains(&start) && line.ends_with(&format!("= {value};")))
            }
            None => budgets.contains(&format!("{}: {value},", name.trim_matches('`'))),
        };
        assert!(is_told && !why.is_empty() && !said.is_empty(), "no longer so: {line}");
        rows += 1;
    }
    assert!(rows >= 20, "{rows} rows");
    let fields = budgets.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(": "));
    for (field, _) in fields.filter(|(field, _)| field.ends_with("_max")) {
        assert!(page.contains(&format!("| `{field}` |")), "{field} is not told");
    }
}
