//! Values of fields that rules make of what a client sends: no control byte is sent, on either side, over either protocol.

use std::process::Command;

use super::harness::{Gateway, Upstream, config};

/// Every control byte that a path may hold, which is all but NUL; 80-FF are text of some kind (RFC 9110, 5.5), and pass.
fn controls() -> impl Iterator<Item = u8> {
    (1..0x20).chain([0x7F])
}

const RULES: &str = "
    location ~ (?s)^/request/(.*)$ {
        set request header X-Set $1;
        add request header X-Add \"<$1>\";
        set request header Host $1;
        set request header X-Kept kept;
        proxy up;
    }
    location ~ (?s)^/response/(.*)$ {
        set response header X-Set $1;
        add response header X-Add \"<$1>\";
        set response header Set-Cookie \"a=$1\";
        set response header Cache-Control \"private, x=$1\" on success;
        type \"text/x; charset=$1\";
        return 200 \"text\";
    }
    location ~ (?s)^/relayed/(.*)$ { set response header Server \"up $1\"; proxy up; }
";

fn upstream() -> Upstream {
    Upstream::start(|_, wire, seen| {
        while let Some(request) = seen.read(wire) {
            let head = format!("HTTP/1.1 200 OK\r\nServer: theirs\r\nContent-Length: {}\r\n\r\n", request.len());
            wire.send([head.as_bytes(), &request].concat());
        }
    })
}

#[test]
fn a_request_field_with_a_control_byte_is_not_sent_nor_the_clients_own() {
    let upstream = upstream();
    let gateway = Gateway::start(&upstream.rules(RULES));
    for byte in controls() {
        let answer = gateway.ask(&format!(
            "GET /request/a%{byte:02x}b HTTP/1.1\r\nHost: a\r\nX-Set: client\r\nX-Add: client\r\nConnection: close\r\n\r\n"
        ));
        let sent = answer.text();
        let fields = sent.split_once("\r\n").map_or("", |(_, fields)| fields);
        let has = |start: &str| fields.lines().any(|line| line.to_ascii_lowercase().starts_with(start));
        assert_eq!(answer.status, 200, "{byte:02x}");
        assert!(!has("x-set:"), "{byte:02x}: {sent}");
        assert!(has("x-add: client") && !has("x-add: <"), "{byte:02x}: {sent}");
        assert!(has("x-kept: kept") && has("host: 127.0.0.1:"), "{byte:02x}: {sent}");
        assert!(fields.bytes().all(|sent| sent >= b' ' || matches!(sent, b'\r' | b'\n')), "{byte:02x}: {sent}");
    }
    let sent = gateway.ask("GET /request/%20%20caf%e9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").body;
    let line = b"\r\nX-Set: caf\xe9\r\n";
    assert!(super::harness::find(&sent, line).is_some(), "{}", String::from_utf8_lossy(&sent));
}

#[test]
fn a_response_field_with_a_control_byte_is_not_sent_over_either_protocol() {
    let upstream = upstream();
    let rules = upstream.rules(RULES);
    let mut over_http2 = config();
    over_http2.listeners[0].http2 = rulec::proxy::Http2::PriorKnowledge;
    let (one, two) = (Gateway::start(&rules), Gateway::with(&rules, &over_http2));
    let head_of = |gateway: &Gateway, protocol: &str, target: &str| {
        let url = format!("http://{}{target}", gateway.address);
        let curl = Command::new("curl").args(["-sS", protocol, "-o", "/dev/null", "-D", "-", &url]).output();
        String::from_utf8_lossy(&curl.expect("curl is installed").stdout).to_ascii_lowercase()
    };
    for (gateway, protocol) in [(&one, "--http1.1"), (&two, "--http2-prior-knowledge")] {
        for byte in controls() {
            let head = head_of(gateway, protocol, &format!("/response/a%{byte:02x}b"));
            assert!(head.contains("content-type: text/plain; charset=utf-8\r\n"), "{protocol} {byte:02x}: {head}");
            for name in ["x-set", "x-add", "set-cookie", "cache-control"] {
                assert!(!head.contains(&format!("\n{name}:")), "{protocol} {byte:02x}: {head}");
            }
            // What the edit would have replaced does not stand in for it.
            let head = head_of(gateway, protocol, &format!("/relayed/a%{byte:02x}b"));
            assert!(head.contains(" 200") && !head.contains("\nserver:"), "{protocol} {byte:02x}: {head}");
        }
        let head = head_of(gateway, protocol, "/response/ok%20");
        for line in ["x-set: ok\r", "x-add: <ok >\r", "set-cookie: a=ok\r", "cache-control: private, x=ok\r"] {
            assert!(head.contains(line), "{protocol} {line}: {head}");
        }
    }
}
