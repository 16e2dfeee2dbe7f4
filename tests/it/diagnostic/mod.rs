//! Diagnostics as text.

use rulec::diagnostic::{Diagnostic, FileId, Format, Sources, Span, render};

const TEXT: &str =
    "upstream a { server a:80; }\nservice s {\n    server_name b.example;   # \u{e9}\n    location / { proxy b; }\n}\n";

/// The place of `part` in [`TEXT`].
fn at(part: &str) -> Span {
    let start = TEXT.find(part).expect("it is there");
    let place = |byte: usize| u32::try_from(byte).expect("short");
    Span::new(FileId(0), place(start), place(start + part.len()))
}

fn sample() -> Vec<Diagnostic> {
    let mut other = at("upstream a");
    other.file = FileId(1);
    vec![
        Diagnostic::error("unknown-upstream", at("proxy b"), "no upstream is called `b`")
            .label("proxied here")
            .related(at("upstream a"), "the only one")
            .note("names are compared byte for byte")
            .help("write `proxy a`"),
        Diagnostic::warning("unused-upstream", at("a {"), "nothing, 100%: uses\n`a`").related(other, "as here"),
    ]
}

fn rendered(format: Format, color: bool) -> String {
    let mut sources = Sources::default();
    sources.add("rules/a b.rules", TEXT);
    sources.add("/b,c.rules", TEXT);
    render(&sample(), &sources, format, color)
}

#[test]
fn people_see_the_source_with_carets() {
    let expected = "\
error[unknown-upstream]: no upstream is called `b`
 --> rules/a b.rules:4:18
  |
1 | upstream a { server a:80; }
  | ---------- the only one
...
4 |     location / { proxy b; }
  |                  ^^^^^^^ proxied here
  |
  = note: names are compared byte for byte
  = help: write `proxy a`

warning[unused-upstream]: nothing, 100%: uses\\n`a`
 --> rules/a b.rules:1:10
  |
1 | upstream a { server a:80; }
  |          ^^^
  |
 ::: /b,c.rules:1:1
  |
1 | upstream a { server a:80; }
  | ^^^^^^^^^^ as here
";
    assert_eq!(rendered(Format::Human, false), expected);
    assert!(rendered(Format::Human, true).contains("\u{1b}["));
}

#[test]
fn concise_is_a_line_each() {
    let expected = "rules/a b.rules:4:18: error[unknown-upstream]: no upstream is called `b`\n\
                    rules/a b.rules:1:10: warning[unused-upstream]: nothing, 100%: uses\\n`a`\n";
    assert_eq!(rendered(Format::Concise, true), expected);
}

#[test]
fn github_commands_are_escaped() {
    let expected = "::error file=rules/a b.rules,line=4,endLine=4,col=18,endColumn=25,title=unknown-upstream::no upstream is called `b`%0Anote: names are compared byte for byte%0Ahelp: write `proxy a`\n\
                    ::warning file=rules/a b.rules,line=1,endLine=1,col=10,endColumn=13,title=unused-upstream::nothing, 100%25: uses%0A`a`\n";
    assert_eq!(rendered(Format::Github, false), expected);
}

#[test]
fn json_is_an_array_of_objects() {
    let text = rendered(Format::Json, false);
    let expected = r#"[{"severity":"error","code":"unknown-upstream","message":"no upstream is called `b`","file":"rules/a b.rules","line":4,"column":18,"end_line":4,"end_column":25,"label":"proxied here","related":[{"file":"rules/a b.rules","line":1,"column":1,"end_line":1,"end_column":11,"label":"the only one"}],"notes":["names are compared byte for byte"],"help":"write `proxy a`"},"#;
    assert_eq!(text.get(..expected.len()), Some(expected), "{text}");
    assert!(text.ends_with("\"notes\":[],\"help\":null}]\n"), "{text}");
    assert_eq!(render(&[], &Sources::default(), Format::Json, false), "[]\n");
}

#[test]
fn sarif_has_what_the_standard_asks_for() {
    let text = rendered(Format::Sarif, false);
    let log: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "rulec");
    assert_eq!(run["tool"]["driver"]["rules"][1]["id"], "unused-upstream");
    let result = &run["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["ruleIndex"], &result["level"]),
        (&"unknown-upstream".into(), &0.into(), &"error".into())
    );
    assert_eq!(
        result["message"]["text"],
        "no upstream is called `b`\nnote: names are compared byte for byte\nhelp: write `proxy a`"
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "rules/a%20b.rules");
    assert_eq!((&place["region"]["startLine"], &place["region"]["endColumn"]), (&4.into(), &25.into()));
    assert_eq!(result["relatedLocations"][0]["message"]["text"], "the only one");
    let other = &run["results"][1]["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(other, "file:///b%2Cc.rules");
}

#[test]
fn columns_count_characters() {
    let mut sources = Sources::default();
    let file = sources.add("a", "\u{e9}\u{1f600} x\r\n");
    let place = Span::new(file, 7, 8);
    let lines = render(&[Diagnostic::error("c", place, "m")], &sources, Format::Concise, false);
    assert_eq!(lines, "a:1:4: error[c]: m\n");
}

#[test]
fn no_place_is_too_odd() {
    let mut sources = Sources::default();
    let file = sources.add("a", "\u{e9}\n");
    let empty = sources.add("empty", "");
    let long = sources.add("long", "x".repeat(1 << 20));
    let places = [
        (file, 0, 0),
        (file, 1, 2),
        (file, 3, 3),
        (file, 9, 4),
        (empty, 0, 0),
        (empty, 5, 9),
        (long, 7, 9),
        (FileId(9), 1, 2),
    ];
    for (file, start, end) in places {
        let place = Span::new(file, start, end);
        for (_, format) in Format::ALL {
            let diagnostic = Diagnostic::error("c", place, "m").related(Span::new(long, 3, 4), "\u{1b}[2J");
            let text = render(&[diagnostic], &sources, format, false);
            assert!(!text.is_empty() && text.len() < 10_000 && !text.contains('\u{1b}'), "{text}");
        }
    }
}
