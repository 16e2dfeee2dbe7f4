//! Each mistake by its code and by what stands above the carets.

use rulec::model::load_text;

/// Checks that `rules` has exactly the mistakes `expected`: code, and the text that is pointed at.
#[track_caller]
fn check(rules: &str, expected: &[(&str, &str)]) {
    let loaded = load_text("t.rules", rules);
    let found: Vec<(&str, &str)> = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| (diagnostic.code, loaded.sources.text(diagnostic.place.span)))
        .collect();
    assert_eq!(found, expected, "{rules}\n{:#?}", loaded.diagnostics);
    for (code, _) in found {
        let errors = include_str!("../../../docs/errors.md");
        assert!(errors.contains(&format!("### `{code}`\n")), "docs/errors.md does not have {code}");
    }
}

/// Checks `statements` inside a service with an upstream `a` and plans `p` of `gold`.
#[track_caller]
fn in_service(statements: &str, expected: &[(&str, &str)]) {
    let before = "upstream a { server a.test; }\nplans p { credential k from header X-Key; plan gold; }\n";
    check(&format!("{before}service s {{ server_name s.test; plans p;\n{statements}\n}}"), expected);
}

/// Checks `statements` inside a prefix location.
#[track_caller]
fn in_location(statements: &str, expected: &[(&str, &str)]) {
    in_service(&format!("location /p/ {{ {statements} }}"), expected);
}

#[test]
fn names_that_nothing_has_come_with_what_was_meant() {
    in_location("proxy b;", &[("unknown-upstream", "b")]);
    in_location("plan gld { proxy a; }", &[("unknown-plan", "gld")]);
    in_location("when plan any and plan \"any\" { proxy a; }", &[("unknown-plan", "\"any\"")]);
    in_location("return 200 $ur;", &[("unknown-variable", "$ur")]);
    in_location("return 200 \"a${uri\";", &[("unknown-variable", "${")]);
    in_location("allow no-anwser; proxy a;", &[("unknown-warning", "no-anwser")]);
    check("service s { server_name s.test; plans q; }", &[("unknown-plans", "q")]);
    check("service s { server_name s.test; plan x { return 200; } }", &[("service-without-plans", "plan x")]);
    check("test \"t\" { GET http://h/ with plan=x -> proxy a; }", &[("unknown-plan", "x"), ("unknown-upstream", "a")]);
    // PL-08
    let loaded = load_text(
        "t",
        "plans p { credential k from header K; plan Staging; } service s { plans p; plan Stagging { return 200; } }",
    );
    assert_eq!(loaded.diagnostics[0].help.as_deref(), Some("did you mean `Staging`?"));
}

#[test]
fn locations_of_a_level_are_different_and_nest_as_nginx_says() {
    // L-28
    in_service("location /a { proxy a; } location ^~ /a { proxy a; }", &[("duplicate-location", "location ^~ /a")]);
    in_service("location = /a { proxy a; } location = /a { proxy a; }", &[("duplicate-location", "location = /a")]);
    in_service("location = /a { proxy a; } location /a { proxy a; location /a/ { } }", &[]);
    // L-29
    in_service("location /a/ { location /b/ { } }", &[("location-outside-parent", "location /b/")]);
    in_service("location = /a { location /a/b { } }", &[("location-inside-exact", "location /a/b")]);
    in_service("location /a/ { location ~ x { } location = /a/b { } }", &[]);
    in_service("location ~~ /a { }", &[("unexpected-word", "/a")]);
    in_service("location /a { location @n { } }", &[("named-location", "location @n")]);
    in_service("location @n { location /a { } }", &[("named-location", "location /a")]);
    in_service("location @n { return 200; } location /a { goto @m; }", &[("unknown-location", "@m")]);
    in_service("error_page 404 @nn; location @n { return 200; }", &[("unknown-location", "@nn")]);
    in_service("when method GET { location /a { } }", &[("misplaced-statement", "location /a")]);
    in_location("server_name x.test;", &[("misplaced-statement", "server_name x.test")]);
}

#[test]
fn services_of_a_listener_share_no_name() {
    check(
        "service a { server_name x.test; } service b { server_name X.test.; }",
        &[("duplicate-server-name", "X.test.")],
    );
    check("service a { listen l; server_name x.test; } service b { listen m; server_name x.test; }", &[]);
    check("service a { server_name .x.test *.x.test; }", &[("duplicate-server-name", "*.x.test")]);
    check("service a default { } service b default { }", &[("duplicate-default", "service b default")]);
    check("service a { server_name x:80; }", &[("invalid-server-name", "x:80")]);
    check("service a { server_name x.*.test; }", &[("invalid-server-name", "x.*.test")]);
    check("service a { server_name ~^(a; }", &[("regex-syntax", "(")]);
}

#[test]
fn answers_are_possible() {
    in_location("return 99;", &[("invalid-status", "99")]);
    in_location("return 600;", &[("invalid-status", "600")]);
    in_location("return 301;", &[("redirect-without-url", "return 301")]);
    in_location("return 444;", &[]);
    in_location("return 444 bye;", &[("invalid-answer", "bye")]);
    in_location("return 301 \"/a\\r\\nX: y\";", &[("invalid-header-value", "\"/a\\r\\nX: y\"")]);
    in_location("return 204 text;", &[("invalid-answer", "text")]);
    in_location("proxy a strip /p/;", &[("invalid-strip", "/p/")]);
    in_location("proxy a strip p;", &[("invalid-strip", "p")]);
    in_location("when method GET { proxy a \"/base/\"; }", &[]);
    in_location("rewrite ^ /x break; proxy a \"/base/\";", &[("misplaced-base", "\"/base/\"")]);
    in_service("location ~ x { proxy a \"/base/\"; }", &[("misplaced-base", "\"/base/\"")]);
    in_service("proxy a \"/base/\";", &[("misplaced-base", "\"/base/\"")]);
    in_location("upgrade https 403;", &[("invalid-status", "403")]);
    in_location("upgrade https 307 for GET else 403 \"no\";", &[]);
    check("service s default { upgrade https 308; }", &[("upgrade-without-host", "upgrade https 308")]);
    check("service s default { upgrade https 308 to s.test:8443; }", &[]);
    check("service s { server_name ~x s.test; upgrade https 308 else 403; }", &[]);
    check("service s { server_name ~x; upgrade https 308; }", &[("upgrade-without-host", "upgrade https 308")]);
}

#[test]
fn requests_are_sent_on_to_what_there_is() {
    in_location("goto a;", &[("invalid-value", "a")]);
    in_location("error_page 204 /x; error_page 499 /x;", &[("invalid-status", "204"), ("invalid-status", "499")]);
    in_location("error_page 404 =99 /x; proxy a;", &[("invalid-status", "=99")]);
    in_location("error_page 404 =;", &[("expected-word", ";")]);
    in_location("error_page 404 = /x; error_page 502 504 =503 https://x.test/; forget error_pages; proxy a;", &[]);
    in_service("internal;", &[("misplaced-statement", "internal")]);
    in_location("when method GET { internal; }", &[("misplaced-statement", "internal")]);
    let loaded =
        load_text("t", "service s default { location @fallback { return 200; } location / { goto @falback; } }");
    assert_eq!(loaded.diagnostics[0].help.as_deref(), Some("did you mean `@fallback`?"));
}

#[test]
fn facts_are_declared_with_what_they_can_be() {
    check("fact ok yes no; service s default { when fact ok yes { return 200; } return 404; }", &[]);
    check("fact ok yes no; service s default { when fact oc yes { return 200; } }", &[("unknown-fact", "oc")]);
    check("fact ok yes no; service s default { when fact ok maybe { return 200; } }", &[("unknown-fact", "maybe")]);
    check("fact ok yes yes no;", &[("duplicate-name", "yes")]);
    check("fact ok yes no; fact ok a b;", &[("duplicate-name", "ok")]);
    check("fact ok yes;", &[("fact-without-choice", "ok")]);
    check("fact o-k yes no;", &[("invalid-value", "o-k")]);
    check("fact ok yes no; map $m { fact ok yes -> a; }", &[("map-asks-caller", "fact ok yes ")]);
    check("fact ok yes no; test t { GET / with fact ok=maybe -> 200; }", &[("unknown-fact", "maybe")]);
    check("test t { GET / with fault=200 -> 200; }", &[("invalid-value", "200")]);
}

#[test]
fn what_is_said_once_is_said_once() {
    in_service("plans p;", &[("duplicate-statement", "plans p")]);
    in_service("paths strict; paths nginx;", &[("duplicate-statement", "paths nginx")]);
    check("upstream a { server x.test; host x.test; host y.test; }", &[("duplicate-statement", "host")]);
    check("plans p { credential k from header K; }", &[("no-plans", "p")]);
    check("plans p { plan x; }", &[("no-credential", "p")]);
    check(
        "plans p { credential k from query q; plan any; plan x x; }",
        &[("reserved-name", "any"), ("duplicate-name", "x")],
    );
    check("plans p { credential k from query q; plan x; missing 200; }", &[("invalid-status", "200")]);
    in_service("location ~ (?<args>x) { }", &[("reserved-name", "(?<args>x)")]);
    in_location("upgrade https 307 else 403;", &[("invalid-answer", "403")]);
    in_location("when client in 10.0.0.1/8 { return 200; }", &[("invalid-value", "10.0.0.1/8")]);
    in_location("when client in ::ffff:10.0.0.0/104 2001:db8::/32 192.0.2.1 { return 200; }", &[]);
    in_location("when header X has \"a,b\" { return 200; }", &[("invalid-value", "\"a,b\"")]);
    in_location("when scheme ftp { return 200; }", &[("invalid-value", "ftp")]);
    in_location("rewrite ^ /x lst;", &[("unexpected-word", "lst")]);
}

#[test]
fn headers_are_fields_and_none_frames_a_message() {
    in_location("drop request header Connection;", &[("framing-header", "Connection")]);
    in_location("set response header Transfer-Encoding x;", &[("framing-header", "Transfer-Encoding")]);
    in_location("drop response header c*;", &[("framing-header", "c*")]);
    in_location("drop response header x-amz-* Set-Cookie;", &[]);
    in_location("set request header Host $host; drop request header X-*;", &[]);
    in_location("drop request header Host;", &[("framing-header", "Host")]);
    in_location("add request header Host x;", &[("framing-header", "Host")]);
    in_location("set request header \"X Y\" v;", &[("invalid-header-name", "\"X Y\"")]);
    in_location("set request header X \"a\\nb\";", &[("invalid-header-value", "\"a\\nb\"")]);
    in_location("set request header X \"\";", &[]);
    in_location("methods get;", &[("invalid-value", "get")]);
    in_location("methods TRACE;", &[("invalid-value", "TRACE")]);
    in_location("body forward max=64q;", &[("invalid-value", "64q")]);
    in_location("hsts 500ms;", &[("invalid-value", "500ms")]);
}

#[test]
fn upstreams_have_a_name_to_verify() {
    check("upstream a { server x.test; server y.test; }", &[("upstream-without-host", "y.test")]);
    check("upstream a { server x.test:1; server x.test:2; }", &[]);
    // G-02
    check("upstream a { server 10.0.0.1; tls { } }", &[("tls-without-name", "tls")]);
    check("upstream a { server 10.0.0.1; tls { verify off; } }", &[]);
    check("upstream a { server 10.0.0.1; host x.test; tls { } }", &[]);
    check("upstream a { server [::1]:80; }", &[]);
    check("upstream a { server x.test:0; }", &[("invalid-value", "x.test:0")]);
    check("upstream a { }", &[("no-servers", "a")]);
    check("upstream a external; upstream a external;", &[("duplicate-name", "a")]);
    check("upstream a { server x.test backup; }", &[("backup-alone", "x.test")]);
    check("upstream a { server x.test; health healthz; }", &[("invalid-value", "healthz")]);
    check("upstream a { server x.test; health / rise=0; }", &[("invalid-value", "rise=0")]);
    check("upstream a { server x.test; health / status=300-200; }", &[("invalid-value", "status=300-200")]);
    check("upstream a { server x.test; retries 1 budget=200%; }", &[("invalid-value", "budget=200%")]);
    check("upstream a { server x.test; balance hash $1; }", &[("hash-key-group", "$1")]);
    check("upstream a { server x.test; balance hash $nothing; }", &[("unknown-variable", "$nothing")]);
    check("upstream a { server x.test; timeout connect=0s; }", &[("invalid-value", "connect=0s")]);
    check("upstream a { server x.test; keepalive 64 idel=5s; }", &[("unknown-option", "idel=5s")]);
}

#[test]
fn what_waits_for_a_later_version_is_refused_at_its_place() {
    in_location("limit 10/s; proxy a;", &[("not-supported-yet", "limit 10/s")]);
    in_location("return 404 page x;", &[("not-supported-yet", "x")]);
    check("prove \"x\" never proxied;", &[("not-supported-yet", "prove \"x\" never proxied")]);
    check("page x \"x.html\";", &[("not-supported-yet", "page x \"x.html\"")]);
    let failed = "plans p { credential k from header K; plan x; failed 503 stale=10m; }";
    check(failed, &[("not-supported-yet", "stale=10m")]);
    in_service("location ~ (?<!b+)a { }", &[("regex-lookbehind", "b+")]);
}

#[test]
fn all_mistakes_of_a_file_are_said_at_once() {
    in_service(
        "location /a { }\nlocation /a { proxy b; return 99; methods get; }\nlocation ~ (x { }\nwhen host ~ \\1 { return 200 $nope; }",
        &[
            ("duplicate-location", "location /a"),
            ("unknown-upstream", "b"),
            ("invalid-status", "99"),
            ("invalid-value", "get"),
            ("regex-syntax", "("),
            ("regex-backreference", "\\1"),
            ("unknown-variable", "$nope"),
        ],
    );
}
