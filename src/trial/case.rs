//! Whether a policy does with a request what a line of a `test` block expects.

use super::record::{Lines, RecordError, latin1, verdict, with_decision};
use crate::contract::cases::{Expectation, RequestRecord};
use crate::contract::field_name::{begins_with, is_same};
use crate::contract::manifest::Manifest;
use crate::contract::verdict::{Verdict, VerdictKind};
use crate::matcher::{Decision, EditAction, Matcher, Request, Scratch, Side};

/// Why the line fails; None: it is as expected.
pub fn failure<B: AsRef<[u8]>>(
    matcher: &Matcher<B>,
    manifest: &Manifest,
    request: &RequestRecord,
    expectation: &Expectation,
    scratch: &mut Scratch,
) -> Option<String> {
    let checked = with_decision(matcher, manifest, request, scratch, |request, decision| {
        let sent = head_sent(request, decision);
        mismatch(expectation, &verdict(manifest, request, decision), &sent)
    });
    checked.unwrap_or_else(|error: RecordError| Some(error.to_string()))
}

/// How `verdict` differs from what is expected; None: it does not.
fn mismatch(expectation: &Expectation, verdict: &Verdict, sent: &Lines) -> Option<String> {
    let got = describe(verdict);
    if verdict.needs_plan {
        return Some("the answer depends on the caller: add `plan=NAME` or `plan=?missing`".to_owned());
    }
    if let Some(fact) = &verdict.needs_fact {
        return Some(format!("the answer depends on a fact: add `fact {fact}=VALUE`"));
    }
    match expectation {
        Expectation::Close => (verdict.verdict != Some(VerdictKind::Close)).then_some(got),
        Expectation::Status(status, text) => {
            let said = verdict.redirect.as_ref().or(verdict.body.as_ref());
            let same = verdict.status == Some(*status) && (text.is_none() || text.as_ref() == said);
            (!same).then_some(got)
        }
        Expectation::Proxy { upstream, target, headers } => {
            let forward = verdict.forward.as_ref();
            let same_target = target.is_none() || target.as_ref() == forward.map(|forward| &forward.target);
            if verdict.upstream.as_ref() != Some(upstream) || !same_target {
                return Some(got);
            }
            let host = forward.and_then(|forward| forward.host.as_deref());
            headers.iter().find_map(|header| missing_line(header, host, sent))
        }
    }
}

/// What is said where the head that is sent does not hold the line `name: value`.
fn missing_line((name, value): &(String, String), host: Option<&str>, sent: &Lines) -> Option<String> {
    let values: Vec<String> = if name.eq_ignore_ascii_case("host") {
        host.map(str::to_owned).into_iter().collect()
    } else {
        let of_name = sent.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name.as_bytes()));
        of_name.map(|(_, value)| latin1(value)).collect()
    };
    if values.contains(value) {
        return None;
    }
    if values.is_empty() {
        return Some(format!("no `{name}` is sent"));
    }
    Some(format!("`{name}: {}` is sent", values.join(", ")))
}

/// The verdict in a few words: `proxy s3 "/a"`, `403 "staging is read-only"`, `404 request.no_location`.
pub fn describe(verdict: &Verdict) -> String {
    match verdict.verdict {
        None => match &verdict.needs_fact {
            Some(fact) => format!("the fact `{fact}` is needed"),
            None => "the caller's plan is needed".to_owned(),
        },
        Some(VerdictKind::Close) => "close".to_owned(),
        Some(VerdictKind::Proxy) => {
            let target = verdict.forward.as_ref().map_or("", |forward| forward.target.as_str());
            format!("proxy {} {target:?}", verdict.upstream.as_deref().unwrap_or("?"))
        }
        Some(VerdictKind::Redirect | VerdictKind::Respond | VerdictKind::Refuse) => {
            let status = verdict.status.unwrap_or_default();
            let said = verdict.redirect.as_ref().or(verdict.body.as_ref());
            match (said, verdict.code) {
                (Some(said), _) => format!("{status} {said:?}"),
                (None, Some(code)) => format!("{status} {code}"),
                (None, None) => status.to_string(),
            }
        }
    }
}

/// The request's lines as the rules leave them for the upstream; what every proxy drops or adds by itself is not in it.
fn head_sent(request: &Request<'_>, decision: &Decision<'_>) -> Lines {
    let is_omitted = |line: &usize| decision.omitted().any(|omitted| omitted.line == *line);
    let sent = (0..).zip(request.headers).filter(|(line, _)| !is_omitted(line));
    let mut lines: Lines = sent.map(|(_, (name, value))| (name.to_vec(), value.to_vec())).collect();
    for edit in decision.edits().filter(|edit| edit.side == Side::Request) {
        if edit.action != EditAction::Add {
            lines.retain(|(name, _)| !names(edit.name, name));
        }
        if edit.action != EditAction::Drop {
            lines.push((edit.name.to_vec(), edit.value.to_vec()));
        }
    }
    lines
}

/// Whether `pattern`, which may end in `*`, names the header `name` of a request.
fn names(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.strip_suffix(b"*") {
        Some(start) => begins_with(name, start),
        None => is_same(name, pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::verdict::Forward;

    fn lines(lines: &[(&str, &str)]) -> Lines {
        lines.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
    }

    fn proxied(upstream: &str, target: &str) -> Verdict {
        let forward = Forward { target: target.to_owned(), host: Some("h".to_owned()), ..Forward::default() };
        Verdict {
            verdict: Some(VerdictKind::Proxy),
            upstream: Some(upstream.to_owned()),
            forward: Some(forward),
            ..Verdict::default()
        }
    }

    fn expect_proxy(target: Option<&str>, headers: &[(&str, &str)]) -> Expectation {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Expectation::Proxy { upstream: "app".to_owned(), target: target.map(str::to_owned), headers }
    }

    #[test]
    fn upstream_target_and_lines_count_where_they_are_said() {
        let check = |expectation: &Expectation, failure: Option<&str>| {
            let sent = lines(&[("x-a", "1"), ("X-A", "2")]);
            assert_eq!(mismatch(expectation, &proxied("app", "/t"), &sent).as_deref(), failure);
        };
        check(&expect_proxy(None, &[]), None);
        check(&expect_proxy(Some("/t"), &[("X-A", "2"), ("Host", "h")]), None);
        check(&expect_proxy(Some("/u"), &[]), Some("proxy app \"/t\""));
        check(&expect_proxy(None, &[("X-A", "3")]), Some("`X-A: 1, 2` is sent"));
        check(&expect_proxy(None, &[("X-B", "3")]), Some("no `X-B` is sent"));
        check(&Expectation::Status(200, None), Some("proxy app \"/t\""));
    }

    #[test]
    fn a_text_is_the_body_or_the_location() {
        let verdict = Verdict { status: Some(307), redirect: Some("/a".to_owned()), ..Verdict::default() };
        assert_eq!(mismatch(&Expectation::Status(307, Some("/a".to_owned())), &verdict, &lines(&[])), None);
        assert!(mismatch(&Expectation::Status(307, Some("/b".to_owned())), &verdict, &lines(&[])).is_some());
        assert!(mismatch(&Expectation::Status(308, None), &verdict, &lines(&[])).is_some());
    }

    #[test]
    fn a_case_that_needs_a_plan_says_so() {
        let verdict = Verdict { needs_plan: true, ..Verdict::default() };
        let failure = mismatch(&Expectation::Status(200, None), &verdict, &lines(&[]));
        assert!(failure.is_some_and(|failure| failure.contains("plan=NAME")));
    }

    #[test]
    fn a_star_stands_for_the_rest_of_a_name() {
        assert!(names(b"X-Amz-*", b"x-amz-id") && names(b"*", b"a") && names(b"A", b"a"));
        assert!(!names(b"x-amz-*", b"x-am") && !names(b"a", b"ab"));
    }
}
