//! `rulec explain`

use super::{Folder, rulec};
use serde_json::Value;

#[test]
fn it_shows_both_paths_and_why_the_others_lost() {
    let ran = rulec(["explain", "rules/words.rules", "GET https://api.words.com/s3/a%2Fb.gif?x=1"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    for said in [
        "match path   /s3/a/b.gif",
        "forward path /a%2Fb.gif?x=1",
        "won   ^~ /s3/",
        "lost  ~* \\.(gif|jpg|jpeg)$",
        "`^~ /s3/` keeps the regexes",
        "`^~ /s3/` is a longer prefix (line ",
        "drop Authorization",
        "hits +1",
        "nothing beside the request",
        "rules/words.rules:",
    ] {
        assert!(ran.out.contains(said), "{said}\n{}", ran.out);
    }
}

#[test]
fn options_are_part_of_the_request() {
    let explain = |options: &[&str]| {
        let arguments = ["explain", "rules/words.rules", "DELETE https://api.words.com/words/1"];
        rulec(arguments.iter().chain(options)).out
    };
    assert!(explain(&[]).contains("say --plan"), "{}", explain(&[]));
    assert!(explain(&["--plan", "staging"]).contains("403 \"staging is read-only\""));
    assert!(explain(&["--plan", "production", "--body", "3"]).contains("body         forward"));
    let conflict = explain(&["-H", "X-User-Key: a", "-H", "x-user-key: b"]);
    assert!(conflict.contains("request.credentials_conflict"), "{conflict}");
    assert!(explain(&["--client", "2001:db8::1", "--plan", "?missing"]).contains("401 plan.missing"));
}

#[test]
fn json_has_the_verdict_and_the_lookups() {
    let ran = rulec(["explain", "rules/words.rules", "POST https://api.words.com/s3/a", "--json"]);
    let explained: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(explained["verdict"]["code"], "request.method_not_allowed");
    let candidates = explained["lookups"][0]["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 2, "{explained}");
    assert_eq!((&candidates[0]["standing"], &candidates[1]["standing"]), (&"won".into(), &"lost".into()));
    assert!(candidates[0]["place"].as_str().unwrap().starts_with("rules/words.rules:"));
}

#[test]
fn an_artifact_is_explained_as_far_as_it_knows() {
    let folder = Folder::new();
    let output = folder.path("words.rulec");
    rulec(["compile".as_ref(), "rules/words.rules".as_ref(), "-o".as_ref(), output.as_os_str()]);
    let ran = rulec(["explain".as_ref(), output.as_os_str(), "GET https://api.words.com/s3/k".as_ref()]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("^~ /s3/   (rules/words.rules:"), "{}", ran.out);
}

#[test]
fn a_code_has_its_page() {
    for code in ["request.body_not_allowed", "upstream.tls.alert", "unused-upstream"] {
        let ran = rulec(["explain", code]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert!(ran.out.starts_with(code) && ran.out.lines().count() > 2, "{}", ran.out);
    }
    assert_eq!(rulec(["explain", "request.unheard_of"]).status, 2);
}

#[test]
fn what_is_no_request_is_status_2() {
    for request in ["GET ftp://a/", "GET nonsense"] {
        assert_eq!(rulec(["explain", "rules/words.rules", request]).status, 2, "{request}");
    }
    let ran = rulec(["explain", "rules/words.rules", "GET https://api.words.com/words", "--plan", "gold"]);
    assert_eq!(ran.status, 1, "{}", ran.err);
}
