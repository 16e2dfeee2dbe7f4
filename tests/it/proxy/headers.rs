//! Fields: what ends here, what is told to upstreams, what the rules change.

use super::harness::{Gateway, Upstream, config};

fn echoed(locations: &str, request: &str) -> String {
    let upstream = Upstream::echo();
    Gateway::start(&upstream.rules(locations)).ask(request).text()
}

#[test]
fn fields_of_the_connection_end_here() {
    let seen = echoed(
        "location / { proxy up; }",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Plan-Key\r\nX-Plan-Key: k\r\n\
         Keep-Alive: timeout=5\r\nTE: trailers\r\nUpgrade: websocket\r\nProxy-Connection: x\r\nTrailer: T\r\nX-Kept: 1\r\n\r\n",
    );
    let lower = seen.to_ascii_lowercase();
    for gone in ["x-plan-key", "keep-alive", "\r\nte:", "upgrade", "proxy-connection", "trailer", "\r\nconnection"] {
        assert!(!lower.contains(gone), "{gone}: {seen}");
    }
    assert!(lower.contains("\r\nx-kept: 1\r\n") && lower.contains("x-forwarded-for: 127.0.0.1\r\n"));
    assert_eq!(lower.matches("\r\nhost: ").count(), 1);
}

#[test]
fn two_lines_do_not_slip_past_a_guard() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(
        &upstream.rules("location / { when not header X-Role = \"user\" { return 403 no; } proxy up; }"),
    );
    let status = |lines: &str| gateway.ask(&format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")).status;
    assert_eq!(status("X-Role: user\r\n"), 200);
    assert_eq!(status("X-Role: user\r\nX-Role: admin\r\n"), 403);
    assert_eq!(status("X-Role: user\r\nx-role:\r\n"), 403);
}

#[test]
fn what_a_stranger_says_about_hops_is_not_handed_on() {
    let locations = "location / { proxy up; }";
    let claims = "X-Forwarded-For: 10.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n\
                  Forwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nX-Original-URL: /admin\r\nX_Forwarded_For: 6.6.6.6\r\nX-Request-Id: mine\r\n";
    let request = format!("GET / HTTP/1.1\r\nHost: api.test\r\n{claims}\r\n");
    let seen = echoed(locations, &request);
    assert!(
        seen.contains("X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: api.test\r\n"),
        "{seen}"
    );
    for gone in ["evil", "1.2.3.4", "6.6.6.6", "10.9.9.9", "/admin", "mine", "Port"] {
        assert!(!seen.contains(gone), "{gone}: {seen}");
    }
    let upstream = Upstream::echo();
    let mut config = config();
    config.listeners[0].trusted = vec!["127.0.0.0/8".parse().expect("network")];
    let gateway = Gateway::with(&upstream.rules(locations), &config);
    let seen = gateway.ask(&request).text();
    assert!(
        seen.contains("X-Forwarded-For: 10.9.9.9, 127.0.0.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n"),
        "{seen}"
    );
    let log = gateway.stop();
    assert_eq!((&log[0]["client"], &log[0]["scheme"]), (&"10.9.9.9".into(), &"https".into()));
}

#[test]
fn host_is_the_upstreams_unless_an_edit_sets_it() {
    let upstream = Upstream::echo();
    let port = upstream.port;
    let gateway = Gateway::start(&format!(
        "upstream plain {{ server 127.0.0.1:{port}; }}
         upstream named {{ server 127.0.0.1:{port}; host media.test; }}
         service all default {{
            location /plain {{ proxy plain; }}
            location /named {{ proxy named; }}
            location /set {{ set request header Host other.test; proxy named; }}
         }}"
    ));
    let host = |path: &str| {
        let seen = gateway.ask(&format!("GET {path} HTTP/1.1\r\nHost: client.test\r\n\r\n")).text();
        let hosts: Vec<String> =
            seen.lines().filter_map(|line| line.strip_prefix("Host: ")).map(str::to_owned).collect();
        assert_eq!(hosts.len(), 1, "{seen}");
        hosts[0].clone()
    };
    assert_eq!(host("/plain"), format!("127.0.0.1:{port}"));
    assert_eq!(host("/named"), "media.test");
    assert_eq!(host("/set"), "other.test");
}

#[test]
fn edits_apply_in_order_to_both_heads() {
    let answer = b"HTTP/1.1 200 OK\r\nX-Amz-Id: 1\r\nx-amz-b: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nETag: \"e\"\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok";
    let upstream = Upstream::fixed(answer);
    let gateway = Gateway::start(&upstream.rules(
        "location / {
            drop request header Cookie X-A*;
            set request header X-Set one;
            add request header X-Set $request_method;
            drop response header x-amz-* Set-Cookie;
            set response header ETag new;
            add response header X-By rulec;
            proxy up;
        }",
    ));
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\nCookie: c\r\nX-Ab: 1\r\nX-B: 2\r\nx-set: 0\r\n\r\n");
    let head = answer.head.to_ascii_lowercase();
    for gone in ["amz", "set-cookie", "x-hop", "connection"] {
        assert!(!head.contains(gone), "{gone}: {head}");
    }
    assert_eq!((answer.header("etag"), answer.header("x-by")), (Some("new"), Some("rulec")));
    let seen = upstream.seen.requests().remove(0);
    assert!(
        seen.contains("X-Set: one\r\nX-Set: GET\r\n") && seen.contains("X-B: 2") && !seen.contains("X-Ab"),
        "{seen}"
    );
    assert!(!seen.contains("Cookie") && !seen.contains("x-set: 0"), "{seen}");
}

#[test]
fn m_06_405_comes_with_allow_and_response_edits_reach_our_own_errors() {
    let upstream = Upstream::echo();
    let gateway = Gateway::start(
        &upstream
            .rules(
                "add response header X-Frame-Options DENY;
         location /m { methods GET DELETE; proxy up; }
         location /gone { proxy dead; }",
            )
            .replace("service all", "upstream dead { server 127.0.0.1:1; }\nservice all"),
    );
    let answer = gateway.ask("POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((answer.status, answer.code().as_str()), (405, "request.method_not_allowed"));
    assert_eq!((answer.header("allow"), answer.header("x-frame-options")), (Some("DELETE, GET, HEAD"), Some("DENY")));
    let answer = gateway.ask("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream.connect.refused"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(gateway.ask("GET /none HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
}

#[test]
fn m_13_m_14_hsts_and_upgrade_follow_what_a_trusted_hop_says() {
    let rules = "service all {
        server_name a.test;
        upgrade https 307;
        hsts 1y;
        location / { return 200 ok; }
        location /missing { return 404 none; }
    }";
    let mut config = config();
    config.listeners[0].trusted = vec!["127.0.0.1".parse().expect("network")];
    let gateway = Gateway::with(rules, &config);
    let ask = |path: &str, proto: &str| {
        gateway.ask(&format!("GET {path}?a=b%20c HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Proto: {proto}\r\n\r\n"))
    };
    for path in ["/", "/missing"] {
        assert!(ask(path, "https").header("strict-transport-security").is_some(), "{path}");
    }
    let moved = ask("/x", "http");
    assert_eq!((moved.status, moved.header("location")), (307, Some("https://a.test/x?a=b%20c")));
    assert_eq!(moved.header("strict-transport-security"), None);
    let stranger = Gateway::start(rules);
    let answer = stranger.ask("GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Proto: https\r\n\r\n");
    assert_eq!(answer.status, 307);
}

#[test]
fn refusals_are_problems_or_pages_and_carry_the_request_id() {
    let gateway = Gateway::start(&Upstream::echo().rules("location /only { return 200 ok; }"));
    let problem = gateway.ask("GET /x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nX-Request-Id: mine\r\n\r\n");
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    let body: serde_json::Value = serde_json::from_slice(&problem.body).expect("JSON");
    assert_eq!((&body["status"], &body["code"]), (&404.into(), &"request.no_location".into()));
    assert_eq!(body["request_id"].as_str(), problem.header("x-request-id"));
    assert_eq!(problem.header("x-request-id").map(str::len), Some(32));
    let page = gateway.ask("GET /x HTTP/1.1\r\nHost: a\r\nAccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n\r\n");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("request.no_location"));
}

#[test]
fn edits_on_success_wait_for_the_upstreams_status() {
    let locations = "location / { add response header X-Always 1; add response header X-Good 1 on success; proxy up; }";
    for (status, is_good) in [("200 OK", true), ("304 Not Modified", true), ("202 Accepted", false), ("404 No", false)]
    {
        let upstream = Upstream::fixed(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        let answer = Gateway::start(&upstream.rules(locations)).ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(answer.header("x-always"), Some("1"), "{status}");
        assert_eq!(answer.header("x-good").is_some(), is_good, "{status}");
    }
}

#[test]
fn the_upstreams_location_is_put_in_our_words() {
    let locations = "location / { proxy_redirect http://up/in/ /out/; proxy_redirect http://up/ /; proxy up; }";
    for (sent, relayed) in
        [("http://up/in/a?b", "/out/a?b"), ("http://up/x", "/x"), ("http://upper/x", "http://upper/x"), ("/x", "/x")]
    {
        let upstream = Upstream::fixed(format!("HTTP/1.1 302 Found\r\nLocation: {sent}\r\nContent-Length: 0\r\n\r\n"));
        let answer = Gateway::start(&upstream.rules(locations)).ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(answer.header("location"), Some(relayed), "{sent}");
    }
}

#[test]
fn a_decoded_group_cannot_split_the_request() {
    let locations = "location ~ ^/a/(?<rest>[^?]*) { set $args x=$rest; proxy up; }
        location ~ ^/b/(.*)$ { proxy up \"/b/$1\"; }
        location ~ ^/c/ { rewrite ^/c/(?<q>[^?]*) /c?x=$q break; proxy up; }";
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules(locations));
    for path in ["/a/1%20HTTP/1.1%0d%0aX-Evil:%201%0d%0a", "/b/a%09b", "/b/a%20b", "/c/%0d%0aX-Evil:%201"] {
        let answer = gateway.ask(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((answer.status, answer.code().as_str()), (400, "request.target_unsafe"), "{path}");
    }
    assert!(gateway.ask("GET /b/a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n").text().starts_with("GET /b/a/b HTTP/1.1"));
    assert_eq!(upstream.connections(), 1);
}
