//! What the rules say for what nginx says: only the words that are needed.

use super::{imported, of_server};

/// `conf` in a server is said with `lines`, one after the other.
fn check(conf: &str, lines: &[&str]) {
    let (rules, said) = imported(&of_server(conf));
    let mut rest = rules.as_str();
    for line in lines {
        let at = rest.find(line).unwrap_or_else(|| panic!("{conf}\nlacks {line}\n{rules}\n{said}"));
        rest = &rest[at + line.len()..];
    }
}

fn check_lacks(conf: &str, words: &[&str]) {
    let (rules, said) = imported(&of_server(conf));
    assert!(!rules.is_empty(), "{conf}\n{said}");
    for word in words {
        assert!(!rules.contains(word), "{conf}\nhas {word}\n{rules}");
    }
}

#[test]
fn a_server_is_a_service_of_its_names() {
    check(
        "return 204;",
        &["service example.org default {", "server_name example.org;", "redirects absolute;", "return 204;"],
    );
    let (rules, _) = imported(
        "http { server { listen 80; server_name .a.test; return 301 https://$host$request_uri; }
         server { listen 443 ssl; server_name .a.test; location / { proxy_pass http://b; } } }",
    );
    for part in
        ["listen http;", "listen https;", "server_name .a.test;", "service a.test default", "service a.test_2 default"]
    {
        assert!(rules.contains(part), "{part}\n{rules}");
    }
}

#[test]
fn what_is_unsaid_stays_unsaid() {
    check_lacks("location / { proxy_pass http://b; }", &["forget", "unless", "listen", "set ", "match"]);
    check_lacks("location / { add_header A 1; proxy_pass http://b; }", &["forget"]);
    check_lacks("location / { set $a 1; if ($a) { return 204; } proxy_pass http://b; }", &["set $a", "when"]);
}

#[test]
fn comments_and_places_are_kept() {
    check(
        "# the front\nlocation / { # all of it\n # where to\n proxy_pass http://b;\n # the end\n}",
        &["# the front", "# all of it", "location / {  # nginx.conf:3", "proxy b;", "# the end"],
    );
}

#[test]
fn a_level_with_headers_of_its_own_forgets_those_around_it() {
    check(
        "add_header A 1; add_header B 2 always; location /a { add_header C 3; return 204; } location /b { return 204; }",
        &[
            "add response header A 1 on success;",
            "add response header B 2;",
            "location /a {",
            "forget response headers;",
            "add response header C 3 on success;",
            "location /b { return 204; }",
        ],
    );
    check(
        "proxy_set_header A 1; location /a { proxy_set_header B \"\"; proxy_pass http://b; }",
        &["set request header A 1;", "forget request headers;", "drop request header B;"],
    );
    // What hides headers is forgotten with what adds them, and said again.
    check(
        "proxy_hide_header X; add_header A 1; location /a { add_header B 2; proxy_pass http://b; }",
        &["forget response headers;", "drop response header X;", "add response header B 2 on success;"],
    );
}

#[test]
fn a_level_with_redirects_of_its_own_forgets_those_around_it() {
    check(
        "proxy_redirect http://a/ /; location /b { proxy_redirect http://b/ /; proxy_pass http://u; }",
        &[
            "proxy_redirect \"http://a/\" \"/\";",
            "location /b {",
            "proxy_redirect off;",
            "proxy_redirect \"http://b/\"",
        ],
    );
    check("location / { proxy_redirect default; proxy_pass http://u; }", &["proxy_redirect \"http://u/\" \"/\";"]);
}

#[test]
fn a_break_skips_what_nginx_skips() {
    check(
        "location / { rewrite ^/a /b break; if ($arg_x) { return 403; } return 204; }",
        &["rewrite ^/a /b break;", "unless break {", "return 403;", "return 204;", "}"],
    );
    check(
        "location /a/ { rewrite ^/a/x /b break; proxy_pass http://b/c/; }",
        &["unless break { proxy b \"/c/\"; }", "proxy b;"],
    );
}

#[test]
fn conditions_on_variables_are_guards_on_the_request() {
    check(
        "location / { set $f 0; if ($http_a = x) { set $f 1; } if ($arg_b) { set $f \"${f}2\"; } if ($f = 12) { return 403; } proxy_pass http://b; }",
        &["when", "header A = \"x\"", "return 403;"],
    );
    check("if ($request_method !~ ^(GET|HEAD)$) { return 405; }", &["when not method GET { return 405; }"]);
    check("if ($request_method = GET) { return 204; }", &["when method GET and not method HEAD { return 204; }"]);
    check("if ($http_x = \"\") { return 403; }", &["when not header X present or header X = \"\" { return 403; }"]);
    check("if ($scheme = http) { return 301 https://$host$request_uri; }", &["when scheme http { return 301"]);
    check(
        "if ($host ~ ^www\\.(.+)$) { return 301 http://$1/; }",
        &["match host ~ ^www\\.(.+)$ {", "return 301 http://$1/;"],
    );
}

#[test]
fn a_condition_in_quotes_leaves_the_same_groups_as_one_without() {
    for regex in ["(?<s>.)(.)", "\"(?<s>.)(.)\"", "'(?<s>.)(.)'"] {
        check(
            &format!("if ($host ~ {regex}) {{ return 302 http://$s/; }}"),
            &["match host ~ (?<s>.)(.) {", "http://$s/"],
        );
        check(
            &format!("location / {{ if ($host !~ {regex}) {{ return 204; }} return 302 http://$2$s/; }}"),
            &["match host ~ (?<s>.)(.) { }", "when not host ~ \"(?<s>.)(.)\" { return 204; }", "http://$2$s/"],
        );
    }
    check("if ($host ~ (?'s'.)) { return 302 http://$s/; }", &["match host ~ \"(?'s'.)\" {", "http://$s/"]);
    // Without groups of its own it leaves `$1` empty, and a guard is enough.
    check(
        "location ~ (.) { if ($scheme ~ \"^(?:http)$\") { return 302 http://x/$1; } }",
        &["match method ~ ^$ { }", "when scheme http { return 302 http://x/$1; }"],
    );
    check_lacks("location / { if ($scheme ~ \"(?<s>.)\") { return 204; } }", &["match"]);
}

#[test]
fn the_last_if_that_matched_has_the_word() {
    // One that always matches too: its settings are not those of the location.
    check(
        "location / { if ($arg_a) { add_header A 1; } if ($scheme != x) { add_header B 1; } proxy_pass http://c; }",
        &[
            "when query a",
            "add response header A 1 on success;",
            "when not method ~ ^$ {",
            "forget response headers;",
            "add response header B 1 on success;",
            "proxy c;",
        ],
    );
    check(
        "location / { if ($arg_a) { proxy_pass http://a; } if ($arg_b) { proxy_pass http://b; } proxy_pass http://c; }",
        &["when query b", "proxy b;", "when query a", "proxy a;", "proxy c;"],
    );
}

#[test]
fn methods_that_are_limited_skip_the_rewrites() {
    check(
        "location / { limit_except GET { allow 10.0.0.0/8; deny all; } return 204; }",
        &["when not method GET {", "when not client in 10.0.0.0/8 { return 403; }", "return 204;"],
    );
}

#[test]
fn clients_are_told_apart_in_order() {
    check(
        "location / { deny 10.0.0.1; allow 10.0.0.0/8; allow 127.0.0.1; deny all; proxy_pass http://b; }",
        &["when client in 10.0.0.1 or not client in 10.0.0.0/8 127.0.0.1 { return 403; }", "proxy b;"],
    );
}

#[test]
fn tables_are_maps_whose_first_case_counts() {
    let (rules, said) = imported(
        "http { map $http_x $m { default d; ~^re r; *.b.test w; Foo f; hostnames; } geo $g { default 0; 10.0.0.0/8 1; 10.1.0.0/16 2; }
         server { location / { return 200 $m$g; } } }",
    );
    let order = [
        "map $m {",
        "^Foo\\\\z",
        "\\\\.b\\\\.test",
        "^re",
        "default -> d;",
        "map $g {",
        "10.1.0.0/16 -> 2;",
        "10.0.0.0/8 -> 1;",
    ];
    let mut rest = rules.as_str();
    for part in order {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part}\n{rules}\n{said}"));
        rest = &rest[at..];
    }
    let (rules, _) = imported("http { map $http_x $m { a b; } server { location / { return 204; } } }");
    assert!(!rules.contains("map"), "nothing asks for it: {rules}");
}

#[test]
fn upstreams_are_those_that_requests_go_to() {
    let (rules, said) = imported(
        "http { upstream b { server 10.0.0.1:81 weight=3 max_fails=5 fail_timeout=1m; server 10.0.0.2 backup; keepalive 8;
         least_conn; } upstream c { hash $binary_remote_addr$uri consistent; server 10.0.0.3; } upstream unused { server x; }
         server { location / { proxy_pass http://b; } location /c { proxy_pass http://c; } location /t { proxy_pass https://api.test:8443/x; } } }",
    );
    for part in [
        "server 10.0.0.1:81 weight=3 max_fails=5 fail_timeout=60s;",
        "server 10.0.0.2 backup;",
        "balance least_conn;",
        "balance hash \"$remote_addr$uri\";",
        "host b;",
        "keepalive 8;",
        "server api.test:8443;",
        "verify off",
        "proxy api_test_8443 \"/x\";",
    ] {
        assert!(rules.contains(part), "{part}\n{rules}\n{said}");
    }
    assert!(!rules.contains("unused"), "{rules}");
}

#[test]
fn files_go_to_a_file_server() {
    check(
        "root /www; location /a/ { expires 1h; }",
        &[
            "upstream files external;",
            "location /a/ {",
            "slash_redirect off;",
            "max-age=3600 on success;",
            "proxy files;",
            "location / {",
        ],
    );
}

#[test]
fn a_plain_break_does_not_turn_the_uri_off() {
    check("location /b/ { break; proxy_pass http://u/base/; }", &["break;", "proxy u \"/base/\";"]);
    // Nor does a rewrite that it skips, in an `if` behind it.
    check_lacks("location /b/ { break; if ($arg_a) { rewrite x /y; } proxy_pass http://u/base/; }", &["proxy u;"]);
    check(
        "location /b/ { if ($arg_b) { break; } if ($arg_a) { rewrite x /y; } proxy_pass http://u/base/; }",
        &["and path ~ \"x\" and not ( query b present", "proxy u;", "proxy u \"/base/\";"],
    );
    check_lacks("location /b/ { break; proxy_pass http://u/base/; }", &["unless"]);
}

#[test]
fn what_a_break_skips_is_not_set() {
    check(
        "location / { rewrite ^/a /b break; set $up u; proxy_pass http://$up; }",
        &["when not path ~ \"^/a\" { proxy u; }", "return 500;"],
    );
}

#[test]
fn a_handler_that_is_never_reached_still_redirects_a_missing_slash() {
    check("location /b/ { return 403; proxy_pass http://u; }", &["slash_redirect on;", "return 403;"]);
    check("location /b/ { deny all; proxy_pass http://u; }", &["slash_redirect on;", "return 403;"]);
    check_lacks("location /b { return 403; proxy_pass http://u; }", &["slash_redirect on;"]);
}

#[test]
fn an_if_without_a_handler_loses_the_upstream_of_the_one_before() {
    check(
        "location / { if ($arg_a) { proxy_pass http://a; } if ($arg_b) { add_header X 1; } }",
        &["when query b", "when query a", "return 500;", "proxy files;", "when query a", "proxy a;", "proxy files;"],
    );
    // Who may not pass is told so before.
    check(
        "location / { if ($arg_a) { proxy_pass http://a; } deny 10.0.0.0/8; if ($arg_b) { add_header X 1; } }",
        &["when query b", "when client in 10.0.0.0/8 { return 403; }", "when query a", "return 500;", "proxy files;"],
    );
    check_lacks("location / { if ($arg_a) { proxy_pass http://a; } deny all; if ($arg_b) { } }", &["500"]);
}

#[test]
fn an_empty_text_of_an_error_is_none() {
    check("location / { return 410 \"\"; }", &["location / { return 410; }"]);
    check("location / { return 200 \"\"; }", &["return 200 \"\";"]);
}

#[test]
fn files_that_may_be_there_are_facts() {
    check(
        "root /www; location / { try_files $uri $uri/ @app; } location @app { proxy_pass http://b; }",
        &[
            "fact uri_is_file yes no;",
            "when fact uri_is_file yes or fact uri_index_is_folder yes { proxy files; }",
            "goto @app;",
            "location @app {",
            "proxy b;",
        ],
    );
    check(
        "location / { auth_request /auth; proxy_pass http://b; }",
        &[
            "fact auth allowed unauthorized forbidden failed;",
            "when fact auth unauthorized { return 401; }",
            "proxy b;",
        ],
    );
}

#[test]
fn a_variable_that_nothing_reached_sets_is_empty() {
    check(
        "location / { set $f 0; if ($f) { set $v 1; } return 200 \"v=$v\"; }",
        &["set $v \"\";", "return 200 \"v=$v\";"],
    );
    let (rules, said) = imported(
        "http { server { listen 80; server_name a.test; location / { return 200 \"v=$v\"; } }
         server { listen 80; server_name b.test; set $v 1; location / { return 200 \"v=$v\"; } } }",
    );
    assert!(rules.contains("return 200 \"v=\";") && rules.contains("return 200 \"v=$v\";"), "{rules}\n{said}");
}
