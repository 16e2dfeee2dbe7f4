//! The table of attempts: what a rule reads is what the upstream sees, or the request is refused.
//!
//! Each attempt goes through the gateway to real servers, which tell the route, the path, the field, the argument and the
//! cookie that they read; the rules tell in fields of the answer what they read themselves.

mod table;
mod upstreams;

use super::harness::{Answer, Client, Gateway, config};
use rulec::proxy::Http2;
use serde_json::Value;
use table::{ATTEMPTS, Attempt, PLAIN};
use upstreams::Running;

/// What stands before an application that has its own idea of paths, fields, arguments and cookies.
const POLICY: &str = "
    paths strict;
    unique header X-Role;
    unique query role;
    unique cookie role;
    location ~* ^/admin(/|$) { return 403; }
    location /dropped/       { drop request header X-Role; proxy NAME; }
    location / {
        when header X-Role = admin { return 403; }
        when query role = admin    { return 403; }
        when cookie role = admin   { return 403; }
        set response header X-Read-Path   $uri;
        set response header X-Read-Header $http_x_role;
        set response header X-Read-Query  $arg_role;
        set response header X-Read-Cookie $cookie_role;
        proxy NAME;
    }
";

#[test]
fn no_upstream_reads_what_the_rules_did_not() {
    let upstreams = upstreams::all();
    let rules: String = upstreams.iter().map(rules).collect();
    let gateways = [Http2::Off, Http2::PriorKnowledge].map(|http2| {
        let mut config = config();
        config.listeners[0].http2 = http2;
        Gateway::with(&rules, &config)
    });
    let mut wrong = Vec::new();
    for upstream in &upstreams {
        let host = format!("{}.test", upstream.name);
        for attempt in &PLAIN {
            let answer = gateways[0].ask(&attempt.octets(&host));
            let read = reading(&answer).unwrap_or_else(|| panic!("{}: {attempt:?} {answer:?}", upstream.name));
            assert_eq!(reads(&read), attempt.read(), "{}: {attempt:?}", upstream.name);
        }
        let over_http1 = ATTEMPTS.iter().map(|attempt| Some(gateways[0].ask(&attempt.octets(&host)))).collect();
        let over_http2 = table::over_http2(gateways[1].address, &host);
        for (protocol, answers) in [("HTTP/1", over_http1), ("HTTP/2", over_http2)] {
            for (attempt, answer) in ATTEMPTS.iter().zip::<Vec<Option<Answer>>>(answers) {
                let fault = answer.and_then(|answer| fault(attempt, &answer));
                wrong.extend(fault.map(|fault| format!("{} {protocol} {attempt:?}: {fault}", upstream.name)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of the attempts get through:\n{}", wrong.len(), wrong.join("\n"));
    assert_teeth(&upstreams);
}

fn rules(upstream: &Running) -> String {
    let Running { name, port, .. } = upstream;
    let policy = POLICY.replace("NAME", name);
    format!("upstream {name} {{ server 127.0.0.1:{port}; }}\nservice {name} {{ server_name {name}.test;{policy}}}\n")
}

/// What the application says that it read; None where somebody before it answered.
fn reading(answer: &Answer) -> Option<Value> {
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    json.filter(|json| answer.status == 200 && json["route"].is_string())
}

/// Header, argument and cookie; what is absent is as what is empty.
fn reads(read: &Value) -> [String; 3] {
    ["header", "query", "cookie"].map(|kind| read[kind].as_str().unwrap_or_default().to_owned())
}

/// Why an attempt must not end so; None: it was refused, or both read the same.
fn fault(attempt: &Attempt, answer: &Answer) -> Option<String> {
    let Some(read) = reading(answer) else {
        // Of the gateway, or of an upstream that would have none of it, or sends its client to another path.
        let is_refused = matches!(answer.status, 300..=499);
        return (!is_refused).then(|| format!("{} {}", answer.status, answer.text()));
    };
    if read["route"] != "other" || reads(&read).iter().any(|value| value.contains("admin")) {
        return Some(read.to_string());
    }
    if attempt.target.starts_with("/dropped/") {
        return (!read["header"].is_null()).then(|| read.to_string());
    }
    let said = |name: &str| answer.header(name).unwrap_or_default().to_owned();
    let ours = ["X-Read-Header", "X-Read-Query", "X-Read-Cookie"].map(said);
    let path = said("X-Read-Path");
    let is_same = ours == reads(&read) && read["path"] == path;
    (!is_same).then(|| format!("the rules read {path} {ours:?}, it {read}"))
}

/// Without a gateway the same attempts do get through: each upstream falls for many of them.
fn assert_teeth(upstreams: &[Running]) {
    for upstream in upstreams {
        let through = ATTEMPTS.iter().filter(|attempt| {
            let mut client = Client::connect(([127, 0, 0, 1], upstream.port).into());
            client.send(attempt.octets("a.test"));
            let read = client.read_answer(false).and_then(|answer| reading(&answer));
            read.is_some_and(|read| {
                read["route"] == "admin" || reads(&read).iter().any(|value| value.contains("admin"))
            })
        });
        let through = through.count();
        assert!(through >= 20, "{} falls for {through} attempts only", upstream.name);
    }
}
