//! Raw requests: tests/corpora/{http1,http11probe,llhttp-request}-cases.jsonl.

use core::net::Ipv4Addr;
use std::thread;

use serde::Deserialize;

use super::recorder::{Bench, Outcome};
use super::strict::{self, Request};
use super::{Raw, cases};

pub(super) const HTTP1: &str = include_str!("../../../corpora/http1-cases.jsonl");
pub(super) const PROBES: &str = include_str!("../../../corpora/http11probe-cases.jsonl");
pub(super) const LLHTTP: &str = include_str!("../../../corpora/llhttp-request-cases.jsonl");

/// Requests asked at a time: most of the time of a case is waiting for quiet.
const AT_ONCE: usize = 8;

/// A case with what it is owed.
#[derive(Deserialize)]
struct Case {
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    expect: String,
    max_forwarded: Option<usize>,
    /// llhttp's outcome and how many requests it reads.
    #[serde(default)]
    llhttp: String,
    #[serde(default)]
    must_not_forward: Vec<String>,
    #[serde(flatten)]
    raw: Raw,
}

/// Whether those that came to the upstream stand among those that were sent, in this order.
pub(super) fn is_part_of(came: &[Request], sent: &[Request]) -> bool {
    let mut sent = sent.iter();
    let same = |came: &Request, sent: &Request| {
        let is_target = came.target == sent.origin_form() || came.target == "*";
        sent.has_host() && came.method == sent.method && is_target && came.body == sent.body
    };
    came.iter().all(|came| sent.any(|sent| same(came, sent)))
}

/// Asks every case, `AT_ONCE` at a time, and gives what came of it in order.
fn run(text: &str, judge: impl Fn(&Case, &[Request], &[Request], &Outcome) -> Result<(), String>) -> usize {
    let cases: Vec<Case> = cases(text);
    let bench = Bench::start();
    let outcomes: Vec<(Vec<Request>, Outcome)> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..AT_ONCE)
            .map(|lane| {
                let (bench, cases) = (&bench, &cases);
                let ask = move |case: &Case| {
                    let octets = case.raw.octets();
                    let sent = strict::requests(&octets);
                    let outcome = bench.ask(&octets, sent.len().min(1));
                    (sent, outcome)
                };
                scope.spawn(move || cases.iter().skip(lane).step_by(AT_ONCE).map(ask).collect::<Vec<_>>())
            })
            .collect();
        let mut lanes: Vec<_> = lanes.into_iter().map(|lane| lane.join().expect("asked").into_iter()).collect();
        (0..cases.len()).map(|case| lanes[case % AT_ONCE].next().expect("a case")).collect()
    });
    let seen = bench.finish();
    let none = Vec::new();
    let of = |client: &Ipv4Addr| seen.by_client.get(client).unwrap_or(&none);
    let mut wrong = seen.wrong.clone();
    for (case, (sent, outcome)) in cases.iter().zip(&outcomes) {
        let came = of(&outcome.client);
        let verdict = if is_part_of(came, sent) {
            judge(case, came, sent, outcome)
        } else {
            Err(format!("other requests than were sent: {came:?}"))
        };
        if let Err(why) = verdict {
            let answer = outcome.answer.get(..200).unwrap_or(&outcome.answer);
            wrong.push(format!("{} {} {}({}): {why}; {answer:?}", case.id, case.title, case.llhttp, case.expect));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    cases.len()
}

#[test]
fn every_raw_request_has_the_verdict_it_is_owed() {
    let judge = |case: &Case, came: &[Request], _: &[Request], outcome: &Outcome| {
        let first = outcome.statuses().first().copied();
        if came.len() > case.max_forwarded.expect("a bound") {
            return Err(format!("{} requests went upstream", came.len()));
        }
        let good = match case.expect.as_str() {
            // Ours are tokens without lower-case letters (LANGUAGE.md), as nginx's.
            "accept" if case.title == "lower-case method" => first == Some(400),
            "accept" | "accept_strip" => first == Some(200) && came.len() == 1,
            "accept_all" => !came.is_empty() && first == Some(200),
            "reject" | "reject_or_abort" => outcome.is_refused() && came.is_empty(),
            "reject_or_close" | "accept_or_reject" => outcome.is_refused() || came.len() <= 1,
            other => return Err(format!("unknown verdict {other}")),
        };
        let leaked = case.must_not_forward.iter().find(|name| {
            // What we say ourselves stands there, what the client said does not: the recorder holds that against it.
            let ours = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].contains(&name.as_str());
            !ours && came.iter().any(|request| request.values(name).next().is_some())
        });
        match (good, leaked) {
            (true, None) => Ok(()),
            (_, Some(name)) => Err(format!("{name} was forwarded")),
            (false, None) => Err(format!("status {first:?}, {} forwarded", came.len())),
        }
    };
    assert_eq!(run(HTTP1, judge), 325);
}

#[test]
fn every_documented_probe_has_the_verdict_it_is_owed() {
    let judge = |case: &Case, came: &[Request], sent: &[Request], outcome: &Outcome| {
        let first = outcome.statuses().first().copied();
        let good = match case.expect.as_str() {
            "accept" => first == Some(200) && came.len() == sent.len(),
            "reject" => outcome.is_refused() && came.is_empty(),
            _ => true,
        };
        if good { Ok(()) } else { Err(format!("status {first:?}, {} forwarded", came.len())) }
    };
    assert_eq!(run(PROBES, judge), 204);
}

#[test]
fn no_fixture_of_another_parser_is_read_as_more_requests_than_stand_there() {
    let judge = |_: &Case, came: &[Request], sent: &[Request], outcome: &Outcome| {
        // Where the letter leaves no doubt and the methods are common, the first is served.
        let is_plain = |request: &Request| {
            ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"].contains(&request.method.as_str())
                && request.target.starts_with('/')
                && request.target.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"/-._".contains(&octet))
                && request.values("host").all(|host| host.iter().all(u8::is_ascii_alphanumeric))
                && request.values("host").next().is_some()
                && request.values("expect").next().is_none()
                && !request.extended
        };
        let must_serve = sent.first().is_some_and(is_plain);
        let first = outcome.statuses().first().copied();
        if must_serve && (first != Some(200) || came.is_empty()) { Err(format!("status {first:?}")) } else { Ok(()) }
    };
    assert_eq!(run(LLHTTP, judge), 166);
}
