//! What cannot be compared, and why; docs/coming-from-nginx.md has each.

use super::client::Answer;
use super::subject::Subject;
use crate::model::{RequestRecord, Verdict, VerdictKind};

impl Subject {
    /// Why the two need not agree; `agree` tells whether they do all the same.
    pub(super) fn on_purpose(
        &self,
        request: &RequestRecord,
        answer: &Answer,
        verdict: &Verdict,
        agree: bool,
    ) -> Option<&'static str> {
        if verdict.needs_fact.is_some() || verdict.needs_plan {
            return Some("something that only the host knows was not said");
        }
        if agree {
            return None;
        }
        let proxied = verdict.verdict == Some(VerdictKind::Proxy);
        let is_bad = verdict.verdict == Some(VerdictKind::Refuse) && verdict.status == Some(400);
        if is_bad && self.instrumented.pages_bad_requests {
            return Some("a request that cannot be read is refused before any rule, error pages too");
        }
        if is_bad && answer.status == 400 {
            return Some("a request that cannot be read is refused before any rule, response fields too");
        }
        if matches!(answer.status, 400 | 405) && verdict.status == Some(405) && request.method == "TRACE" {
            return Some("TRACE is refused before any rule, whatever else is wrong, response fields too");
        }
        if verdict.code == Some("request.target_unsafe") {
            return Some("a target that would be another request line is refused");
        }
        if verdict.forward.as_ref().is_some_and(|forward| !forward.target.starts_with('/')) {
            return Some("a target that does not begin with a slash is not sent");
        }
        if verdict.forward.is_some() && request.target.contains('#') {
            return Some("a fragment is no part of a target");
        }
        if answer.values("location").iter().any(|location| location.contains('\n')) {
            return Some("a Location that holds a line feed is refused");
        }
        let is_file = verdict.upstream.as_ref().is_some_and(|upstream| upstream.starts_with("files"));
        if is_file && answer.received.is_none() && !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Some("what a file server does with other methods than GET is its affair");
        }
        if answer.status == 413 && !proxied {
            return Some("a body that is too large is refused only where it would be sent on");
        }
        if answer.status == 100 && verdict.status != Some(413) {
            return Some("a body of more than 4 MiB is not sent");
        }
        if names_fields(request) {
            return Some("a field that Connection names goes no further, and no rule sees it");
        }
        if answer.status == 500 && verdict.status != Some(500) {
            // PCRE2 gives up on some patterns; a subrequest of `auth_request` can fail for reasons of its own.
            return answer.values("x-rulec-place").is_empty().then_some("nginx gives up on a pattern");
        }
        None
    }
}

/// Whether Connection names another field of the request.
fn names_fields(request: &RequestRecord) -> bool {
    let connection = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let mut named = connection.flat_map(|(_, value)| value.split(','));
    named.any(|name| request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name.trim())))
}
