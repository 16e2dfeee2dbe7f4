//! What is refused, where, and why.

use super::{imported, of_server};

/// Line and column of what is refused, and a part of the reason.
fn check(conf: &str, place: &str, why: &str) {
    let (rules, said) = imported(conf);
    assert!(rules.is_empty(), "{conf}\n{rules}");
    let found = said.lines().any(|line| line.starts_with(&format!("nginx.conf:{place}:")) && line.contains(why));
    assert!(found, "{conf}\nis not refused at {place} for {why}:\n{said}");
}

#[test]
fn what_nginx_refuses_is_refused_at_its_place() {
    for (conf, column, why) in [
        ("location ~~ /a { }", 1, "invalid location modifier"),
        ("location ~ ( { return 204; }", 1, ""),
        ("location /a { return 200 $nope; }", 15, "unknown \"nope\" variable"),
        ("location /a { if (x = y) { return 204; } }", 15, "invalid condition"),
        ("location /a { if ($x == y) { return 204; } set $x 1; }", 15, "unexpected \"==\""),
        ("location ~ /a { proxy_pass http://b/x; }", 17, "cannot have URI part"),
        ("location /a { proxy_pass ftp://b; }", 15, "invalid URL prefix"),
        ("location /a { return abc; }", 15, "invalid return code"),
        ("rewrite a \"\";", 1, "empty replacement"),
        ("rewrite a /b first;", 1, "invalid parameter"),
        ("location = /a { location /a/b { } }", 17, "cannot be inside the exact location"),
        ("location /a { location @b { } }", 15, "can be on the server level only"),
        ("location /a { location /b { } }", 15, "is outside location"),
        ("location /a { allow nobody; }", 15, "invalid parameter"),
        ("proxy_passs http://b;", 1, "unknown directive"),
    ] {
        check(&of_server(conf), &format!("2:{column}"), why);
    }
}

#[test]
fn what_cannot_be_decided_beforehand_is_refused_at_its_place() {
    for (conf, column, why) in [
        ("location / { proxy_pass http://$host; }", 14, "made of request data"),
        ("location / { proxy_pass http://$arg_ip/x; }", 14, "made of request data"),
        ("location / { rewrite ^/a /b; if ($uri = /b) { return 204; } }", 30, "may have changed the path"),
        ("location ~ ^/(.) { if ($1 = a) { return 204; } }", 20, "made of captures"),
        ("location / { return 200 $remote_port; }", 14, "only the host knows"),
        ("location / { if ($remote_user = a) { return 204; } }", 14, "only the host knows"),
    ] {
        check(&of_server(conf), &format!("2:{column}"), why);
    }
}

#[test]
fn groups_that_no_match_can_take_are_refused_however_the_condition_is_written() {
    let digit = "`$1` would be taken from a text that guards do not see";
    let name = "`$s` would be taken from a text that guards do not see";
    for (condition, used, why) in [
        ("($scheme ~ (.)(.))", "$1", digit),
        ("($scheme ~ \"(.)(.)\")", "$1", digit),
        ("($scheme ~* '(.)(.)')", "$1", digit),
        ("( $scheme ~ (.)(.) )", "$1", digit),
        ("($scheme !~ \"x(.)\")", "$1", digit),
        ("($server_name ~ \"(.)\")", "$1", digit),
        ("($scheme ~ (?<s>.))", "$s", name),
        ("($scheme ~ \"(?<S>.)\")", "$S", "`$S` would"),
        ("($scheme ~ \"(?'s'.)\")", "$s", name),
        ("($table ~ \"(?<s>.)\")", "$s", name),
        ("( $table = b )", "$1", "the regexes of its table change `$1`"),
    ] {
        let conf = format!(
            "http {{ map $http_x $table {{ default a; ~b b; }} server {{ listen 80; server_name example.org;
location / {{ if {condition} {{ return 302 http://x.test/{used}; }} }} }} }}"
        );
        check(&conf, "2:14", why);
    }
}

#[test]
fn a_set_that_asks_a_table_of_regexes_does_not_stand_where_groups_are_used() {
    let conf = |regex: &str, asked: &str, target: &str| {
        format!(
            "http {{ map $http_x $table {{ default a; {regex}b b; }} map $table $deep {{ a c; }} server {{ listen 80;
location ~ ^/(.) {{ set $kept x${asked}; return 302 http://x.test/{target}; }} }} }}"
        )
    };
    for asked in ["table", "deep"] {
        check(&conf("~", asked, "$1$kept"), "2:20", "the regexes of its table change `$1`");
    }
    for (regex, asked, target) in [("", "deep", "$1$kept"), ("~", "table", "$kept")] {
        let (rules, said) = imported(&conf(regex, asked, target));
        assert!(!rules.is_empty(), "{said}");
    }
}

#[test]
fn a_redirect_whose_error_page_would_get_the_body_is_refused() {
    for page in ["/a", "@a"] {
        let conf = format!("location @a {{ }} location / {{ error_page 301 {page}; return 301 /to; }}");
        check(
            &of_server(&conf),
            &format!("2:{}", conf.find("return").expect("one") + 1),
            "nginx drops the body of the request before",
        );
    }
    let (rules, said) = imported(&of_server("location / { error_page 301 http://e.test/; return 301 /to; }"));
    assert!(!rules.is_empty(), "{said}");
}

#[test]
fn a_table_is_not_filled_with_what_each_server_says_otherwise() {
    for (source, value, name) in [
        ("$host", "x$s", "s"),
        ("$host", "x$kept", "kept"),
        ("$host", "$server_name", "server_name"),
        ("$kept", "x", "kept"),
        ("$server_name", "x", "server_name"),
    ] {
        let conf = format!(
            "http {{ map {source} $m {{ default {value}; }} server {{ listen 80; server_name example.org; set $kept k;
location ~ ^/(?<s>.) {{ return 302 http://x.test/$m$s; }} }} }}"
        );
        check(&conf, "2:24", &format!("a table does not see what `${name}` is"));
    }
}

#[test]
fn a_table_is_not_asked_for_what_a_rewrite_may_have_changed() {
    let conf = |server: &str| {
        format!("http {{ map $arg_q $up {{ default u; }} map $up $deep {{ u v; }}\nserver {{ {server} }} }}")
    };
    for (server, column) in [
        ("location / { rewrite o /img? break; proxy_pass http://$up; }", 43),
        ("location / { rewrite o /img? break; add_header A $deep; proxy_pass http://u; }", 0),
        ("location / { rewrite ^/a /b? last; return 200 $up; }", 0),
    ] {
        let conf = conf(server);
        let (rules, said) = imported(&conf);
        match column {
            0 => assert!(rules.is_empty() || !rules.contains("$deep"), "{rules}\n{said}"),
            column => check(&conf, &format!("2:{}", column + 3), "may have changed before"),
        }
    }
}

#[test]
fn every_mistake_is_said_in_one_run() {
    let (_, said) = imported(&of_server("location /a { return abc; }\nlocation /b { return 200 $nope; }\nfoo;"));
    assert_eq!(said.lines().filter(|line| line.contains("error[")).count(), 3, "{said}");
}

/// nginx takes all of these: it must not be said that it does not start.
#[test]
fn a_regex_that_rules_cannot_read_is_not_a_variable_that_nginx_lacks() {
    for conf in [
        "location / { if ($uri ~ \"(?<a>x)(?1)\") { return 403; } return 200 $a; }",
        "location ~ \"^/(?P<a>x)\\1\" { return 200 $a; }",
        "location ~ \"^/(?'a'x)(?1)\" { return 200 $a; }",
        "rewrite \"^/(?<a>x)(?1)$\" /y; location / { return 200 $a; }",
        "server_name \"~^(?<a>x)(?1)$\"; location / { return 200 $a; }",
    ] {
        let (rules, said) = imported(&of_server(conf));
        assert!(rules.is_empty(), "{conf}\n{rules}");
        assert!(said.contains("regex-") && !said.contains("nginx-refuses"), "{conf}\n{said}");
    }
}
