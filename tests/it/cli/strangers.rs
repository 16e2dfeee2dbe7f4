//! What strangers wrote reaches no terminal as more than text.

use super::{Folder, Ran, rulec, rulec_with};
use std::ffi::OsStr;
use std::path::Path;

/// Titles, cursors, colours, forged lines, directions.
const ACTING: &str = "\u{1b}]0;t\u{7}\u{1b}[2J\r\u{9b}31m\u{85}\u{202e}\u{2066}\u{2028}\nerror: forged";

/// Whether something in `text` would act on a terminal, or begins a line that is not ours.
fn acts(text: &str) -> bool {
    let is_acting = |letter: char| {
        letter.is_control() && !matches!(letter, '\n' | '\t')
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().any(is_acting) || text.lines().any(|line| line.starts_with("error: forged"))
}

#[track_caller]
fn shows(arguments: &[&OsStr], input: &str) -> Ran {
    let ran = rulec_with(input, arguments);
    assert!(!acts(&ran.out), "{arguments:?}: {:?}", ran.out);
    assert!(!acts(&ran.err), "{arguments:?}: {:?}", ran.err);
    ran
}

fn words<'a>(words: &[&'a str], file: &'a Path) -> Vec<&'a OsStr> {
    words.iter().map(|word| if *word == "FILE" { file.as_os_str() } else { OsStr::new(*word) }).collect()
}

fn is_json(text: &str) {
    for line in text.lines().collect::<Vec<_>>() {
        if line.starts_with('{') && line.ends_with('}') {
            serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        }
    }
}

/// Names, texts, patterns and comments that hold what acts, wherever the tool shows them.
#[test]
fn rules_of_strangers_are_shown_as_text() {
    let folder = Folder::new();
    // As a string of rules spells it.
    let acting = ACTING.replace('\n', "\\n").replace('\r', "\\r");
    let rules = format!(
        "# a comment \u{202e} {comment}\nupstream \"u{acting}\" {{ server 127.0.0.1:1; }}\n\
         service \"s{acting}\" {{ server_name s.test;\n meter \"m{acting}\";\n\
         location \"/a{acting}\" as \"n{acting}\" {{ return 200 \"t{acting}\"; }}\n\
         location / {{ set response header X \"{value}\"; when header \"X-A\" = \"{acting}\" {{ return 200; }} proxy \"u{acting}\"; }} }}\n\
         test \"name{acting}\" {{ GET http://s.test/ -> 200 \"no{acting}\"; }}\n",
        value = ACTING.replace(|letter: char| letter.is_ascii_control(), ""),
        comment = ACTING.replace('\n', " ")
    );
    let file = folder.file("a.rules", &rules);
    for arguments in [
        &["check", "FILE"][..],
        &["check", "FILE", "--format", "concise"],
        &["check", "FILE", "--format", "json"],
        &["check", "FILE", "--format", "sarif"],
        &["check", "FILE", "--format", "github"],
        &["test", "FILE"],
        &["test", "FILE", "--format", "json"],
        &["test", "FILE", "--format", "junit"],
        &["explain", "FILE", "GET http://s.test/a"],
        &["explain", "FILE", "GET http://s.test/a", "--json"],
    ] {
        let ran = shows(&words(arguments, &file), "");
        assert!(ran.status <= 1 && ran.out.len() + ran.err.len() > 20, "{arguments:?}: {ran:?}");
        is_json(&ran.out);
    }
    let line =
        serde_json::json!({ "target": "/x", "headers": [["X-A", "\u{9b}\u{1b}"]], "host": "s.test" }).to_string();
    let decided =
        shows(&words(&["decide", "FILE"], &file), &format!("{line}\n{{\"nonsense{}\": 1}}\n", "\u{85}\u{9b}"));
    is_json(&decided.out);
    let broken = rules.replace("proxy \"u", "proxy \"v");
    let broken = folder.file("b.rules", &broken);
    for format in ["human", "concise", "json", "sarif", "github"] {
        let ran = shows(&words(&["check", "FILE", "--format", format], &broken), "");
        assert_eq!(ran.status, 1, "{ran:?}");
    }
    // An artifact of it: what it holds is shown by those who read it.
    let untested = folder.file("c.rules", rules.split("test \"name").next().unwrap());
    let out = folder.path("c.rulec");
    assert_eq!(rulec(["compile".as_ref(), untested.as_os_str(), "-o".as_ref(), out.as_os_str()]).status, 0);
    for arguments in
        [&["inspect", "FILE"][..], &["inspect", "FILE", "--json"], &["explain", "FILE", "GET http://s.test/"]]
    {
        let ran = shows(&words(arguments, &out), "");
        assert_eq!(ran.status, 0, "{ran:?}");
        is_json(&ran.out);
    }
}

#[test]
fn an_nginx_conf_of_strangers_is_shown_as_text() {
    let folder = Folder::new();
    let acting = ACTING.replace('\n', " ");
    for conf in [
        format!("http {{ server {{ # {acting}\n location / {{ return 200 \"{acting}\"; }} unknown{acting} x; }} }}"),
        format!("http {{ server {{ location / {{ proxy_pass http://$host{acting}; }} }} }}"),
        format!("http {{ include \"{acting}\"; server {{ server_name {acting}; }} "),
    ] {
        let file = folder.file("nginx.conf", &conf);
        for format in ["human", "json"] {
            let ran = rulec(words(&["import", "nginx", "FILE", "--format", format], &file));
            assert!(!acts(&ran.err), "{conf}: {:?}", ran.err);
            assert!(ran.status != 0 || ran.out.is_empty() || !ran.out.contains("error: forged\n"), "{ran:?}");
        }
    }
}

/// Characters that turn the direction of a text: the place is told, once a line, and it can be allowed.
#[test]
fn a_turned_direction_is_told_by_its_place() {
    let folder = Folder::new();
    let service =
        |inside: &str| format!("service s {{ server_name s.test;\n{inside}\nlocation / {{ return 200; }} }}\n");
    for (rules, place) in [
        (service("# \u{202e} comment"), "2:3"),
        (service("set response header X \"a\u{2066}b\u{2069}\";"), "2:25"),
        (service("") + "# \u{200f}", "4:3"),
        ("# \u{61c}\n".to_owned() + &service(""), "1:3"),
    ] {
        let file = folder.file("d.rules", &rules);
        let ran = shows(&words(&["check", "FILE", "--format", "concise"], &file), "");
        let told: Vec<&str> = ran.err.lines().filter(|line| line.contains("warning[text-direction]")).collect();
        assert!(
            matches!(told.as_slice(), [one] if one.contains(&format!("d.rules:{place}:"))),
            "{rules}: {:?}",
            ran.err
        );
        let allowed = folder.file("e.rules", &format!("allow text-direction;\n{rules}"));
        assert!(!rulec(["check".as_ref(), allowed.as_os_str()]).err.contains("text-direction"));
    }
    let plain = folder.file("f.rules", &service("# \u{5d0}\u{5d1} \u{627} stra\u{df}e \u{200d}"));
    assert_eq!(rulec(["check".as_ref(), plain.as_os_str()]).err, "");
    let conf = folder.file("nginx.conf", "http { server {\n # \u{202e}\n location / { return 200; } } }\n");
    let ran = rulec(["import".as_ref(), "nginx".as_ref(), conf.as_os_str()]);
    assert!(ran.status == 0 && ran.err.contains("text-direction") && ran.err.contains("nginx.conf:2:4"), "{ran:?}");
}

/// What a message names may be as long as a file; the message is not.
#[test]
fn a_message_ends_somewhere() {
    let folder = Folder::new();
    let long = "x".repeat(100_000);
    for rules in [
        format!("service s {{ server_name s.test; location / {{ proxy {long}; }} }}"),
        format!("service s {{ server_name s.test; location / {{ {long} 1; }} }}"),
        format!("service s {{ server_name s.test; location / {{ return 200 ${long}; }} }}"),
    ] {
        let file = folder.file("long.rules", &rules);
        for format in ["human", "concise", "json", "sarif", "github"] {
            let ran = rulec(words(&["check", "FILE", "--format", format], &file));
            assert_eq!(ran.status, 1, "{ran:?}");
            assert!(ran.out.len() + ran.err.len() < 30_000, "{format}: {} bytes", ran.out.len() + ran.err.len());
        }
    }
}
