//! Each mistake has its code and its place, and harms nothing but its own statement.

use super::codes;

/// Checks the codes of what stands in `service s { ... }`.
fn inside(statements: &str, expected: &[&str]) {
    assert_eq!(codes(&format!("service s {{\n    {statements}\n}}\n")), expected, "{statements}");
}

#[test]
fn each_mistake_has_its_code() {
    let cases = [
        ("location / { return 200 \"x\" }", "missing-semicolon"),
        ("location / { return 200 \"x\"\n     type a; }", "missing-semicolon"),
        ("server_name a\n    listen b;", "missing-semicolon"),
        ("location / ;", "expected-block"),
        ("location /\n    return 204;", "expected-block"),
        ("location { }", "expected-word"),
        ("location / as { }", "expected-word"),
        ("location / proxy p;", "unexpected-word"),
        ("location / as a b { }", "unexpected-word"),
        ("return;", "expected-word"),
        ("return abc;", "expected-word"),
        ("return 200 page;", "expected-word"),
        ("return 200 a b;", "unexpected-word"),
        ("return 200 { return 204; }", "unexpected-block"),
        ("retrun 200;", "unknown-statement"),
        ("locaton / { return 200; }", "unknown-statement"),
        ("\"return\" 200;", "unknown-statement"),
        ("proxy_pass http://x;", "unknown-statement"),
        ("upstream x { }", "misplaced-statement"),
        ("weight 3;", "unknown-statement"),
        ("credential key from query k;", "misplaced-statement"),
        ("return 200 \"abc;", "unclosed-quote"),
        ("return 200 'abc;", "unclosed-quote"),
        ("return 200 \"abc\\\";", "unclosed-quote"),
        ("return 200 a\"b;", "quote-in-word"),
        ("return 200 \"a\"b;", "missing-blank"),
        ("return 200 \"a\"\"b\";", "missing-blank"),
        ("location ~ ^/a{2}$ { return 204; }", "brace-in-word"),
        ("location ~ ^/a{2,}{ return 204; }", "brace-in-word"),
        ("rewrite ^/[a-f]{8,12}/ /b last;", "brace-in-word"),
        (";", "empty-statement"),
        ("return 204;;", "empty-statement"),
        ("{ return 204; }", "expected-word"),
        ("when { return 204; }", "expected-predicate"),
        ("when and plan a { return 204; }", "expected-predicate"),
        ("when method GET and { return 204; }", "expected-predicate"),
        ("when method GET and plan a or plan b { return 204; }", "mixed-and-or"),
        ("when ( method GET and plan a or plan b ) { return 204; }", "mixed-and-or"),
        ("when (method GET) { return 204; }", "expected-predicate"),
        ("when ( method GET { return 204; }", "expected-word"),
        ("when method GET ( plan a ) { return 204; }", "unexpected-word"),
        ("when method GET ) { return 204; }", "unexpected-word"),
        ("when header { return 204; }", "expected-word"),
        ("when header X { return 204; }", "expected-word"),
        ("when header X == \"a\" { return 204; }", "expected-word"),
        ("when client 10.0.0.0/8 { return 204; }", "expected-word"),
        ("upgrade http 307;", "expected-word"),
        ("upgrade https 307 for GET for POST;", "repeated-clause"),
        ("upgrade https 307 else 403 \"a\" else 404;", "repeated-clause"),
        ("upgrade https 307 to;", "expected-word"),
        ("proxy;", "expected-word"),
        ("proxy p strip;", "expected-word"),
        ("proxy p elsewhere;", "unexpected-word"),
        ("rewrite ^/a$;", "expected-word"),
        ("rewrite ^/a$ /b lst;", "unexpected-word"),
        ("set request X a;", "expected-word"),
        ("set header X a;", "expected-word"),
        ("set request header X;", "expected-word"),
        ("set request header X a b;", "unexpected-word"),
        ("drop response header;", "expected-word"),
        ("body frward;", "expected-word"),
        ("body forward 64k;", "unexpected-word"),
        ("merge_slashes maybe;", "expected-word"),
        ("methods;", "expected-word"),
        ("meter m sometimes;", "unexpected-word"),
    ];
    for (statements, code) in cases {
        inside(statements, &[code]);
    }
}

#[test]
fn each_mistake_of_the_top_level_has_its_code() {
    let cases = [
        ("}", "stray-brace"),
        ("upstream u { server a:1; } }", "stray-brace"),
        ("service s {", "unclosed-block"),
        ("service s { location / {", "unclosed-block"),
        ("service s", "expected-block"),
        ("include \"x\"", "missing-semicolon"),
        ("servce s { location / { return 200; } }", "unknown-statement"),
        ("location / { return 200; }", "misplaced-statement"),
        ("upstream u { weight 3; }", "unknown-statement"),
        ("upstream u { server; }", "expected-word"),
        ("upstream u external { }", "unexpected-block"),
        ("upstream u;", "expected-block"),
        ("upstream u { tls { verify maybe; } }", "expected-word"),
        ("upstream u { tls; }", "expected-block"),
        ("plans p { credential k header X; }", "expected-word"),
        ("plans p { failed 503 stael=10m; }", "unexpected-word"),
        ("test \"t\" { GET; }", "expected-word"),
        ("test \"t\" { GET http://a/; }", "expected-word"),
        ("test \"t\" { GET http://a/ -> ; }", "expected-word"),
        ("test \"t\" { GET http://a/ -> 200 { } }", "unexpected-block"),
        ("test \"t\" { GET http://a/ with lang=de -> 200; }", "expected-word"),
        ("test \"t\" { GET http://a/ -> 200\n GET http://b/ -> 200; }", "missing-semicolon"),
        ("test \"t\" { GET /a -> 200\n GET /b -> 200; }", "missing-semicolon"),
        ("prove \"p\" sometimes proxied;", "expected-word"),
        ("prove \"p\" never proxied when plan a or plan b and plan c;", "mixed-and-or"),
    ];
    for (text, code) in cases {
        assert_eq!(codes(text), [code], "{text}");
    }
}
