//! Error pages, also of upstreams that fail, and facts.

use super::harness::{Gateway, Upstream, artifact, config};
use rulec::proxy::{Config, Policy};
use std::path::Path;

/// A port at which nobody listens.
fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("address").port()
}

/// Rules with a spare upstream `up` beside one that nobody is at.
fn rules(upstream: &Upstream, locations: &str) -> String {
    format!("upstream dead {{ server 127.0.0.1:{}; }}\n{}", closed_port(), upstream.rules(locations))
}

const GET: &str = "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";

#[test]
fn a_page_stands_in_for_an_upstream_that_cannot_be_reached() {
    let upstream = Upstream::echo();
    let pages = "error_page 502 504 /sorry; location = /sorry { internal; return 200 \"sorry for $request_uri\"; }";
    let gateway = Gateway::start(&rules(&upstream, &format!("{pages} location / {{ proxy dead; }}")));
    let answer = gateway.ask(GET);
    assert_eq!((answer.status, answer.text().as_str()), (502, "sorry for /a?b"));
    assert_eq!(gateway.ask("GET /sorry HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
    let log = gateway.stop();
    assert_eq!((&log[0]["status"], &log[0]["code"]), (&502.into(), &"upstream.connect.refused".into()));
    assert_eq!(log[0]["location"], "= /sorry");
}

#[test]
fn without_a_page_the_failure_is_told_as_ever() {
    let gateway = Gateway::start(&rules(&Upstream::echo(), "error_page 500 /x; location / { proxy dead; }"));
    let answer = gateway.ask(GET);
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream.connect.refused"));
}

#[test]
fn a_spare_upstream_is_asked_and_its_status_is_replaced() {
    let upstream = Upstream::echo();
    let check = |status: &str, expected: u16| {
        let page = format!("error_page 502 {status} @spare; location @spare {{ proxy up; }}");
        let gateway = Gateway::start(&rules(&upstream, &format!("{page} location / {{ proxy dead; }}")));
        let answer = gateway.ask(GET);
        assert_eq!(answer.status, expected, "{status}");
        assert!(answer.text().starts_with("GET /a?b HTTP/1.1"), "{}", answer.text());
    };
    check("", 502);
    check("=", 200);
    check("=203", 203);
}

#[test]
fn a_body_that_may_be_gone_is_not_sent_again() {
    let upstream = Upstream::echo();
    let named = "error_page 502 = @spare; location @spare { proxy up; } location / { proxy dead; }";
    let gateway = Gateway::start(&rules(&upstream, named));
    // The named location would want the body.
    assert_eq!(gateway.ask(POST).status, 502);
    assert_eq!(gateway.ask("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status, 200);
    let path = "error_page 502 = /spare; location = /spare { body forward; proxy up; } location / { proxy dead; }";
    let answer = Gateway::start(&rules(&upstream, path)).ask(POST);
    let sent = answer.text();
    assert!(answer.status == 200 && sent.starts_with("GET /spare HTTP/1.1\r\n"), "{sent}");
    assert!(!sent.contains("hello") && !sent.to_ascii_lowercase().contains("content-length: 5"), "{sent}");
}

#[test]
fn a_refused_post_becomes_a_get_and_its_body_is_dropped() {
    let upstream = Upstream::echo();
    let page = "error_page 403 /page; location = /page { proxy up; }";
    let gateway = Gateway::start(&rules(&upstream, &format!("{page} location / {{ return 403; }}")));
    let answer = gateway.ask(POST);
    assert_eq!(answer.status, 403);
    assert!(answer.text().starts_with("GET /page HTTP/1.1") && !answer.text().contains("hello"), "{}", answer.text());
    let forwards = "error_page 403 /page; location = /page { body forward; proxy up; }";
    let gateway = Gateway::start(&rules(&upstream, &format!("{forwards} location / {{ return 403; }}")));
    assert!(gateway.ask(POST).text().ends_with("hello"));
}

#[test]
fn a_body_that_is_too_large_is_gone_behind_its_page() {
    let upstream = Upstream::echo();
    let page = "error_page 413 @page; location @page { body forward max=1; proxy up; }";
    let gateway = Gateway::start(&rules(&upstream, &format!("{page} location / {{ body forward max=3; proxy up; }}")));
    let answer = gateway.ask(POST);
    assert_eq!(answer.status, 413);
    assert!(answer.text().starts_with("POST /a?b HTTP/1.1") && !answer.text().contains("hello"), "{}", answer.text());
}

#[test]
fn answers_without_a_body_are_framed_anew_under_another_status() {
    let check = |answer: &'static str, status: &str, expected: (u16, &str)| {
        let upstream = Upstream::fixed(answer);
        let page = format!("error_page 403 {status} @page; location @page {{ proxy up; }}");
        let gateway = Gateway::start(&rules(&upstream, &format!("{page} location / {{ return 403; }}")));
        let got = gateway.ask(GET);
        assert!(got.whole && (got.status, got.text().as_str()) == expected, "{answer:?} {status}: {got:?}");
    };
    check("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", (403, ""));
    check("HTTP/1.1 204 No Content\r\n\r\n", "=200", (200, ""));
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "=204", (204, ""));
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "", (403, "hello"));
}

#[test]
fn facts_are_what_proxy_toml_says_and_have_to_be_said() {
    let rules =
        "fact ok yes no; service all default { location / { when fact ok yes { return 200 yes; } return 200 no; } }";
    let said = |toml: &str| Config::parse(toml, Path::new("proxy.toml")).expect("a proxy.toml");
    for value in ["yes", "no"] {
        let mut config = config();
        config.facts = said(&format!("[facts]\nok = \"{value}\"\n")).facts;
        assert_eq!(Gateway::with(rules, &config).ask(GET).text(), value);
    }
    let problems = |toml: &str| Policy::new(artifact(rules), &said(toml)).expect_err("a problem").problems;
    assert!(problems("")[0].contains("the fact `ok`"), "{:?}", problems(""));
    assert!(problems("[facts]\nok = \"perhaps\"\n")[0].starts_with("proxy.toml:2:6: the fact `ok` cannot be"));
    assert!(problems("[facts]\nok = \"yes\"\nko = \"yes\"\n")[0].contains("the rules know no fact `ko`"));
}
