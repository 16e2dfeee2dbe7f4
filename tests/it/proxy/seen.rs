//! What a rule reads is what the upstream sees: names of fields, `Connection`.

use std::sync::Arc;

use rulec::proxy::{Address, Config, Lookup, PlanSource};

use super::harness::{Gateway, Upstream, admin_text, config};

const RULES: &str = "plans p { credential key from header X-Key keep; plan gold; }
    service all default {
        location / {
            when header X-Role = admin { return 403 admin; }
            drop request header X-Debug;
            set request header X-User alice;
            proxy up;
        }
    }
    service on {
        server_name on.test;
        underscores on;
        location / {
            unique header X-One;
            when header X-Role = admin { return 403 admin; }
            drop request header X-Debug X-Pre*;
            set request header X-User alice;
            set request header X-Seen \"<$http_x_role>\";
            proxy up;
        }
    }
    service known {
        server_name known.test;
        location / {
            when header X_Role = admin { return 403 admin; }
            set request header Acme_Tag ours;
            proxy up;
        }
    }";

/// Knows nobody.
#[derive(Debug)]
struct Nobody;

impl PlanSource for Nobody {
    fn lookup(&self, _: &[u8]) -> Lookup {
        Lookup::Unknown
    }
}

fn gateway(upstream: &Upstream, config: Config) -> Gateway {
    gateway_of(upstream, config, RULES)
}

fn gateway_of(upstream: &Upstream, mut config: Config, rules: &str) -> Gateway {
    config.plan_sources.insert("p".to_owned(), Arc::new(Nobody));
    Gateway::with(&format!("upstream up {{ server 127.0.0.1:{}; }} {rules}", upstream.port), &config)
}

/// What the upstream is sent for lines of `host`, in lower case, or the status that comes instead.
fn sent(gateway: &Gateway, host: &str, lines: &[&str]) -> Result<String, (u16, String)> {
    let lines = lines.iter().map(|line| format!("{line}\r\n")).collect::<Vec<_>>().concat();
    let answer = gateway.ask(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n"));
    if answer.status == 200 {
        return Ok(answer.text().to_ascii_lowercase());
    }
    let code = if answer.status == 403 { String::new() } else { answer.code() };
    Err((answer.status, code))
}

#[test]
fn names_that_an_upstream_may_take_for_others_are_left_out() {
    let upstream = Upstream::echo();
    let gateway = gateway(&upstream, config());
    for name in ["X_Role", "x_role", "X.Role", "X~Role", "X-Role_", "_X-Role", "X!", "x`y", "X-R|e", "A*B", "'"] {
        let sent = sent(&gateway, "a.test", &[&format!("{name}: admin"), "X-Kept: 1"]).expect(name);
        let name = name.to_ascii_lowercase();
        assert!(!sent.contains(&format!("\r\n{name}:")) && sent.contains("\r\nx-kept: 1\r\n"), "{name}: {sent}");
    }
    let all = sent(&gateway, "a.test", &["X_User: root", "X_Debug: 1", "X_Forwarded_For: 6.6.6.6", "Cookie_: a=b"]);
    let all = all.expect("sent on");
    assert!(all.contains("\r\nx-user: alice\r\n") && !all.contains('_') && !all.contains("root"), "{all}");
}

#[test]
fn under_underscores_on_two_spellings_are_one_name() {
    let upstream = Upstream::echo();
    let gateway = gateway(&upstream, config());
    let on = |lines: &[&str]| sent(&gateway, "on.test", lines);
    assert!(on(&["X_Trace: 1"]).expect("kept").contains("\r\nx_trace: 1\r\n"));
    assert_eq!(on(&["X_Role: admin"]), Err((403, String::new())));
    assert_eq!(on(&["x-one: 1", "X_One: 2"]), Err((400, "request.header_repeated".to_owned())));
    let both = on(&["X_Role: user", "X-Role: admin"]).expect("neither alone is `admin`");
    assert!(both.contains("\r\nx-seen: <user, admin>\r\n"), "{both}");
    let edited = on(&["X_User: root", "X_Debug: 1", "X_Pre_A: 1", "x-pre_b: 1"]).expect("sent on");
    assert!(edited.contains("\r\nx-user: alice\r\n") && !edited.contains('_'), "{edited}");
    // Hop-by-hop fields and claims as ever; what is no letter, digit, `-` or `_` is left out here too.
    let cleaned = on(&["Proxy_Connection: a", "X_Forwarded_For: 6.6.6.6", "X_Real_IP: 6.6.6.6", "X.Role: admin"]);
    let cleaned = cleaned.expect("sent on");
    assert!(!cleaned.contains('_') && !cleaned.contains("6.6.6.6") && !cleaned.contains("x.role"), "{cleaned}");
}

#[test]
fn a_name_that_the_service_spells_so_is_one_in_every_spelling() {
    let upstream = Upstream::echo();
    let gateway = gateway(&upstream, config());
    for spelling in ["X_Role", "x-role", "X.Role"] {
        let refused = sent(&gateway, "known.test", &[&format!("{spelling}: admin")]);
        assert_eq!(refused, Err((403, String::new())), "{spelling}");
    }
    let kept = sent(&gateway, "known.test", &["X_Role: user", "X_Other: 1"]).expect("sent on");
    assert!(kept.contains("\r\nx_role: user\r\n") && !kept.contains("x_other"), "{kept}");
    let set = sent(&gateway, "known.test", &["Acme-Tag: theirs", "acme_tag: theirs"]).expect("sent on");
    assert!(set.contains("\r\nacme_tag: ours\r\n") && !set.contains("theirs"), "{set}");
}

#[test]
fn fields_that_connection_names_are_gone_before_the_rules() {
    let upstream = Upstream::echo();
    let gateway = gateway(&upstream, config());
    for connection in [
        "X-Role",
        "close, x-role",
        "keep-alive,X_ROLE ,, close",
        " \t X-Role\t",
        "upgrade, te, X-Role",
        "close\r\nConnection: X-Role",
    ] {
        let lines = [format!("Connection: {connection}"), "X-Role: admin".to_owned(), "X-Kept: 1".to_owned()];
        let sent = sent(&gateway, "a.test", &lines.each_ref().map(String::as_str)).expect(connection);
        assert!(!sent.contains("x-role") && sent.contains("x-kept: 1"), "{connection}: {sent}");
    }
    // What is no name, and what is about the connection anyway, names nothing.
    for connection in ["\"X-Role\"", "X-Role X-Kept", "close, keep-alive, Upgrade, TE, Proxy-Connection, Trailer"] {
        let refused = sent(&gateway, "a.test", &[&format!("Connection: {connection}"), "X-Role: admin"]);
        assert_eq!(refused, Err((403, String::new())), "{connection}");
    }
    assert_eq!(sent(&gateway, "a.test", &["Proxy-Connection: X-Role", "X-Role: admin"]), Err((403, String::new())));
}

#[test]
fn connection_may_not_name_what_says_who_asks_for_what() {
    let upstream = Upstream::echo();
    let rules = RULES.replace("server_name on.test;", "server_name on.test; plans p;");
    let gateway = gateway_of(&upstream, config(), &rules);
    let refused = Err((400, "request.connection_names_field".to_owned()));
    let names = ["Host", "authorization", "Cookie", "Content-Type", "content_length", "Content-Foo", "X-Forwarded-For"];
    for name in names.into_iter().chain(["x_forwarded_proto", "Forwarded", "X-Real-IP", "Client-Cert"]) {
        for connection in
            [name.to_owned(), format!("close , {name}"), format!("x,\r\nConnection:{name},y").replace(",\r\n", "\r\n")]
        {
            assert_eq!(sent(&gateway, "a.test", &[&format!("Connection: {connection}")]), refused, "{connection}");
        }
    }
    // A credential of the service, and only there.
    assert_eq!(sent(&gateway, "on.test", &["Connection: X-Key", "X-Key: k"]), refused);
    assert_eq!(sent(&gateway, "on.test", &["Connection: x_key", "X-Key: k"]), refused);
    assert!(sent(&gateway, "a.test", &["Connection: X-Key", "X-Key: k"]).is_ok());
    let many = (0..33).map(|number| format!("x{number}")).collect::<Vec<_>>().join(",");
    assert_eq!(sent(&gateway, "a.test", &[&format!("Connection: {many}")]), refused);
    assert!(sent(&gateway, "a.test", &[&format!("Connection: {}", &many[..many.len() - 4])]).is_ok());
    let old = gateway.ask("GET / HTTP/1.0\r\nHost: a.test\r\nConnection: X-Role\r\nX-Role: admin\r\n\r\n");
    assert_eq!(old.status, 200);
}

#[test]
fn trailers_of_odd_names_are_not_sent_on() {
    let upstream = Upstream::echo();
    let gateway = gateway(&upstream, config());
    for host in ["a.test", "on.test"] {
        let answer = gateway.ask(&format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX_Role: admin\r\nX.B: 1\r\nX-Sum: 1\r\n\r\n"
        ));
        let seen = answer.text().to_ascii_lowercase();
        assert!(seen.contains("x-sum: 1") && !seen.contains("x_role") && !seen.contains("x.b"), "{seen}");
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let upstream = Upstream::echo();
    let mut config = config();
    config.admin = Some(Address::Tcp("127.0.0.1:0".parse().expect("address")));
    let gateway = gateway(&upstream, config);
    sent(&gateway, "a.test", &["X_A: 1", "X.B: 1", "X-C: 1", "Connection: X-C", "X-D: 1"]).expect("sent on");
    sent(&gateway, "a.test", &["X-D: 1"]).expect("sent on");
    let page = admin_text(gateway.handle.as_ref().expect("runs"), "/metrics");
    for (why, count) in [("name", 2), ("connection", 1)] {
        let sample = format!("rulec_request_fields_omitted_total{{why=\"{why}\"}} {count}\n");
        assert!(page.contains(&sample), "{sample}: {page}");
    }
    let log = gateway.stop();
    assert_eq!(log[0]["fields_omitted"], 3);
    assert_eq!(log[1].get("fields_omitted"), None);
}
