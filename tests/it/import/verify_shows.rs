//! What `--verify` asks can show every directive that decides: rules without it are seen to differ.

use super::verify::nginx;
use rulec::import::nginx::verify::{Certificate, Subject};
use rulec::import::nginx::{Options, import, parse_text};

/// Requests for each case: what they show stands in some hundred of them.
const REQUESTS: u64 = 1_500;

/// `conf` with what stands between `<<` and `>>`, or with as many blanks, so that places stay.
fn with(conf: &str, marked: bool) -> String {
    let mut text = String::new();
    for (index, part) in conf.split("<<").enumerate() {
        let (inner, behind) = if index == 0 { ("", part) } else { part.split_once(">>").expect("a closing mark") };
        text.push_str(&if marked { inner.to_owned() } else { " ".repeat(inner.len()) });
        text.push_str(behind);
    }
    text
}

/// nginx is given `conf` with its marked part, or without it; the rules are always those of `conf` without.
fn compared(conf: &str, marked: bool) -> Certificate {
    let plain = parse_text("nginx.conf", with(conf, false).as_bytes());
    let imported = import(&plain, &Options::default());
    let asked = parse_text("nginx.conf", with(conf, marked).as_bytes());
    let subject = Subject::of(asked, imported).unwrap_or_else(|errors| panic!("{conf}\n{errors:?}"));
    subject.verify(&nginx(), REQUESTS, 5).unwrap_or_else(|why| panic!("{conf}\n{why}"))
}

/// The rules agree without the marked part, and are seen to differ with it.
fn check_shows(conf: &str) {
    let agrees = compared(conf, false);
    assert_eq!(agrees.differing, 0, "{conf}\n{}", agrees.differences.join("\n\n"));
    let differs = compared(conf, true);
    assert!(differs.differing > 0, "not seen: {conf}\n{differs}");
}

/// `location` in a server that has others too.
fn of_location(location: &str) -> String {
    format!(
        "http {{ upstream app {{ server 10.0.0.1:80; }}\nserver {{ listen 80; server_name a.test;\n\
         location /a/ {{ {location} proxy_pass http://app; }}\n\
         location /b/ {{ {location} proxy_pass http://10.0.0.2:9000/to/; }}\n\
         location /page {{ return 200 page; }} }} }}"
    )
}

#[test]
fn what_becomes_of_the_fields_of_a_request() {
    for directive in [
        "proxy_set_header X-User '';",
        "proxy_set_header X-User $remote_user;",
        "proxy_set_header Cookie '';",
        "proxy_set_header X-Real-IP $remote_addr;",
        "proxy_set_header Host $host;",
        "proxy_set_header X-Both $http_x_first; proxy_set_header X-Both $http_x_second;",
        "proxy_pass_request_headers off;",
    ] {
        check_shows(&of_location(&format!("<<{directive}>>")));
    }
    check_shows(
        &of_location("proxy_set_header X-Role user;")
            .replace("server_name", "<<underscores_in_headers on;>> server_name"),
    );
    check_shows(
        &of_location("proxy_set_header X-Role user;")
            .replace("server_name", "<<ignore_invalid_headers off;>> server_name"),
    );
}

#[test]
fn what_becomes_of_the_request_line_and_the_body() {
    for directive in [
        "proxy_method POST;",
        "proxy_set_body other;",
        "proxy_pass_request_body off; proxy_set_header Content-Length '';",
        "client_max_body_size 0;",
        "client_max_body_size 2m;",
        "client_max_body_size 700k;",
        "client_max_body_size 10;",
        "client_max_body_size 1g;",
        "limit_except GET { deny all; }",
        "rewrite /x$ /y break;",
    ] {
        check_shows(&of_location(&format!("<<{directive}>>")));
    }
    check_shows(&of_location("").replace("server_name", "<<merge_slashes off;>> server_name"));
}

#[test]
fn what_becomes_of_an_upstreams_answer() {
    for directive in [
        "proxy_intercept_errors on; error_page 404 /page;",
        "proxy_intercept_errors on; error_page 500 503 = /page;",
        "proxy_redirect off;",
        "proxy_redirect http://elsewhere.test/ /here/;",
        "proxy_hide_header Set-Cookie;",
        "proxy_pass_header X-Accel-Expires;",
        "proxy_cookie_domain upstream.test a.test;",
        "proxy_cookie_path / /app/;",
        "sub_filter ok ko;",
        "add_after_body /page;",
        "userid on; userid_name uid;",
        "charset koi8-r;",
        "expires 1h;",
        "add_header X-Frame-Options DENY;",
        "add_header X-Frame-Options DENY always;",
    ] {
        check_shows(&of_location(&format!("<<{directive}>>")));
    }
}

#[test]
fn what_a_redirect_says() {
    let conf = |server: &str, listen: &str| {
        format!(
            "http {{ server {{ listen {listen}; server_name a.test; {server}\n\
             location /a/ {{ proxy_pass http://10.0.0.1; }}\nlocation /old {{ return 301 /new; }} }} }}"
        )
    };
    check_shows(&conf("<<server_name_in_redirect on;>>", "80"));
    check_shows(&conf("<<absolute_redirect off;>>", "80"));
    check_shows(&conf("<<port_in_redirect off;>>", "8080"));
    check_shows(&conf("<<port_in_redirect off;>>", "127.0.0.1:8443 ssl"));
    check_shows(&conf("<<absolute_redirect off;>>", "81"));
}

#[test]
fn where_a_copy_is_sent() {
    check_shows(
        &of_location("<<mirror /copy;>>")
            .replace("location /page", "location = /copy { internal; proxy_pass http://10.0.0.3; }\nlocation /page"),
    );
}

#[test]
fn the_prefix_that_an_alias_takes_off_a_fallback() {
    let conf = |place: &str, fallback: &str| {
        format!(
            "http {{ server {{ listen 80; server_name a.test;\n\
             location /b/ {{ {place} try_files $uri {fallback}; }}\n\
             location = /b/i {{ return 200 one; }}\nlocation = /b//b/i {{ return 200 two; }}\n\
             location /i {{ return 200 three; }} }} }}"
        )
    };
    for fallback in ["/b//b/i?$args", "/b//i?$args", "/i?$args", "/b/i", "/c$uri"] {
        let agrees = compared(&conf("alias /srv/;", fallback), false);
        assert_eq!(agrees.differing, 0, "{fallback}\n{}", agrees.differences.join("\n\n"));
    }
    check_shows(&conf("<<alias /srv/;>>", "/b//b/i?$args"));
    for fallback in ["/b/i?$args", "$uri/i", "/$arg_x"] {
        let parsed = parse_text("nginx.conf", conf("alias /srv/;", fallback).as_bytes());
        assert!(import(&parsed, &Options::default()).has_errors(), "{fallback}");
    }
}
