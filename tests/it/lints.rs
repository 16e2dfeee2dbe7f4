//! Every warning has rules that must bring it, and rules like them that must stay silent.

use rulec::analysis::lint;
use rulec::artifact::compile;
use rulec::automaton::Limits;
use rulec::diagnostic::WARNINGS;
use rulec::model::load_text;

/// Names of all warnings of a service `s.test` with these statements, behind `top`.
fn warnings(top: &str, statements: &str) -> Vec<(&'static str, String)> {
    let rules = format!("{top}\nservice s {{\n    server_name s.test;\n{statements}\n}}\n");
    let loaded = load_text("s.rules", &rules);
    assert!(!loaded.has_errors(), "{rules}{:#?}", loaded.diagnostics);
    let compiled = compile(&loaded.policy, &loaded.sources, &Limits::default()).expect("within the limits");
    let all = lint::run(&loaded.policy).into_iter().chain(compiled.warnings);
    all.map(|warning| (warning.code, loaded.sources.text(warning.place.span).to_owned())).collect()
}

fn warns(code: &str, top: &str, statements: &str) {
    let found = warnings(top, statements);
    assert!(found.iter().any(|(found, _)| *found == code), "{statements} must bring {code}, brings {found:?}");
    assert!(WARNINGS.contains(&code));
}

fn is_silent(top: &str, statements: &str) {
    assert_eq!(warnings(top, statements), [], "{statements}");
}

const UPSTREAM: &str = "upstream a { server 127.0.0.1:1; }";
const PLANS: &str = "plans p { credential key from query k; plan small large; }";

#[test]
fn a_regex_twice_on_a_level() {
    warns("duplicate-regex", "", "location ~ ^/a { return 200; } location ~ ^/a { return 201; }");
    is_silent(
        "",
        "location ~ ^/a { return 200; } location ~* ^/a { return 201; } location /b { location ~ ^/a { return 202; } return 203; }",
    );
}

#[test]
fn a_path_that_no_path_is() {
    for path in ["api/", "/a//b", "/./a/", "= /a/..", "= a"] {
        warns("location-never-matches", "", &format!("location {path} {{ return 200; }}"));
    }
    warns("location-with-query", "", "location /a?b=1 { return 200; }");
    is_silent("", "location /a.b/ { return 200; } location /.. { return 201; } location /a/.b { return 202; }");
    is_silent("", "merge_slashes off; location /a//b { return 200; }");
}

#[test]
fn a_redirect_that_loses_the_method() {
    warns("lossy-redirect", "", "location / { return 301 /x; }");
    warns("lossy-redirect", "", "location / { rewrite ^ /x redirect; return 404; }");
    is_silent("", "location / { return 308 /x; }");
    is_silent("", "location / { methods GET; return 301 /x; }");
    is_silent("", "location / { method GET { return 302 /x; } return 404; }");
}

#[test]
fn a_body_without_a_bound_where_nobody_expects_one() {
    warns("unbounded-body", UPSTREAM, "location / { method DELETE { body forward; } proxy a; }");
    warns("unbounded-body", UPSTREAM, "location / { body forward; proxy a; }");
    is_silent(
        UPSTREAM,
        "location / { method DELETE { body forward max=64k; } method POST PUT { body forward; } proxy a; }",
    );
}

#[test]
fn a_prefix_that_takes_more_than_is_meant() {
    warns("prefix-without-slash", UPSTREAM, "location /s3 { proxy a strip /s3; }");
    warns("prefix-without-slash", UPSTREAM, "location /s3 { proxy a \"/base/\"; }");
    is_silent(UPSTREAM, "location /s3/ { proxy a strip /s3; } location = /b { proxy a \"/base/\"; }");
}

#[test]
fn a_guard_that_refuses_by_what_may_be_repeated() {
    for guard in [
        "header X-Role = admin",
        "header X-Role in admin root",
        "header X-Role ^~ adm",
        "header User-Agent ~ ^curl",
        "query role = admin",
        "query role ~ adm",
        "query debug present",
        "cookie role = admin",
        "method POST and ( not query safe present or cookie role ~* adm )",
        "not ( not header X-Role = admin )",
    ] {
        warns("repeatable-guard", "", &format!("location / {{ when {guard} {{ return 403; }} return 200; }}"));
    }
    warns("repeatable-guard", "", "when query role = admin { return 444; } location / { return 200; }");
    warns("repeatable-guard", "", "unique query role; location / { when cookie role = a { return 401; } return 200; }");
    let map = "map $role { header X-Role = admin -> a; default -> b; }";
    warns("repeatable-guard", map, "location / { when $role = a { return 403; } return 200; }");
    is_silent(map, "location / { when $role = b { return 403; } return 200; }");
    for guard in [
        "not header X-Role = user",
        "header X-Role present",
        "header X-Role has admin",
        "header User-Agent ~* BadBot",
        "header Host = a",
        "method POST",
        "path ^~ /a",
        "args ~ x",
        "not ( query role = user or cookie role = user )",
    ] {
        is_silent("", &format!("location / {{ when {guard} {{ return 403; }} return 200; }}"));
    }
    is_silent("", "location / { when header X-Role = admin { return 200; } return 403; }");
    is_silent(
        "",
        "unique query role; location /a/ { location /a/b/ { when query role = a { return 403; } return 200; } return 200; }",
    );
    is_silent("", "location / { unique header X-Role; when header X-Role = admin { return 403; } return 200; }");
    is_silent("", "location / { when method POST { unique cookie c; when cookie c = a { return 403; } } return 200; }");
}

#[test]
fn a_redirect_to_whatever_host_the_client_names() {
    warns("unchecked-host", "", "server_name ~^(.+)\\.t$; location / { return 307 https://$host/; }");
    is_silent("", "server_name *.t; location / { return 307 https://$host/; }");
    is_silent("", "server_name ~t$; upgrade https 307 for GET else 403; location / { return 200; }");
}

#[test]
fn a_plan_that_no_rule_names() {
    warns("unserved-plan", PLANS, "plans p; location / { plan small { return 200; } return 403; }");
    is_silent(PLANS, "plans p; location / { plan small { return 200; } plan large { return 201; } }");
    is_silent(PLANS, "plans p; location / { plan any { return 200; } }");
}

#[test]
fn an_upstream_that_nothing_is_sent_to() {
    warns("unused-upstream", UPSTREAM, "location / { return 200; }");
    is_silent(UPSTREAM, "location / { when method GET { proxy a; } return 404; }");
}

#[test]
fn a_location_that_can_end_without_an_answer() {
    warns("no-answer", "", "location / { when header X present { return 200; } }");
    is_silent("", "location / { when header X present { return 200; } when not header X present { return 201; } }");
    is_silent("", "location / { scheme http { return 200; } when header X = a { return 201; } return 404; }");
}

/// Fields are functions of one another: only what some request does is said.
#[test]
fn a_location_that_only_the_diagram_thinks_open() {
    for answered in [
        "location /x/ { when path ^~ /x/ { return 200; } }",
        "location = /a { when path = /a { return 200; } }",
        "location ~ ^/a[0-9]$ { when path ~ ^/a { return 200; } }",
        "location / { when target ^~ / { return 200; } }",
        "location / { when host = s.test { return 200; } }",
        "location / { when args = \"\" { return 200; } when args ~ . { return 200; } }",
        "location / { when query a present { return 200; } when not args ~ \"(^|&)[aA](=|&|$)\" { return 200; } }",
        "location / { when header Host present { return 200; } }",
        "location / { when cookie a present { return 200; } when not header Cookie ~ \"[aA] *=\" { return 200; } }",
        "location / { scheme http { return 200; } scheme https { return 200; } }",
        "location / { when not method CONNECT TRACE { return 200; } }",
        "map $m { path ^~ / -> yes; } location / { when $m = yes { return 200; } }",
    ] {
        let (top, statements) = if answered.starts_with("map") {
            answered.split_at(answered.find("location").unwrap())
        } else {
            ("", answered)
        };
        let found = warnings(top, statements);
        assert!(found.iter().all(|(code, _)| *code != "no-answer"), "{answered}: {found:?}");
    }
}

/// What is said comes with a request, and the request does so.
#[test]
fn a_location_without_an_answer_is_shown() {
    for (statements, request) in [
        ("location / { when header X present { return 200; } }", "GET http://s.test/"),
        ("location / { when not header X ~ ^a+b { return 200; } }", "header \"x: ab\""),
        ("location = /a { when query q = 1 { return 200; } }", "GET http://s.test/a"),
        ("location /a/ { when path = /a/ { return 200; } }", "GET http://s.test/a/x"),
        ("server_name *.t.test; location / { when host = s.test { return 200; } }", "GET http://x.t.test/"),
        ("location ~ \"^/f/[0-9]{3}$\" { when not query q = x { return 200; } }", "GET http://s.test/f/000?q=x"),
        ("location / { when not method DELETE { return 200; } }", "DELETE http://s.test/"),
        ("location / { scheme http { return 200; } }", "GET https://s.test/"),
        ("location / { when method GET POST { return 200; } }", "PUT http://s.test/"),
        ("location / { when not method PROPFIND { return 200; } }", "PROPFIND http://s.test/"),
        ("location / { when not cookie c ~ x { return 200; } }", "Cookie: c=x"),
        ("location / { when not client in 10.0.0.0/8 { return 200; } }", "client=10.0.0.0"),
        ("location / { when not body present { return 200; } }", "body=1"),
        ("location / { when not args ~ b { return 200; } }", "?b"),
    ] {
        let rules = format!("service s {{\n    server_name s.test;\n{statements}\n}}\n");
        let loaded = load_text("s.rules", &rules);
        let compiled = compile(&loaded.policy, &loaded.sources, &Limits::default()).expect("within the limits");
        let warning = compiled
            .warnings
            .iter()
            .find(|warning| warning.code == "no-answer")
            .unwrap_or_else(|| panic!("{statements}"));
        assert!(warning.notes[0].contains(request), "{statements}: {:?}", warning.notes);
    }
}

#[test]
fn a_statement_that_never_runs() {
    warns("unreachable-statement", "", "location / { return 200; return 201; }");
    warns(
        "unreachable-statement",
        "",
        "location / { when header X ^~ a { return 200; } when header X = ab { return 201; } return 202; }",
    );
    is_silent("", "location / { when header X ^~ a { return 200; } when header X = ba { return 201; } return 202; }");
}

#[test]
fn what_is_allowed_is_silent_where_it_is_allowed() {
    is_silent("", "allow lossy-redirect; location / { return 301 /x; }");
    is_silent("allow lossy-redirect;", "location / { return 301 /x; }");
    is_silent("", "location / { allow lossy-redirect; return 301 /x; }");
    warns("lossy-redirect", "", "location /a { allow lossy-redirect; return 301 /x; } location /b { return 301 /x; }");
}

#[test]
fn a_header_that_a_location_forgets() {
    let service = "set response header X-Frame-Options DENY;";
    warns("forgotten-header", "", &format!("{service} location / {{ forget response headers; return 200; }}"));
    let again = "forget response headers; set response header x-frame-options SAMEORIGIN; return 200;";
    is_silent("", &format!("{service} location / {{ {again} }}"));
    is_silent("", "location / { forget response headers; return 200; }");
}

#[test]
fn a_guard_on_the_path_below_a_rewrite() {
    let rewrite = "rewrite ^/a(.*)$ /b$1 break;";
    let guard = "when path ^~ /b { return 403; }";
    warns("guard-below-rewrite", UPSTREAM, &format!("location / {{ {rewrite} {guard} proxy a; }}"));
    is_silent(UPSTREAM, &format!("location / {{ {guard} {rewrite} proxy a; }}"));
    let other = "when method POST { return 403; }";
    is_silent(UPSTREAM, &format!("location / {{ {rewrite} {other} proxy a; }}"));
}

#[test]
fn an_error_page_at_a_path_where_a_post_may_fail() {
    let page = "location = /e { return 200; }";
    warns("page-loses-method", "", &format!("error_page 404 403 /e; {page} location / {{ return 404; }}"));
    is_silent("", &format!("method GET {{ error_page 404 /e; }} {page} location / {{ return 404; }}"));
    is_silent("", &format!("{page} location / {{ methods GET; error_page 404 /e; return 404; }}"));
    is_silent("", "error_page 404 @e; location @e { return 200; } location / { return 404; }");
    is_silent("", "error_page 404 https://o.test/; location / { return 404; }");
}

#[test]
fn an_error_page_that_is_a_redirect_by_mistake() {
    warns("relative-page", "", "error_page 404 500 404.html; location / { return 404; }");
    is_silent("", "error_page 404 https://o.test/404.html; location / { return 404; }");
}

#[test]
fn named_locations_that_nothing_leads_to() {
    warns("unused-named-location", "", "location @e { return 200; } location / { return 404; }");
    let twice = "location @e { return 200; } location @e { return 201; } location / { goto @e; }";
    warns("duplicate-named-location", "", twice);
    is_silent("", "location @e { return 200; } location / { when method GET { goto @e; } return 404; }");
}

#[test]
fn a_map_that_is_always_present() {
    let map = "map $m { header a = 1 -> $http_b; }";
    warns("map-always-present", map, "location / { when $m present { return 200; } return 201; }");
    warns(
        "map-always-present",
        map,
        "when method GET { when not ( $m present or scheme http ) { return 403; } } location / { return 200 $m; }",
    );
    warns(
        "map-always-present",
        "map $m { header a = 1 -> $http_b; } map $k { $m present -> 1; }",
        "location / { return 200 $k; }",
    );
    is_silent(map, "location / { when not $m = \"\" { return 200; } return 201; }");
    is_silent(map, "location / { when header a present and $m = 1 { return 200; } return 201; }");
}

/// Guards on maps are seen through: those of hosts and methods, and those of paths.
#[test]
fn what_a_guard_on_a_map_asks_is_seen() {
    let hosts = "map $h { host = a.test -> on; default -> off; } map $k { $h = on -> yes; default -> $http_x; }";
    let redirect = |guard: &str| {
        format!("server_name s.*; location / {{ when {guard} {{ return 307 https://$host/; }} return 200; }}")
    };
    is_silent("map $h { host = a.test -> on; default -> off; }", &redirect("$h = on"));
    is_silent(
        "map $h { host = a.test -> on; } map $k { $h = on -> yes; } map $j { $k = yes -> 1; }",
        &redirect("$j = 1"),
    );
    warns("unchecked-host", hosts, &redirect("$h = off"));
    warns("unchecked-host", hosts, &redirect("$k = yes"));
    let paths = "map $p { path ^~ /a -> on; } map $k { $p = on -> yes; }";
    warns("guard-below-rewrite", paths, "location / { rewrite ^ /x break; when $k = yes { return 403; } return 200; }");
}

#[test]
fn a_map_that_nothing_uses() {
    let map = "map $m { scheme http -> a; default -> b; }";
    warns("unused-map", map, "location / { return 200; }");
    is_silent(map, "location / { return 200 $m; }");
    is_silent(map, "location / { when $m = a { return 403; } return 200; }");
}
