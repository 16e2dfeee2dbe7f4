//! Requests that could be read in two ways, and what is answered before any rule is asked.

use super::harness::{Gateway, Upstream};

fn check(head: &str, body: &str, status: u16, code: &str) {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules("location / { body forward; proxy up; }"));
    let mut client = gateway.client();
    client.send(format!("{head}\r\n{body}GET /next HTTP/1.1\r\nHost: a\r\n\r\n"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{head}");
    assert!(client.is_closed(), "{head}: nothing after it is read");
    assert_eq!(upstream.connections(), 0, "{head}");
}

#[test]
fn lengths_that_contradict_each_other_are_refused_and_nothing_after_them_is_read() {
    let post = "POST / HTTP/1.1\r\nHost: a\r\n";
    let both = format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
    check(&both, "0\r\n\r\n", 400, "request.framing_invalid");
    let reversed = format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n");
    check(&reversed, "0\r\n\r\n", 400, "request.framing_invalid");
    let twice = format!("{post}Content-Length: 5\r\nContent-Length: 5\r\n");
    check(&twice, "hello", 400, "request.framing_invalid");
    let chunked_twice = format!("{post}Transfer-Encoding: chunked, chunked\r\n");
    check(&chunked_twice, "0\r\n\r\n", 400, "request.framing_invalid");
    let gzip = format!("{post}Transfer-Encoding: gzip, chunked\r\n");
    check(&gzip, "0\r\n\r\n", 501, "request.coding_unsupported");
    check("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", 400, "request.framing_invalid");
}

#[test]
fn heads_that_are_malformed_are_refused() {
    check("GET / HTTP/1.1\nHost: a\r\n", "", 400, "request.malformed");
    check("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n", "", 400, "request.malformed");
    check("GET / HTTP/1.1\r\nHost : a\r\n", "", 400, "request.malformed");
    check("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n", "", 400, "request.malformed");
    check("GET / HTTP/2.0\r\nHost: a\r\n", "", 505, "request.version_unsupported");
    let lines: String = "X-A: 1\r\n".repeat(101);
    check(&format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}"), "", 431, "request.head_too_large");
    let long = "x".repeat(40_000);
    check(&format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n"), "", 431, "request.head_too_large");
}

#[test]
fn targets_reach_the_rules_as_they_came_or_not_at_all() {
    check("GET /a#b HTTP/1.1\r\nHost: a\r\n", "", 400, "request.target_invalid");
    check("GET /a\"b HTTP/1.1\r\nHost: a\r\n", "", 400, "request.target_invalid");
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules("location / { proxy up; }"));
    for target in ["//x/../y//", "/a%2Fb?x=%20&y", "/?", "/a;b=c", "/%e4"] {
        let answer = gateway.ask(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(answer.text().starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{target}: {answer:?}");
    }
    for (line, status) in [
        ("CONNECT a:80", 405),
        ("TRACE /", 405),
        ("GET a:80", 400),
        ("GET ftp://a/", 400),
        ("GET http://u@a/", 400),
        ("GET http://a:b/", 400),
        ("GET *", 400),
        ("get /", 400),
    ] {
        assert_eq!(gateway.ask(&format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n")).status, status, "{line}");
    }
    let absolute = gateway.ask("GET http://b/x?y HTTP/1.1\r\nHost: a\r\n\r\n").text();
    assert!(absolute.starts_with("GET /x?y HTTP/1.1\r\n"), "{absolute}");
    assert!(absolute.contains("X-Forwarded-Host: b\r\n"), "what was decided on is what is told: {absolute}");
}

#[test]
fn hosts_are_one_and_valid() {
    let gateway = Gateway::start(&Upstream::echo().rules("location / { return 200 ok; }"));
    for lines in ["", "Host:\r\n", "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: a\r\nHost: b\r\n"] {
        let answer = gateway.ask(&format!("GET / HTTP/1.1\r\n{lines}\r\n"));
        assert_eq!((answer.status, answer.code().as_str()), (400, "request.host_invalid"), "{lines}");
    }
}

#[test]
fn requests_in_one_segment_are_answered_in_order() {
    let gateway =
        Gateway::start(&Upstream::echo().rules("location /a { return 200 a; } location /b { return 200 b; }"));
    let mut client = gateway.client();
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    let bodies: Vec<_> = (0..3).map(|_| client.answer().text()).collect();
    assert_eq!(bodies, ["a", "b", "a"]);
    assert!(client.is_closed(), "nothing is answered after a close");
}

#[test]
fn http_1_0_closes_unless_asked_to_stay() {
    let gateway = Gateway::start(&Upstream::echo().rules("location / { return 200 a; }"));
    let mut client = gateway.client();
    client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(client.answer().text(), "a");
    client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().text(), "a");
    assert!(client.is_closed());
}
