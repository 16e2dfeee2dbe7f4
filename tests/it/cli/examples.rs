//! `rules/*.rules`: examples that are also tests.

use super::{Folder, examples, rulec};
use serde_json::Value;
use std::fs;

#[test]
fn every_example_is_checked_without_a_word() {
    let examples = examples();
    assert!(examples.len() >= 9, "{examples:?}");
    for path in examples {
        let ran = rulec(["check".as_ref(), path.as_os_str(), "--deny".as_ref(), "warnings".as_ref()]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{}", path.display());
    }
}

#[test]
fn every_example_has_tests_and_they_pass() {
    for path in examples() {
        let ran = rulec(["test".as_ref(), path.as_os_str(), "--format".as_ref(), "json".as_ref()]);
        assert_eq!(ran.status, 0, "{}: {}", path.display(), ran.err);
        let results: Value = serde_json::from_str(&ran.out).unwrap();
        assert!(results["passed"].as_u64() >= Some(4), "{}: {results}", path.display());
    }
}

#[test]
fn the_same_example_gives_the_same_bytes() {
    let folder = Folder::new();
    for path in examples() {
        let bytes = ["1.rulec", "2.rulec"].map(|name| {
            let output = folder.path(name);
            let ran = rulec(["compile".as_ref(), path.as_os_str(), "-o".as_ref(), output.as_os_str()]);
            assert_eq!(ran.status, 0, "{}", ran.err);
            fs::read(output).unwrap()
        });
        assert!(bytes[0] == bytes[1], "{}", path.display());
    }
}

#[test]
fn the_demo_shows_every_example_as_its_tests_say() {
    let ran = rulec(["demo", "--once"]);
    assert_eq!(ran.status, 0, "{}\n{}", ran.out, ran.err);
    for path in examples() {
        let name = format!("rules/{}", path.file_name().unwrap().to_string_lossy());
        assert!(ran.out.contains(&name), "{name}\n{}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'));
    let widest = ran.out.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}\n{}", ran.out);
}
