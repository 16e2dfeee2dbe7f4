//! Every mistake of a file is told in one run, and what is right is understood all the same.

use super::{codes, places};
use rulec::diagnostic::FileId;
use rulec::syntax::ast::{ItemKind, StatementKind};
use rulec::syntax::parse;

/// Checks the (line, code) of each mistake of `text`.
fn check(text: &str, expected: &[(usize, &str)]) {
    let found: Vec<_> = places(text).into_iter().map(|(line, _, code)| (line, code)).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn all_mistakes_are_told_in_one_run() {
    check(
        "upstream u { sever a:1; host; }\n\
         plans p { missing none; }\n\
         service s {\n    \
             locaton / { retrun 200; proxy; }\n    \
             location / { return 20x \"a\"; when nothing { proxy } }\n    \
             set request header;\n    \
             return 200 'it;\n\
         }\n\
         test t { GET; }\n",
        &[
            (1, "unknown-statement"),
            (1, "expected-word"),
            (2, "expected-word"),
            (4, "unknown-statement"),
            (4, "unknown-statement"),
            (4, "expected-word"),
            (5, "expected-word"),
            (5, "expected-predicate"),
            (5, "expected-word"),
            (5, "missing-semicolon"),
            (6, "expected-word"),
            (7, "unclosed-quote"),
            (9, "expected-word"),
        ],
    );
}

#[test]
fn a_broken_statement_harms_only_itself() {
    let text =
        "service s {\n  location / { return abc; meter m; }\n  location = \"/x { proxy p; }\n  type a\n  hsts 1y;\n}";
    let parsed = parse(FileId(0), text);
    let Some(ItemKind::Service { body, .. }) = parsed.file.items.first().map(|item| &item.kind) else {
        panic!("the service is there");
    };
    assert_eq!(parsed.diagnostics.len(), 3, "{:?}", parsed.diagnostics);
    assert!(matches!(&body[0].kind, StatementKind::Location(location) if location.body.len() == 1));
    assert!(matches!(&body[1].kind, StatementKind::Type(_)));
    assert!(matches!(&body[2].kind, StatementKind::Hsts { .. }));
}

#[test]
fn an_unclosed_quote_ends_with_its_statement() {
    let rest = "service t { location / { return 204; } }";
    for head in [
        "service s { return 200 \"abc; }",
        "service s {\n  return 200 \"abc;\n}",
        "service s {\n  return 200 \"abc;  # why\n}",
        "service s {\n  location ~ \"^/x { return 200; }\n}",
        "service s {\n  location / { return 200 'abc; }\n}",
    ] {
        let text = format!("{head}\n{rest}");
        assert_eq!(codes(&text), ["unclosed-quote"], "{head}");
        assert_eq!(parse(FileId(0), &text).file.items.len(), 2, "{head}");
    }
}

#[test]
fn an_unclosed_block_ends_where_the_top_level_begins_again() {
    let text = "service s {\n  location / {\n    return 204;\n  location /a { return 204; }\n}\ntest t { GET; }\nupstream u { }\n";
    check(text, &[(2, "unclosed-block"), (6, "expected-word")]);
    assert_eq!(parse(FileId(0), text).file.items.len(), 3);
}

#[test]
fn the_block_that_is_told_of_is_the_one_that_ends_too_far_left() {
    let text = "service s {\n  location / {\n    when body present {\n      return 204;\n  }\n}\n";
    check(text, &[(3, "unclosed-block")]);
    check("service s {\n  location / {\n    return 204;\n", &[(2, "unclosed-block")]);
}

#[test]
fn a_stray_brace_ends_nothing() {
    check(
        "}\nservice s { }\n}\n}\nupstream u { host; }\n",
        &[(1, "stray-brace"), (3, "stray-brace"), (4, "stray-brace"), (5, "expected-word")],
    );
}

#[test]
fn a_statement_that_begins_its_line_ends_the_one_before() {
    check(
        "service s {\n  type a\n  hsts 1y\n  location / {\n    proxy p\n  }\n}",
        &[(2, "missing-semicolon"), (3, "missing-semicolon"), (5, "missing-semicolon")],
    );
    // A predicate goes on over lines, although `method` and `plan` begin statements too.
    check("service s {\n  when\n    method GET\n    and\n    plan a\n  {\n    return 204;\n  }\n}", &[]);
    // Values on lines of their own are no statements, nor is a word in quotes.
    check("service s {\n  server_name\n    a.example\n    b.example\n    \"type\";\n}", &[]);
}

#[test]
fn what_was_meant_is_proposed() {
    let cases = [
        ("service s { retrun 200; }", "did you mean `return`?"),
        ("service s { when pln a { return 200; } }", "did you mean `plan`?"),
        ("service s { body pass; }", "write `body forward|strip|reject [max=SIZE];`"),
        ("service s { body fowrard; }", "did you mean `forward`?"),
        ("service s { proxy_pass http://a; }", "what nginx calls `proxy_pass` is written `proxy UPSTREAM;`"),
        (
            "service s { when (method GET) { return 200; } }",
            "parentheses group only as words of their own: write `( PREDICATE )`, with blanks",
        ),
        (
            "service s { when method GET and plan a or plan b { return 200; } }",
            "write `P and ( Q or R )` or `( P and Q ) or R`, with blanks around the parentheses",
        ),
    ];
    for (text, help) in cases {
        let parsed = parse(FileId(0), text);
        assert_eq!(parsed.diagnostics[0].help.as_deref(), Some(help), "{text}");
    }
}

#[test]
fn messages_are_in_words_of_authors() {
    let rule_like =
        ["k_", "_word", "any_", "EOI", "semicolon", "unary", "field_", "clause_", "_is", "return_", "type_"];
    for text in [
        "service s { upgrade https 307 for; return; rewrite a; when x { } set response; add response header A; }",
        "service s { when header X ~ { } when ( plan a { } upgrade https x; body x; limit x; error x; options x; }",
        "upstream u { balance x; max_fails x; fail_timeout x; keepalive x; timeout x; tls { versions; } }",
        "test t { GET a -> x; GET a with x -> 200; GET a -> proxy; } prove a; page a; include; service; plans;",
    ] {
        for diagnostic in parse(FileId(0), text).diagnostics {
            let said = diagnostic.message.replace("server_name", "").replace("max_fails", "");
            assert!(!rule_like.iter().any(|part| said.contains(part)), "{said}");
        }
    }
}
