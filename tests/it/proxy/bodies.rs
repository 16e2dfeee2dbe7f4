//! What becomes of a request's body, and of the connection it came on.

use super::harness::{Gateway, Upstream};

const POLICIES: &str = "
    location /forward { body forward max=64k; proxy up; }
    location /strip   { body strip; proxy up; }
    location /reject  { proxy up; }
    location /small   { body forward max=10; proxy up; }
    location /moved   { return 307 /forward; }
    location /        { return 404 none; }
";

#[test]
fn m_01_a_delete_body_is_forwarded_to_the_octet() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules(POLICIES));
    let mut client = gateway.client();
    client.send("DELETE /forward HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\0\r\n");
    let first = client.answer();
    assert!(first.text().ends_with("\r\n\r\n\0\r\n") && first.text().contains("Content-Length: 3\r\n"), "{first:?}");
    client.send("DELETE /forward HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n");
    let second = client.answer().text();
    assert!(second.contains("Transfer-Encoding: chunked\r\n") && !second.contains("Content-Length"), "{second}");
    let body = second.split_once("\r\n\r\n").expect("a body").1;
    let letters: String = body.chars().filter(char::is_ascii_alphabetic).collect();
    assert!(letters == "abcdeT" && body.ends_with("\r\n0\r\nT: 1\r\n\r\n"), "trailers are sent on: {body}");
}

#[test]
fn m_02_a_stripped_body_leaves_the_connection_in_step() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules(POLICIES));
    let mut client = gateway.client();
    let fields = "Content-Type: text/plain\r\nContent-Encoding: gzip\r\nX-Kept: 1\r\n";
    client.send(format!(
        "DELETE /strip/1 HTTP/1.1\r\nHost: a\r\n{fields}Content-Length: 24\r\n\r\nGET /smuggled HTTP/1.1\r\n"
    ));
    client.send(format!(
        "DELETE /strip/2 HTTP/1.1\r\nHost: a\r\n{fields}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    ));
    client.send("GET /forward/3 HTTP/1.1\r\nHost: a\r\n\r\n");
    for number in 1..=3 {
        let answer = client.answer();
        assert_eq!(answer.status, 200);
        assert!(answer.text().contains(&format!("/{number} HTTP/1.1\r\n")), "{answer:?}");
    }
    let requests = upstream.seen.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests[..2] {
        let lower = request.to_ascii_lowercase();
        for gone in ["content-length", "transfer-encoding", "content-type", "content-encoding", "smuggled"] {
            assert!(!lower.contains(gone), "{gone}: {request}");
        }
        assert!(lower.contains("x-kept: 1"));
    }
}

#[test]
fn m_03_a_rejected_body_is_400_and_the_connection_in_step() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules(POLICIES));
    let mut client = gateway.client();
    client.send("DELETE /reject HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    let answer = client.answer();
    assert_eq!((answer.status, answer.code().as_str()), (400, "request.body_not_allowed"));
    client.send("DELETE /reject HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    assert_eq!(upstream.seen.requests().len(), 1);
}

#[test]
fn an_early_answer_leaves_no_octet_of_the_body_in_the_stream() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules(POLICIES));
    let mut client = gateway.client();
    let hidden = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(format!("POST /moved HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len()));
    client.send("GET /forward HTTP/1.1\r\nHost: a\r\n\r\n");
    let moved = client.answer();
    assert_eq!((moved.status, moved.header("location")), (307, Some("/forward")));
    let next = client.answer();
    assert!(next.text().starts_with("GET /forward HTTP/1.1"), "{next:?}");
    assert_eq!(upstream.seen.requests().len(), 1);
}

#[test]
fn an_early_answer_to_a_long_body_closes() {
    let gateway = Gateway::start(&Upstream::echo().rules(POLICIES));
    let mut client = gateway.client();
    client.send("POST /moved HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    client.send(vec![b'x'; 200_000]);
    let moved = client.answer();
    assert_eq!((moved.status, moved.header("connection")), (307, Some("close")));
}

#[test]
fn m_15_a_redirect_is_sent_without_100_and_without_reading() {
    let gateway = Gateway::start(&Upstream::echo().rules(POLICIES));
    let mut client = gateway.client();
    client.send("POST /moved HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    let moved = client.answer();
    assert_eq!((moved.status, moved.header("connection")), (307, Some("close")));
    assert!(client.is_closed());
}

#[test]
fn a_wanted_body_is_asked_for_by_100() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules(POLICIES));
    let mut client = gateway.client();
    client.send("POST /forward HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.answer().status, 100);
    client.send("hello");
    let answer = client.answer();
    assert_eq!(answer.status, 200);
    assert!(answer.text().ends_with("hello") && answer.text().contains("Expect: 100-continue\r\n"));
    assert_eq!(
        gateway.ask("POST /forward HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 0\r\n\r\n").status,
        417
    );
}

#[test]
fn a_body_over_its_bound_is_413_stated_or_in_flight() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules(POLICIES));
    let stated = gateway.ask("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world");
    assert_eq!((stated.status, stated.code().as_str()), (413, "request.body_too_large"));
    let mut client = gateway.client();
    client.send("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    client.send("6\r\n world\r\n0\r\n\r\n");
    let in_flight = client.answer();
    assert_eq!((in_flight.status, in_flight.code().as_str()), (413, "request.body_too_large"));
    assert_eq!(in_flight.header("connection"), Some("close"));
    assert!(upstream.seen.requests().is_empty(), "the upstream never had a whole request");
}

#[test]
fn a_body_that_is_malformed_or_broken_off_never_looks_whole_upstream() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules(POLICIES));
    let mut client = gateway.client();
    client.send("POST /forward HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0 \r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.code().as_str()), (400, "request.body_malformed"));
    let mut client = gateway.client();
    client.send("POST /forward HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello");
    drop(client);
    std::thread::sleep(core::time::Duration::from_millis(200));
    assert!(upstream.seen.requests().is_empty());
}

#[test]
fn long_bodies_stream_both_ways() {
    let upstream = Upstream::echo();
    let rules = upstream.rules("location / { body forward; proxy up; }");
    let gateway = Gateway::start(&rules);
    let body: Vec<u8> = (0..5_000_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    let mut client = gateway.client();
    client.send(format!("PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len()));
    client.send(&body);
    let answer = client.answer();
    assert!(answer.whole && answer.body.ends_with(&body));
}

#[test]
fn head_answers_of_unknown_length_say_no_length() {
    let upstream = Upstream::fixed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let gateway = Gateway::start(&upstream.rules("location / { proxy up; } location /own { return 200 text; }"));
    let mut client = gateway.client();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.head_answer();
    assert_eq!((answer.status, answer.header("content-length")), (200, None), "{answer:?}");
    client.send("GET /own HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().text(), "text");
}

#[test]
fn head_answers_have_no_body_and_keep_their_length() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules("location / { proxy up; } location /own { return 200 text; }"));
    let mut client = gateway.client();
    for path in ["/", "/own", "/"] {
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let answer = client.head_answer();
        assert_eq!(answer.status, 200);
        assert_ne!(answer.header("content-length"), Some("0"), "{path}");
    }
    client.send("GET /own HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().text(), "text");
}
