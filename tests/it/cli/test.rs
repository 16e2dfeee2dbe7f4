//! `rulec test`

use super::{BROKEN, FINE, rulec, rulec_with};
use serde_json::Value;

const FAILING: &str = r#"
service site { server_name site.test; location = / { return 200 "home & more"; } }
test "two" {
    GET http://site.test/ -> 200;
    GET http://site.test/ -> 307 "/else";
}
"#;

#[test]
fn passing_tests_are_status_0() {
    let ran = rulec_with(FINE, ["test", "-"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("ok     -: home (1)") && ran.out.ends_with("1 cases, 0 failed\n"), "{}", ran.out);
}

#[test]
fn a_failing_case_is_status_1_with_its_place() {
    let ran = rulec_with(FAILING, ["test", "-"]);
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("FAILED -: two (2)") && ran.out.contains("-:5:5"), "{}", ran.out);
    assert!(ran.out.contains("got: 200 \"home & more\""), "{}", ran.out);
}

#[test]
fn results_are_read_by_programs_too() {
    let json = rulec_with(FAILING, ["test", "--format", "json", "-"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["passed"], &json["failed"]), (&1.into(), &1.into()));
    assert_eq!(json["tests"][0]["cases"][1]["place"], "-:5:5");
    let junit = rulec_with(FAILING, ["test", "--format", "junit", "-"]).out;
    assert!(junit.contains("tests=\"2\" failures=\"1\"") && junit.contains("home &amp; more"), "{junit}");
}

#[test]
fn a_file_that_does_not_compile_is_status_1() {
    let ran = rulec_with(BROKEN, ["test", "-"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("nowhere"), "{}", ran.err);
}

#[test]
fn coverage_is_not_supported_yet() {
    let ran = rulec(["test", "--coverage", "rules/words.rules"]);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("not supported yet"), "{}", ran.err);
}
