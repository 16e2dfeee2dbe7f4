//! `rulec check`

use super::{BROKEN, FINE, Folder, command, rulec, rulec_with};
use serde_json::Value;
use std::io::Write;

#[test]
fn a_fine_file_is_status_0_and_says_nothing_on_standard_error() {
    let folder = Folder::new();
    let file = folder.file("fine.rules", FINE);
    let ran = rulec(["check".as_ref(), file.as_os_str()]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(ran.out.contains("fine, 1 test case"), "{}", ran.out);
}

#[test]
fn every_file_is_checked_and_the_worst_counts() {
    let folder = Folder::new();
    let (fine, broken) = (folder.file("fine.rules", FINE), folder.file("broken.rules", BROKEN));
    let ran = rulec(["check".as_ref(), broken.as_os_str(), fine.as_os_str()]);
    assert_eq!(ran.status, 1, "{}", ran.err);
    assert!(ran.err.contains("broken.rules:1:") && ran.err.contains("nowhere"), "{}", ran.err);
    assert!(ran.out.contains("fine.rules: fine"), "{}", ran.out);
    let ran = rulec(["check".as_ref(), folder.path("none.rules").as_os_str(), broken.as_os_str()]);
    assert_eq!(ran.status, 4, "{}", ran.err);
    assert!(ran.err.contains("none.rules") && ran.err.contains("nowhere"), "{}", ran.err);
}

#[test]
fn standard_input_is_a_file_too() {
    assert_eq!(rulec_with(FINE, ["check", "-"]).status, 0);
    let ran = rulec_with(BROKEN, ["check", "-"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("-:1:"), "{}", ran.err);
}

#[test]
fn a_test_that_fails_is_an_error_with_what_came_instead() {
    let text = FINE.replace("-> 200 \"home\"", "-> 404");
    let ran = rulec_with(&text, ["check", "-"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("failed-test") && ran.err.contains("200 \"home\""), "{}", ran.err);
}

#[test]
fn machine_formats_are_results() {
    let json = rulec_with(BROKEN, ["check", "--format", "json", "-"]);
    assert_eq!((json.status, json.err.as_str()), (1, ""));
    assert!(serde_json::from_str::<Value>(&json.out).unwrap()[0]["code"].is_string(), "{}", json.out);
    let sarif = rulec_with(BROKEN, ["check", "--format", "sarif", "-"]);
    let sarif: Value = serde_json::from_str(&sarif.out).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let github = rulec_with(BROKEN, ["check", "--format", "github", "-"]);
    assert!(github.out.starts_with("::error "), "{}", github.out);
    let concise = rulec_with(BROKEN, ["check", "--format", "concise", "-"]);
    assert!(concise.err.starts_with("-:1:"), "{}", concise.err);
}

#[test]
fn warnings_are_status_3_where_they_are_denied() {
    // An upstream that nothing uses.
    let text = format!("upstream unused {{ server 127.0.0.1:1; }}\n{FINE}");
    let ran = rulec_with(&text, ["check", "-"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.err.contains("warning"), "{}", ran.err);
    assert_eq!(rulec_with(&text, ["check", "--deny", "warnings", "-"]).status, 3);
    assert_eq!(rulec_with(BROKEN, ["check", "--deny", "warnings", "-"]).status, 1);
}

#[test]
fn a_wrong_command_line_is_status_2() {
    for arguments in [vec!["check"], vec!["check", "--format", "xml", "-"], vec!["chekc", "-"], vec![]] {
        assert_eq!(rulec(&arguments).status, 2, "{arguments:?}");
    }
    assert_eq!(rulec(["--help"]).status, 0);
    assert_eq!(rulec(["--version"]).status, 0);
}

#[test]
fn no_color_means_no_escapes() {
    let ran = rulec_with(BROKEN, ["check", "-"]);
    assert!(!ran.err.contains('\u{1b}'));
}

#[test]
fn a_reader_that_leaves_does_not_change_the_status() {
    let mut child = command(["check", "-"]).spawn().unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(BROKEN.as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
