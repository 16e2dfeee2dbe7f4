//! nginx's lexis and blocks.

use rulec::import::nginx::{Directive, Parsed, parse, parse_text};
use std::fs;

/// Words and blocks as one line: `a b;` `a { b; }`.
fn shape(directives: &[Directive]) -> String {
    let one = |directive: &Directive| {
        let words: Vec<String> =
            [&directive.name].into_iter().chain(&directive.args).map(|word| format!("<{}>", word.text)).collect();
        let block = match &directive.block {
            None => ";".to_owned(),
            Some(block) if block.raw.is_some() => "{raw}".to_owned(),
            Some(block) => format!("{{{}}}", shape(&block.directives)),
        };
        format!("{}{block}", words.concat())
    };
    directives.iter().map(one).collect()
}

fn check(text: &str, expected: &str) {
    let parsed = parse_text("nginx.conf", text.as_bytes());
    assert!(parsed.diagnostics.is_empty(), "{text}: {:?}", parsed.diagnostics);
    assert_eq!(shape(&parsed.directives), expected, "{text}");
}

/// Each mistake as `line:column message`.
fn mistakes(parsed: &Parsed) -> Vec<String> {
    let one = |diagnostic: &rulec::diagnostic::Diagnostic| {
        let (line, column) = parsed.sources.position(diagnostic.place.span);
        format!("{line}:{column} {}", diagnostic.message)
    };
    parsed.diagnostics.iter().map(one).collect()
}

fn check_mistakes(text: &str, expected: &[&str]) {
    assert_eq!(mistakes(&parse_text("nginx.conf", text.as_bytes())), expected, "{text}");
}

#[test]
fn words_end_where_nginx_ends_them() {
    check("a b;c{d;}", "<a><b>;<c>{<d>;}");
    check("return 200 a}b;", "<return><200><a}b>;");
    check("log ${a}b $x{c;}", "<log><${a}b><$x>{<c>;}");
}

#[test]
fn a_brace_behind_a_dollar_ends_no_word() {
    check("set $a ${b}c;", "<set><$a><${b}c>;");
    check("if ($a) { b; }", "<if><($a)>{<b>;}");
}

#[test]
fn quotes_and_escapes_are_resolved_as_nginx_does() {
    check(r#"a "b;{}# c" 'd "e"';"#, "<a><b;{}# c><d \"e\">;");
    check(r#"a "x\"y" 'x\'y' x\ty x\;y \d\.\$ "\d\\";"#, "<a><x\"y><x'y><x\ty><x\\;y><\\d\\.\\$><\\d\\>;");
    check("a b\"c d'e;", "<a><b\"c><d'e>;");
    check("if ($a = \"b\") { c; }", "<if><($a><=><b><)>{<c>;}");
    check("a \"two\nlines\";", "<a><two\nlines>;");
    check("a '';", "<a><>;");
}

#[test]
fn comments_begin_where_a_word_could() {
    check("a#b c; # d; }\n# e\nf;", "<a#b><c>;<f>;");
    let parsed = parse_text(
        "nginx.conf",
        b"# above\na # between\n  b; # behind\nc { # opens\n d; # of d\n # last\n} # closes\n# end",
    );
    let texts = |directive: &Directive| -> Vec<String> {
        directive.comments.iter().map(|comment| comment.text.clone()).collect()
    };
    assert_eq!(texts(&parsed.directives[0]), ["above", "between", "behind"]);
    assert_eq!(texts(&parsed.directives[1]), ["opens", "closes"]);
    assert_eq!(texts(&parsed.directives[1].children()[0]), ["of d"]);
    assert_eq!(parsed.directives[1].block.as_ref().unwrap().comments[0].text, "last");
    assert_eq!(parsed.comments[0].text, "end");
}

#[test]
fn blocks_of_lua_are_not_read_as_directives() {
    check("content_by_lua_block { ngx.say('}') -- }\n } a;", "<content_by_lua_block>{raw}<a>;");
}

#[test]
fn bytes_that_are_not_utf8_are_kept() {
    let parsed = parse_text("nginx.conf", b"location ~ ^/\xFC$ { return 200 caf\xC3\xA9; }");
    assert_eq!(parsed.directives[0].args[1].bytes(), b"^/\xFC$");
    assert!(!parsed.directives[0].args[1].is_utf8());
    assert_eq!(parsed.directives[0].children()[0].arg(1), "caf\u{e9}");
}

#[test]
fn a_byte_order_mark_is_said_and_skipped() {
    let parsed = parse_text("nginx.conf", "\u{feff}a;".as_bytes());
    assert_eq!(shape(&parsed.directives), "<a>;");
    assert_eq!(mistakes(&parsed).len(), 1);
    assert!(!parsed.has_errors());
}

#[test]
fn every_mistake_of_syntax_is_found_in_one_run() {
    check_mistakes(
        "a b\n}\nc {\n",
        &["1:1 directive `a` is not terminated by `;`", "2:1 unexpected `}`", "3:1 the file ends within this block"],
    );
    check_mistakes(
        "a \"b\"c;\n;\nd 'e",
        &[
            "1:6 unexpected `c` behind a closing quote",
            "2:1 unexpected `;`",
            "3:1 directive `d` is not terminated by `;`",
            "3:3 this quote is not closed",
        ],
    );
    check_mistakes("{ a; }", &["1:1 unexpected `{`", "1:6 unexpected `}`"]);
    let deep = format!("{}{}", "a {".repeat(60), "}".repeat(60));
    assert!(parse_text("nginx.conf", deep.as_bytes()).has_errors());
}

#[test]
fn includes_are_sought_from_the_prefix_in_sorted_order() {
    let folder = std::env::temp_dir().join(format!("rulec-it-include-{}", std::process::id()));
    fs::create_dir_all(folder.join("conf.d")).unwrap();
    fs::write(folder.join("nginx.conf"), "include conf.d/*.conf; http { include conf.d/b.conf; } include mime.types;")
        .unwrap();
    fs::write(folder.join("conf.d/b.conf"), "b;").unwrap();
    fs::write(folder.join("conf.d/a.conf"), "a; # the end").unwrap();
    fs::write(folder.join("conf.d/.c.conf"), "hidden;").unwrap();
    fs::write(folder.join("loop.conf"), "include loop.conf; include gone.conf;").unwrap();
    let parsed = parse(&folder.join("nginx.conf"), None).unwrap();
    let included = parse(&folder.join("loop.conf"), Some(&folder)).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(
        shape(&parsed.directives),
        "<include><conf.d/*.conf>;<a>;<b>;<http>{<include><conf.d/b.conf>;<b>;}<include><mime.types>;"
    );
    assert!(!parsed.has_errors());
    let codes: Vec<&str> = included.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, ["include-loop", "unreadable-include"]);
}
