//! Files that include files.

use rulec::model::{Loaded, load, load_text};
use std::path::{Path, PathBuf};

/// Writes `files` into a directory of their own and loads the first.
fn loaded(directory: &str, files: &[(&str, &[u8])]) -> Loaded {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("includes").join(directory);
    for (name, text) in files {
        let path: PathBuf = directory.join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("the directory can be made");
        std::fs::write(path, text).expect("the file can be written");
    }
    load(&directory.join(files[0].0)).expect("the first file is there")
}

#[track_caller]
fn check(directory: &str, files: &[(&str, &[u8])], expected: &[(&str, &str)]) -> Loaded {
    let loaded = loaded(directory, files);
    let found: Vec<(&str, &str)> = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| (diagnostic.code, loaded.sources.text(diagnostic.place.span)))
        .collect();
    assert_eq!(found, expected, "{:#?}", loaded.diagnostics);
    loaded
}

#[test]
fn files_are_included_in_place_relative_to_the_including_one_and_sorted() {
    let loaded = check(
        "sorted",
        &[
            ("main.rules", b"include \"d/*.rules\"; service last { server_name z.test; }"),
            ("d/b.rules", b"service b { server_name b.test; }"),
            ("d/a.rules", b"include \"deep/c.rules\"; service a { server_name a.test; }"),
            ("d/deep/c.rules", b"service c { server_name c.test; }"),
        ],
        &[],
    );
    let names: Vec<&str> = loaded.policy.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["c", "a", "b", "last"]);
}

#[test]
fn a_mistake_of_an_included_file_has_its_place_there() {
    let files: &[(&str, &[u8])] = &[("main.rules", b"include b.rules;"), ("b.rules", b"\n  service a { plans q; }")];
    let loaded = check("place", files, &[("unknown-plans", "q")]);
    assert!(loaded.sources.place(loaded.diagnostics[0].place.span).ends_with("b.rules:2:21"));
}

#[test]
fn what_cannot_be_included_is_said_at_the_include() {
    check("missing", &[("main.rules", b"include none.rules;")], &[("unreadable-include", "none.rules")]);
    check("empty", &[("main.rules", b"include \"none*.rules\";")], &[]);
    check("itself", &[("main.rules", b"include main.rules;")], &[("include-loop", "main.rules")]);
    check(
        "circle",
        &[("main.rules", b"include b.rules;"), ("b.rules", b"include \"./mai*.rules\";")],
        &[("include-loop", "\"./mai*.rules\"")],
    );
    check(
        "bytes",
        &[("main.rules", b"include b.rules;"), ("b.rules", b"service \xff")],
        &[("unreadable-include", "b.rules")],
    );
    check("pattern", &[("main.rules", b"include \"a[.rules\";")], &[("invalid-value", "\"a[.rules\"")]);
    let long: Vec<(String, Vec<u8>)> = (0..20)
        .map(|number| (format!("{number:02}.rules"), format!("include {:02}.rules;", number + 1).into_bytes()))
        .collect();
    let long: Vec<(&str, &[u8])> = long.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
    check("deep", &long, &[("include-too-deep", "16.rules")]);
}

#[test]
fn the_file_itself_is_the_programs_affair() {
    assert!(load(Path::new("/nonexistent/x.rules")).is_err());
    check("not-text", &[("main.rules", b"\xff")], &[("unreadable-file", "")]);
    assert!(load_text("-", "include none.rules;").has_errors());
}
