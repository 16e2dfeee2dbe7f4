//! nginx-forward.json over real sockets: the upstream receives from the gateway what it received from nginx.

use super::harness::{Answer, Gateway, Upstream};
use crate::corpora::{conf, corpus, escaped_location, list, text};
use serde_json::Value;

/// Requests of every configuration that are sent.
const OF_EACH: usize = 24;

#[test]
fn upstreams_receive_the_same_octets_as_from_nginx() {
    let corpus: Value = serde_json::from_str(&corpus("nginx-forward.json")).expect("JSON");
    let (mut sent, mut received) = (0, 0);
    for configuration in list(&corpus, "cases") {
        let upstream = echo();
        let address = format!("127.0.0.1:{}", upstream.port);
        let servers = format!("server {{ listen 127.0.0.1:8080; return 421; }}\n{}", text(configuration, "conf"));
        let rules = conf::rules(&conf::http(&servers.replace("PORT", "8080").replace("UPSTREAM", &address)));
        // Where nginx looked for a file, somebody else has to: nobody is asked here.
        let gateway =
            Gateway::start(&rules.replace("upstream files external;", "upstream files { server 127.0.0.1:1; }"));
        let decided =
            list(configuration, "requests").iter().filter(|case| !matches!(case["status"].as_u64(), Some(403..=405)));
        for case in decided.take(OF_EACH) {
            let body = if text(case, "method") == "GET" { "" } else { "abcd" };
            let answer = gateway.ask(&request(case, body));
            let place = format!("{} {} {}", text(configuration, "id"), text(case, "host"), text(case, "target"));
            match case["upstream"].as_str() {
                Some(line) => {
                    received += 1;
                    is_forwarded(case, line, body, &address, &answer, &place);
                }
                None => is_answered(case, &answer, gateway.address.port(), &place),
            }
            sent += 1;
        }
    }
    println!("{sent} requests over sockets, {received} of them received by the upstream as from nginx");
    assert!(sent >= 1_000 && received >= 700, "{sent} {received}");
}

/// Answers with what it received, head and body in one write.
fn echo() -> Upstream {
    Upstream::start(|_, wire, seen| {
        while let Some(request) = seen.read(wire) {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.len());
            wire.send([head.as_bytes(), &request].concat());
        }
    })
}

fn request(case: &Value, body: &str) -> String {
    let (method, target, host) = (text(case, "method"), text(case, "target"), text(case, "host"));
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let own = "X-Own: 1\r\nAuthorization: Basic eDp5\r\n";
    format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{own}{length}Connection: close\r\n\r\n{body}")
}

/// What came to the upstream: request line but for the version, Host, the fields of the rules, the body.
fn is_forwarded(case: &Value, line: &str, body: &str, address: &str, answer: &Answer, place: &str) {
    let seen = answer.body.iter().copied().map(char::from).collect::<String>();
    let (head, rest) = seen.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{place}: {} {seen}", answer.status));
    let line = line.rsplit_once(' ').map_or(line, |(line, _)| line);
    assert_eq!(head.lines().next(), Some(format!("{line} HTTP/1.1").as_str()), "{place}");
    let field = |name: &str| {
        head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(": ")?;
            own.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let said = |value: &Value| value.as_str().map(|text| text.replace("UPSTREAM", address));
    assert_eq!(field("host"), said(&case["up_host"]), "{place}");
    assert_eq!(field("authorization"), said(&case["up_authorization"]), "{place}");
    for (name, value) in case["up_headers"].as_object().into_iter().flatten() {
        assert_eq!(field(name), said(value), "{place} {name}");
    }
    assert_eq!(rest, body, "{place}");
    assert_eq!(answer.header("x-server"), case["server"].as_str(), "{place}");
}

fn is_answered(case: &Value, answer: &Answer, port: u16, place: &str) {
    assert_eq!(Some(u64::from(answer.status)), case["status"].as_u64(), "{place} {}", answer.text());
    // The corpus was recorded at port 80.
    let redirect = case["redirect"].as_str().map(escaped_location);
    let here = answer.header("location").map(|url| url.replace(&format!(":{port}/"), "/"));
    assert_eq!(here, redirect, "{place}");
}
