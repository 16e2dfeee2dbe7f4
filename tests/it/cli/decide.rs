//! `rulec decide`

use super::{FINE, Folder, command, rulec, rulec_with};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};

fn answers(policy: &str, input: &str) -> (i32, Vec<Value>, String) {
    let ran = rulec_with(input, ["decide", policy]);
    let answers = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (ran.status, answers, ran.err)
}

#[test]
fn lines_in_lines_out_in_order() {
    let input = r#"
{"target":"/s3/a%2Fb?x=1","scheme":"https","host":"api.words.com"}
{"target":"/s3/a","method":"POST","scheme":"https"}

{"target":"/words","scheme":"https"}
{"target":"/words","scheme":"https","plan":"staging"}
{"target":"/words?q=1"}
"#;
    let (status, answers, err) = answers("rules/words.rules", input);
    assert_eq!((status, err.as_str(), answers.len()), (0, "", 5));
    let media = &answers[0];
    assert_eq!(media["verdict"], "proxy");
    assert_eq!(media["status"], Value::Null);
    assert_eq!(media["location"], "^~ /s3/");
    assert_eq!(media["name"], "media");
    assert_eq!((&media["uri"], &media["args"]), (&"/s3/a/b".into(), &"x=1".into()));
    assert_eq!(media["forward"]["target"], "/a%2Fb?x=1");
    assert_eq!(media["forward"]["host"], "media.s3.example.com");
    assert_eq!(media["meters"][0][0], "hits");
    assert_eq!(media["needs_plan"], false);
    assert_eq!(answers[1]["code"], "request.method_not_allowed");
    assert_eq!(answers[1]["allow"], serde_json::json!(["GET", "HEAD"]));
    assert_eq!((&answers[2]["verdict"], &answers[2]["needs_plan"]), (&Value::Null, &true.into()));
    assert_eq!(answers[3]["upstream"], "sandbox");
    assert_eq!(
        (&answers[4]["status"], &answers[4]["redirect"]),
        (&307.into(), &"https://api.words.com/words?q=1".into())
    );
}

#[test]
fn an_artifact_decides_as_its_rules_do() {
    let folder = Folder::new();
    let output = folder.path("words.rulec");
    let ran = rulec(["compile".as_ref(), "rules/words.rules".as_ref(), "-o".as_ref(), output.as_os_str()]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let input = "{\"target\":\"/s3/k\",\"scheme\":\"https\"}\n{\"target\":\"/\\u00c3\"}\n";
    let of_rules = rulec_with(input, ["decide", "rules/words.rules"]);
    let of_artifact = rulec_with(input, ["decide".as_ref(), output.as_os_str()]);
    assert_eq!((of_rules.status, of_rules.out), (of_artifact.status, of_artifact.out));
}

#[test]
fn a_bad_line_is_told_by_number_and_the_rest_goes_on() {
    let input = "{\"target\":\"/\"}\nnonsense\n{\"method\":\"GET\"}\n{\"target\":\"/\",\"plan\":\"gold\"}\n{\"target\":\"/\\u0100\"}\n{\"target\":\"/\"}";
    let (status, answers, err) = answers("rules/words.rules", input);
    assert_eq!((status, answers.len()), (1, 6));
    for (number, said) in [(2, "expected"), (3, "target"), (4, "gold"), (5, "U+00FF")] {
        assert!(err.contains(&format!("-:{number}: ")), "{err}");
        let error = &answers[number - 1];
        assert_eq!(error["line"], number);
        assert!(error["error"].as_str().unwrap().contains(said), "{error}");
    }
    assert_eq!(answers[0], answers[5]);
}

#[test]
fn bytes_are_latin_1_both_ways() {
    let folder = Folder::new();
    let file = folder.file("echo.rules", "service s { server_name a.test; location / { return 200 $uri; } }");
    let (_, answers, _) = answers(file.to_str().unwrap(), "{\"target\":\"/%C3%A9\"}");
    assert_eq!((&answers[0]["uri"], &answers[0]["body"]), (&"/\u{c3}\u{a9}".into(), &"/\u{c3}\u{a9}".into()));
}

#[test]
fn the_host_falls_back_to_the_headers_then_to_the_first_name() {
    let folder = Folder::new();
    let file = folder.file("site.rules", FINE);
    let input = r#"{"target":"/"}
{"target":"/","host":""}
{"target":"/","headers":[["Host","else.test"]]}
{"target":"/","host":"SITE.test.:80","headers":[["Host","else.test"]]}
{"target":"/","headers":[["Host","site.test"],["Host","site.test"]]}
"#;
    let (_, answers, _) = answers(file.to_str().unwrap(), input);
    let statuses: Vec<&Value> = answers.iter().map(|answer| &answer["status"]).collect();
    assert_eq!(statuses, [200, 400, 421, 200, 400]);
}

#[test]
fn an_answer_comes_before_the_next_question() {
    let mut child = command(["decide", "rules/words.rules"]).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        writeln!(input, "{{\"target\":\"/\"}}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert!(line.starts_with('{'), "{line}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = command(["decide", "rules/words.rules"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    for _ in 0..20_000 {
        if writeln!(input, "{{\"target\":\"/\"}}").is_err() {
            break;
        }
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn a_policy_that_cannot_be_read_is_status_4() {
    assert_eq!(rulec(["decide", "none.rules"]).status, 4);
    assert_eq!(rulec(["decide", "none.rulec"]).status, 4);
}

/// Rules that ask for two facts and have an error page.
const WITHIN: &str = "upstream app { server app.test:80; }
    fact file yes no;
    fact login allowed forbidden;
    service s {
        server_name s.test;
        error_page 403 /denied;
        location = /denied { proxy app; }
        location = /both { when fact file yes and fact login allowed { return 200 in; } return 403; }
        location = /same { when fact file yes { return 200 a; } when fact file no { return 200 b; } }
        location / { return 200 open; }
    }";

#[test]
fn a_decision_waits_for_the_facts_that_it_depends_on_and_no_others() {
    let folder = Folder::new();
    let rules = folder.path("within.rules");
    std::fs::write(&rules, WITHIN).unwrap();
    let ask = |facts: &str, target: &str| {
        let input = format!("{{\"target\":\"{target}\",\"method\":\"POST\",\"facts\":{facts}}}\n");
        let (status, mut answers, err) = answers(rules.to_str().unwrap(), &input);
        assert_eq!(status, 0, "{err}");
        answers.remove(0)
    };
    let open = ask("{}", "/");
    assert_eq!((&open["body"], open.get("needs_fact")), (&"open".into(), None));
    let first = ask("{}", "/both");
    assert_eq!(
        (&first["needs_fact"], &first["verdict"], &first["needs_plan"]),
        (&"file".into(), &Value::Null, &false.into())
    );
    assert_eq!(ask(r#"{"file":"yes"}"#, "/both")["needs_fact"], "login");
    // Whatever the file, nobody is let in.
    let denied = ask(r#"{"login":"forbidden"}"#, "/both");
    assert_eq!((&denied["verdict"], &denied["status"]), (&"proxy".into(), &403.into()));
    assert_eq!((&denied["forward"]["method"], &denied["forward"]["target"]), (&"GET".into(), &"/denied".into()));
    assert_eq!(ask(r#"{"file":"yes","login":"allowed"}"#, "/both")["body"], "in");
    let input = "{\"target\":\"/\",\"facts\":{\"file\":\"perhaps\"}}\n";
    let (status, answers, _) = answers(rules.to_str().unwrap(), input);
    assert!(status == 1 && answers[0]["error"].as_str().unwrap().contains("`perhaps`"), "{answers:?}");
}

#[test]
fn explain_says_which_facts_matter() {
    let folder = Folder::new();
    let rules = folder.path("within.rules");
    std::fs::write(&rules, WITHIN).unwrap();
    let explain = |options: &[&str]| {
        let arguments = ["explain", rules.to_str().unwrap(), "GET http://s.test/both"];
        rulec(arguments.iter().chain(options)).out
    };
    assert!(explain(&[]).contains("the fact `file`: say --fact file=VALUE, one of yes, no"), "{}", explain(&[]));
    let both = explain(&["--fact", "file=yes", "--fact", "login=allowed"]);
    assert!(both.contains("needed       the fact `file`, the fact `login`"), "{both}");
    let denied = explain(&["--fact", "login=forbidden"]);
    assert!(denied.contains("status       403, whatever the upstream answers"), "{denied}");
    assert!(denied.contains("for /both:") && denied.contains("for /denied:"), "{denied}");
    assert!(denied.contains("needed       the fact `login`"), "{denied}");
    let failed = explain(&["--fact", "login=forbidden", "--fault", "502"]);
    assert!(failed.contains("502 upstream.failed"), "{failed}");
}
