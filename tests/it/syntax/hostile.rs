//! No text makes the parser panic, overflow its stack or take more than linear time.

use super::codes;
use core::time::Duration;
use proptest::prelude::*;
use rulec::diagnostic::{FileId, Format, Label, Sources, render};
use rulec::syntax::{Parsed, parse};
use std::time::Instant;

/// Parses `text` on a small stack and holds what is true of every text.
fn check(text: &str) -> Parsed {
    let parsed = parse(FileId(0), text);
    for diagnostic in &parsed.diagnostics {
        for Label { span, .. } in core::iter::once(&diagnostic.place).chain(&diagnostic.related) {
            let (start, end) = (span.start as usize, span.end as usize);
            assert!(start <= end && end <= text.len(), "{diagnostic:?}");
            assert!(text.is_char_boundary(start) && text.is_char_boundary(end), "{diagnostic:?}");
        }
    }
    parsed
}

/// Parses `text` on a stack of 1 MiB, in time that only something worse than linear would exceed.
fn check_hostile(text: String, expected: &[&str]) {
    let shown: String = text.chars().take(40).collect();
    let begun = Instant::now();
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(move || check(&text));
    let parsed = thread.expect("threads start").join().expect("no panic");
    let mut codes: Vec<_> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.dedup();
    assert_eq!(codes, expected, "{shown}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{shown}: {:?}", begun.elapsed());
}

const MEBIBYTE: usize = 1 << 20;

#[test]
fn a_mebibyte_of_one_sign_is_refused_quickly() {
    check_hostile("{".repeat(MEBIBYTE), &["expected-word", "unclosed-block"]);
    check_hostile("}".repeat(MEBIBYTE), &["stray-brace", "too-many-mistakes"]);
    check_hostile(";".repeat(MEBIBYTE), &["empty-statement", "too-many-mistakes"]);
    check_hostile("\"".repeat(MEBIBYTE), &["missing-blank"]);
    check_hostile("'\n".repeat(MEBIBYTE / 2), &["unclosed-quote", "too-many-mistakes"]);
    check_hostile("$".repeat(MEBIBYTE), &["unknown-statement"]);
    check_hostile("${".repeat(MEBIBYTE / 2), &["unknown-statement", "unclosed-block"]);
    check_hostile("${a".repeat(MEBIBYTE / 3), &["unknown-statement", "unclosed-block"]);
    check_hostile("\\".repeat(MEBIBYTE), &["unknown-statement"]);
    check_hostile("# ".repeat(MEBIBYTE / 2), &[]);
    check_hostile("\n".repeat(MEBIBYTE), &[]);
    check_hostile("a{1}".repeat(MEBIBYTE / 4), &["brace-in-word", "too-many-mistakes"]);
    check_hostile(format!("a{}", "{1".repeat(MEBIBYTE / 2)), &["unknown-statement", "unclosed-block"]);
    check_hostile("(".repeat(MEBIBYTE), &["unknown-statement"]);
}

#[test]
fn nesting_has_a_bound() {
    let deep = |levels: usize, open: &str, close: &str| {
        format!("service s {{ {}{} }}", open.repeat(levels), close.repeat(levels))
    };
    check_hostile(deep(63, "location / { ", "} "), &[]);
    check_hostile(deep(64, "location / { ", "} "), &["nesting-too-deep"]);
    check_hostile(deep(50_000, "location / { ", "} "), &["nesting-too-deep"]);
    check_hostile("service s { ".to_owned() + &"location / { ".repeat(80_000), &["nesting-too-deep", "unclosed-block"]);

    let predicate = |levels: usize, open: &str, close: &str| {
        format!("service s {{ when {} method GET {} {{ return 204; }} }}", open.repeat(levels), close.repeat(levels))
    };
    check_hostile(predicate(32, "( ", ") "), &[]);
    check_hostile(predicate(33, "( ", ") "), &["nesting-too-deep"]);
    check_hostile(predicate(100_000, "( ", ") "), &["nesting-too-deep"]);
    check_hostile(predicate(16, "not ( ", ") "), &[]);
    check_hostile(predicate(17, "not ( ", ") "), &["nesting-too-deep"]);
    check_hostile(predicate(100_000, "not ", ""), &["nesting-too-deep"]);
    let guard = format!("when {}method GET {}{{ }} }}", "( ".repeat(32), ") ".repeat(32));
    let both = deep(62, "location / { ", "} ").replacen('}', &guard, 1);
    check_hostile(both, &[]);
}

#[test]
fn size_has_a_bound() {
    check_hostile(" ".repeat((16 << 20) + 1), &["file-too-large"]);
    check_hostile(format!("service s {{ server_name {}; }}", "a ".repeat(MEBIBYTE)), &["statement-too-long"]);
    check_hostile(format!("service s {{ server_name {}; }}", "a ".repeat(MEBIBYTE / 4)), &[]);
    check_hostile(format!("service s {{ {} }}", "type a; ".repeat(MEBIBYTE / 4)), &[]);
    check_hostile(
        format!("service s {{ {} }}", "type a\n".repeat(MEBIBYTE / 8)),
        &["missing-semicolon", "too-many-mistakes"],
    );
    let tests = "GET http://a/\n".repeat(MEBIBYTE / 16);
    // Two mistakes a line: what is expected, and the `;`.
    let parsed = check(&format!("test t {{ {tests} }}"));
    assert_eq!(parsed.diagnostics.last().map(|last| last.code), Some("too-many-mistakes"));
}

#[test]
fn odd_bytes_are_letters() {
    assert_eq!(codes("\u{feff}service s {\r\n  server_name \u{e9}\u{1f600}.test;\r\n}\r\n"), [""; 0]);
    assert_eq!(codes("service\u{a0}s { }"), ["unknown-statement"]);
    assert_eq!(codes("service s { type \0\u{1b}; }"), [""; 0]);
}

/// Fragments that meet all of the lexis when thrown together.
fn fragments() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(vec![
        "service",
        "s",
        "location",
        "/",
        "~",
        "{",
        "}",
        ";",
        " ",
        "\n",
        "\"",
        "'",
        "\\",
        "#",
        "$",
        "${a}",
        "(",
        ")",
        "and",
        "or",
        "not",
        "when",
        "method",
        "GET",
        "return",
        "200",
        "proxy",
        "p",
        "->",
        "http://a/",
        "test",
        "with",
        "header",
        "upstream",
        "tls",
        "plans",
        "=",
        "max=1",
        "{2,3}",
        "\u{e9}",
        "\u{1f600}",
        "\r",
        "\t",
        "\n}\n",
        "\nservice ",
        ";\n",
    ]);
    prop::collection::vec(fragment, 0..80).prop_map(|fragments| fragments.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_fragments_are_read_and_rendered(text in fragments()) {
        let parsed = check(&text);
        let mut sources = Sources::default();
        sources.add("a.rules", text);
        for (_, format) in Format::ALL {
            render(&parsed.diagnostics, &sources, format, true);
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_damaged_policy_is_read(at in any::<prop::sample::Index>(), length in 0_usize..40, fragment in fragments()) {
        let whole: Vec<char> = include_str!("words_whole.rules").chars().collect();
        let start = at.index(whole.len());
        let end = (start + length).min(whole.len());
        let text: String = whole[..start].iter().chain(&fragment.chars().collect::<Vec<_>>()).chain(&whole[end..]).collect();
        check(&text);
    }
}
