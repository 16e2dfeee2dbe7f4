//! What decides and is not translated ends the import, unless it is named; then it is named in the rules too.

use super::of_server;
use rulec::diagnostic::{Format, render};
use rulec::import::nginx::{Imported, Options, Outcome, Without, import, parse_text};

fn with(conf: &str, without: &[&str]) -> (Imported, String) {
    let parsed = parse_text("site.conf", conf.as_bytes());
    let without = without.iter().map(|text| text.parse().expect("a name")).collect();
    let imported = import(&parsed, &Options { without });
    let said = render(&imported.diagnostics, &parsed.sources, Format::Concise, false);
    (imported, said)
}

fn names(wanted: &[Without]) -> Vec<&str> {
    wanted.iter().map(|without| without.name.as_str()).collect()
}

/// `conf` is refused for the directive `name` alone; without it there are rules, at whose head it is named.
fn check_decides(conf: &str, name: &str) {
    let (refused, said) = with(conf, &[]);
    assert!(refused.has_errors() && refused.rules.is_empty(), "{conf}\n{}", refused.rules);
    let is_said = said.lines().any(|line| line.starts_with("site.conf:") && line.contains(&format!("`{name}`")));
    assert!(is_said, "{conf}\n{name} is not named:\n{said}");
    assert!(refused.diagnostics.iter().all(|found| found.help.is_some()), "{conf}: {said}");
    assert!(names(&refused.wanted).iter().all(|wanted| *wanted == name), "{conf}: {:?}", refused.wanted);
    let place = refused.wanted.first().unwrap_or_else(|| panic!("{conf}\n{name} cannot be left out:\n{said}"));
    for without in [name.to_owned(), place.to_string()] {
        let (imported, said) = with(conf, &[&without]);
        assert!(!imported.has_errors(), "{conf}\n--without {without}\n{said}\n{:?}", imported.misnamed);
        let head = format!("# Left out on request: `{name}` (site.conf:");
        let first = imported.rules.lines().nth(1).unwrap_or("");
        assert!(first.starts_with(&head), "{conf}\n{}", imported.rules);
        assert_eq!(imported.left_out.first().map(|out| out.name.as_str()), Some(name), "{conf}");
    }
}

/// `conf` is imported whole.
fn check_decides_nothing(conf: &str) {
    let (imported, said) = with(conf, &[]);
    assert!(!imported.has_errors(), "{conf}\n{said}");
    assert_eq!(imported.report.counts().not_carried, 0, "{conf}");
}

const PASS: &str = "proxy_pass http://b;";

#[test]
fn who_may_pass_decides() {
    for line in [
        "limit_req zone=a;",
        "limit_conn a 1;",
        "access_by_lua_block { ngx.exit(403) }",
        "access_by_lua_file a.lua;",
        "access_by_lua 'ngx.exit(403)';",
        "rewrite_by_lua_block { ngx.exit(403) }",
        "server_rewrite_by_lua_block { ngx.exit(403) }",
        "auth_jwt \"x\";",
        "auth_pam \"x\";",
        "modsecurity on;",
        "js_access a.b;",
        "set_real_ip_from 10.0.0.0/8;",
        "nobody_knows this;",
        "proxy_ssl_nobody_knows this;",
        "lua_nobody_knows this;",
    ] {
        let name = line.split([' ', ';']).next().expect("a name");
        check_decides(&of_server(&format!("location / {{ {line} {PASS} }}")), name);
    }
    for line in [
        "ssl_verify_client on;",
        "ssl_verify_client optional;",
        "ssl_ocsp on;",
        "ssl_reject_handshake on;",
        "ssl_protocols TLSv1.3;",
    ] {
        let name = line.split(' ').next().expect("a name");
        check_decides(&of_server(&format!("{line} location / {{ {PASS} }}")), name);
    }
    check_decides("http { server { listen 80 proxy_protocol; location / { proxy_pass http://b; } } }", "listen");
}

#[test]
fn what_is_sent_on_decides() {
    for line in [
        "proxy_method GET;",
        "proxy_set_body x;",
        "proxy_pass_request_body off;",
        "proxy_cache a;",
        "proxy_store on;",
        "mirror /m;",
        "post_action /p;",
        "slice 1m;",
        "proxy_bind 127.0.0.2;",
        "proxy_next_upstream error timeout http_500;",
        "proxy_next_upstream off;",
        "proxy_next_upstream_tries 2;",
        "proxy_ssl_certificate a.pem;",
        "proxy_ssl_conf_command Options X;",
        "proxy_set_header X-User $remote_user;",
        "proxy_set_header X-DN $ssl_client_s_dn;",
        "proxy_set_header Connection X-Real-IP;",
        "proxy_set_header Content-Length 5;",
        "more_set_input_headers 'X-User: a';",
        "more_clear_input_headers X-User;",
        "otel_trace_context inject;",
    ] {
        let name = line.split(' ').next().expect("a name");
        check_decides(&of_server(&format!("location / {{ {line} {PASS} }}")), name);
    }
    let tls = "location / { proxy_ssl_verify on; proxy_ssl_trusted_certificate a.pem; proxy_pass https://b.test; }";
    check_decides(&of_server(tls), "proxy_ssl_trusted_certificate");
    check_decides(&of_server("location / { proxy_ssl_name $host; proxy_pass https://b.test; }"), "proxy_ssl_name");
    check_decides(&of_server("ignore_invalid_headers off; return 204;"), "ignore_invalid_headers");
    check_decides(&of_server("large_client_header_buffers 8 64k; return 204;"), "large_client_header_buffers");
    for line in [
        "sticky cookie a;",
        "least_time header;",
        "queue 5;",
        "hash $request_body;",
        "server 10.0.0.2 max_conns=5;",
        "health_check;",
    ] {
        let conf = format!("http {{ upstream b {{ server 10.0.0.1; {line} }} server {{ location / {{ {PASS} }} }} }}");
        check_decides(&conf, line.split([' ', ';']).next().expect("a name"));
    }
}

#[test]
fn what_the_client_gets_decides() {
    for line in [
        "sub_filter a b;",
        "ssi on;",
        "add_before_body /a;",
        "add_trailer A b;",
        "charset utf-8;",
        "userid on;",
        "xslt_stylesheet a.xslt;",
        "image_filter resize 1 1;",
        "header_filter_by_lua_block { x = 1 }",
        "body_filter_by_lua_file a.lua;",
        "js_body_filter a.b;",
        "more_set_headers 'A: b';",
        "more_clear_headers A;",
        "proxy_intercept_errors on;",
        "recursive_error_pages on;",
        "proxy_cookie_path / /a;",
        "proxy_cookie_domain a b;",
        "proxy_cookie_flags a secure;",
        "proxy_force_ranges on;",
        "port_in_redirect off;",
        "server_name_in_redirect on;",
        "msie_refresh on;",
        "add_header X-Cache $upstream_cache_status;",
        "expires $http_a$upstream_status;",
        "expires @12h;",
        "proxy_redirect ~^http://(.*) /$1;",
        "error_page 497 https://a.test/;",
        "error_page 404 495 /a;",
    ] {
        let name = line.split(' ').next().expect("a name");
        check_decides(&of_server(&format!("location / {{ {line} {PASS} }}")), name);
    }
    for handler in [
        "stub_status;",
        "status;",
        "api;",
        "upstream_conf;",
        "empty_gif;",
        "content_by_lua_block { ngx.say(1) }",
        "js_content a.b;",
        "perl a::b;",
        "echo a;",
    ] {
        let name = handler.split([' ', ';']).next().expect("a name");
        check_decides(&of_server(&format!("location / {{ {handler} }}")), name);
    }
    for line in [
        "autoindex on;",
        "mp4;",
        "flv;",
        "random_index on;",
        "disable_symlinks on;",
        "dav_methods PUT;",
        "index index.php;",
    ] {
        let name = line.split([' ', ';']).next().expect("a name");
        check_decides(&of_server(&format!("root /www; location / {{ {line} }}")), name);
    }
    for line in [
        "fastcgi_param A b;",
        "fastcgi_param HTTP_X_USER $remote_user;",
        "fastcgi_intercept_errors on;",
        "fastcgi_cache a;",
        "fastcgi_hide_header A;",
    ] {
        let name = line.split(' ').next().expect("a name");
        check_decides(&of_server(&format!("location / {{ {line} fastcgi_pass f:9000; }}")), name);
    }
}

#[test]
fn defaults_and_what_is_off_decide_nothing() {
    for line in [
        "ssi off;",
        "proxy_cache off;",
        "mirror off;",
        "proxy_intercept_errors off;",
        "limit_rate 5k;",
        "sub_filter_once off;",
        "ssi_types text/plain;",
        "limit_req_status 429;",
        "proxy_cache_valid 200 1h;",
        "proxy_next_upstream error timeout;",
        "proxy_pass_request_headers on;",
        "proxy_pass_request_body on;",
        "charset off;",
        "autoindex off;",
        "auth_jwt off;",
        "recursive_error_pages off;",
        "port_in_redirect on;",
        "gzip on;",
        "proxy_read_timeout 5s;",
        "proxy_buffering off;",
        "proxy_http_version 1.1;",
        "access_log off;",
        "proxy_ssl_trusted_certificate a.pem;",
        "proxy_ssl_crl a.pem;",
        "proxy_ssl_ciphers HIGH;",
        "proxy_set_header Connection \"\";",
        "proxy_set_header Connection upgrade;",
        "proxy_set_header Upgrade $http_upgrade;",
        "proxy_ignore_headers X-Accel-Redirect;",
        "userid off;",
        "auth_request_set $u $upstream_http_x_user;",
        "log_by_lua_block { x = 1 }",
        "proxy_store off;",
        "proxy_redirect default;",
        "types { text/html html; }",
        "open_file_cache off;",
        "real_ip_header A;",
    ] {
        check_decides_nothing(&of_server(&format!("location / {{ {PASS} {line} }}")));
    }
    for line in [
        "ssl_verify_client off;",
        "ssl_client_certificate a.pem;",
        "ssl_verify_depth 2;",
        "ssl_certificate a.pem;",
        "large_client_header_buffers 4 8k;",
        "ignore_invalid_headers on;",
        "underscores_in_headers off;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_session_cache shared:a:1m;",
        "server_tokens off;",
        "resolver 1.1.1.1;",
    ] {
        check_decides_nothing(&of_server(&format!("{line} location / {{ {PASS} }}")));
    }
    check_decides_nothing(
        "http { limit_req_zone $remote_addr zone=a:1m rate=1r/s; proxy_cache_path /c keys_zone=a:1m; init_by_lua_block { x = 1 }
         map $http_upgrade $up { default upgrade; '' close; } split_clients $uri $unused { 50% a; * b; }
         server { location / { proxy_set_header Connection $up; proxy_pass http://b; } } }",
    );
}

#[test]
fn a_parameter_decides_with_its_switch() {
    let conf = "http { limit_req_zone $remote_addr zone=a:1m rate=1r/s; server { location / { limit_req zone=a; return 204; } } }";
    let outcome = |imported: &Imported| imported.report.entries[1].outcome.clone();
    let (refused, _) = with(conf, &[]);
    assert!(matches!(outcome(&refused), Outcome::NotCarried(_)));
    for without in [&["limit_req"][..], &["limit_req", "limit_req_zone"]] {
        let (imported, said) = with(conf, without);
        assert!(!imported.has_errors(), "{said} {:?}", imported.misnamed);
        assert!(matches!(outcome(&imported), Outcome::LeftOut(_)));
        assert_eq!(imported.left_out.len(), 1);
    }
}

#[test]
fn what_is_no_gap_cannot_be_left_out() {
    let conf = of_server(
        "gzip on; add_header A 1;\nlocation / { limit_req zone=a; proxy_pass http://b; }\nlocation /x { proxy_pass http://$host; }",
    );
    for (without, why) in [
        ("nobody", "no directive of this configuration is called `nobody`"),
        ("sub_filter", "no directive of this configuration is called `sub_filter`"),
        ("gzip", "no decision depends on `gzip`"),
        ("add_header", "is carried over, and stays"),
        ("location", "is carried over, and stays"),
        ("proxy_pass@site.conf:4", "cannot be left out"),
        ("limit_req@site.conf:2", "no `limit_req` stands there"),
        ("limit_req@other.conf:3", "no `limit_req` stands there"),
        ("limit_req@e.conf:3", "no `limit_req` stands there"),
    ] {
        let (imported, _) = with(&conf, &["limit_req", without]);
        assert!(imported.has_errors() && imported.rules.is_empty(), "{without}");
        let [misnamed] = imported.misnamed.as_slice() else { panic!("{without}: {:?}", imported.misnamed) };
        assert_eq!(misnamed.without.to_string(), without);
        assert!(misnamed.why.contains(why), "{without}: {}", misnamed.why);
    }
}

#[test]
fn a_place_is_the_end_of_a_path_and_a_line() {
    let parsed = parse_text("/etc/nginx/sites/site.conf", of_server("limit_req zone=a;\nlimit_req zone=b;").as_bytes());
    for (without, left_out) in [
        ("limit_req", 2),
        ("limit_req@site.conf:2", 1),
        ("limit_req@sites/site.conf:3", 1),
        ("limit_req@/etc/nginx/sites/site.conf:3", 1),
    ] {
        let imported = import(&parsed, &Options { without: vec![without.parse().unwrap()] });
        assert!(imported.misnamed.is_empty(), "{:?}", imported.misnamed);
        assert_eq!(imported.left_out.len(), left_out, "{without}");
        assert_eq!(imported.has_errors(), left_out < 2, "{without}");
    }
    for wrong in ["", "@a:1", "a@", "a@b", "a@b:", "a@b:x", "a@b:0", "a@:1"] {
        assert!(wrong.parse::<Without>().is_err(), "{wrong}");
    }
}

/// `conf`, the directives called `name` left out, says `lines` one after the other.
fn check_drops(conf: &str, name: &str, lines: &[&str]) {
    let (imported, said) = with(&of_server(conf), &[name]);
    let mut rest = imported.rules.as_str();
    for line in lines {
        let at = rest.find(line).unwrap_or_else(|| panic!("{conf}\nlacks {line}\n{}\n{said}", imported.rules));
        rest = &rest[at + line.len()..];
    }
}

#[test]
fn a_field_that_nginx_would_replace_is_never_left_to_the_client() {
    for (line, name, field) in [
        ("proxy_set_header X-User $remote_user;", "proxy_set_header", "X-User"),
        ("proxy_set_header X-DN $ssl_client_s_dn;", "proxy_set_header", "X-DN"),
        ("proxy_set_header X-Id a$msec;", "proxy_set_header", "X-Id"),
        ("auth_request_set $u $upstream_http_x; proxy_set_header X-U $u;", "proxy_set_header", "X-U"),
        ("rewrite ^/a /b?c break; proxy_set_header X-T $table;", "proxy_set_header", "X-T"),
        ("more_set_input_headers -t 'text/html' 'X-A: b';", "more_set_input_headers", "X-A"),
        ("more_clear_input_headers 'X-A*';", "more_clear_input_headers", "X-A*"),
    ] {
        let drop = format!("drop request header {field};");
        let conf = format!("location / {{ {line} {PASS} }}");
        let all =
            format!("http {{ map $arg_a $table {{ default 1; }} {} }}", &of_server(&conf)[7..].trim_end_matches(" }"));
        let (imported, said) = with(&all, &[name]);
        assert!(imported.rules.contains(&drop), "{all}\n{}\n{said}", imported.rules);
    }
    for (line, name, field) in [
        ("fastcgi_param HTTP_X_USER $remote_user;", "fastcgi_param", "X-User"),
        ("fastcgi_param HTTP_AUTHORIZATION $remote_user;", "fastcgi_param", "Authorization"),
        ("fastcgi_param CONTENT_TYPE a;", "fastcgi_param", "Content-Type"),
    ] {
        let conf = format!("location / {{ {line} fastcgi_pass f:9000; }}");
        check_drops(&conf, name, &[&format!("drop request header {field};"), "proxy fastcgi;"]);
    }
    check_drops(
        "location / { grpc_set_header X-U $remote_user; grpc_pass grpc://g:1; }",
        "grpc_set_header",
        &["drop request header X-U;"],
    );
    check_drops(
        "location / { uwsgi_param HTTP_X_U $remote_user; uwsgi_pass g:1; }",
        "uwsgi_param",
        &["drop request header X-U;"],
    );
    check_drops(
        "location / { scgi_param HTTP_X_U $remote_user; scgi_pass g:1; }",
        "scgi_param",
        &["drop request header X-U;"],
    );
}

#[test]
fn fields_are_dropped_where_nginx_would_have_replaced_them() {
    // A level with some of its own takes none of the outer ones.
    check_drops(
        "proxy_set_header X-U $remote_user; location /a { proxy_set_header X-B 1; proxy_pass http://b; } location /c { proxy_pass http://b; }",
        "proxy_set_header",
        &[
            "drop request header X-U;",
            "location /a {",
            "forget request headers;",
            "set request header X-B 1;",
            "proxy b;",
            "location /c {",
        ],
    );
    check_drops(
        "location / { if ($arg_a) { more_set_input_headers 'X-A: 1'; } proxy_pass http://b; }",
        "more_set_input_headers",
        &["when query a", "drop request header X-A;"],
    );
    check_drops(
        "proxy_set_header X-A 1; location / { proxy_set_header X-U $remote_user; proxy_set_header X-A 2; proxy_pass http://b; }",
        "proxy_set_header",
        &["location / {", "forget request headers;", "drop request header X-U;", "set request header X-A 2;"],
    );
}

#[test]
fn without_the_clients_fields_none_of_them_is_sent() {
    let says = |conf: &str, lines: &[&str]| check_drops(conf, "limit_req", lines);
    says(
        "limit_req zone=a; location / { proxy_pass_request_headers off; proxy_set_header X-A 1; proxy_pass http://b; }",
        &["drop request header *;", "set request header X-A 1;", "proxy b;"],
    );
    // What is set around it is set again behind it.
    says(
        "limit_req zone=a; proxy_set_header X-A 1; location / { proxy_pass_request_headers off; proxy_pass http://b; }",
        &["location / {", "forget request headers;", "drop request header *;", "set request header X-A 1;", "proxy b;"],
    );
    says(
        "limit_req zone=a; proxy_pass_request_headers off; location / { proxy_pass_request_headers on; proxy_pass http://b; }",
        &["drop request header *;", "location / {", "forget request headers;", "proxy b;"],
    );
}

#[test]
fn a_name_with_a_line_end_makes_no_rule_of_the_comment() {
    let (imported, said) =
        with(&of_server("\"a\nlocation /x { return 200; }\" 1; return 204;"), &["a\nlocation /x { return 200; }"]);
    assert!(!imported.has_errors(), "{said}");
    assert!(!imported.rules.lines().any(|line| line.starts_with("location /x")), "{}", imported.rules);
}
