//! Whether a verdict and a reply of nginx are the same; and where they may differ on purpose.

use super::peer::{Ask, Reply};
use crate::corpora::escaped_location;
use rulec::contract::is_success;
use rulec::model::{Forward, Verdict, VerdictKind};

/// None where they agree or must not be compared, else what differs.
pub(super) fn difference(ask: &Ask, verdict: &Verdict, reply: &Reply) -> Option<String> {
    if is_not_compared(verdict, reply) {
        return None;
    }
    let of_answer = match verdict.verdict {
        None => Some(format!("needs {:?}", verdict.needs_fact)),
        Some(VerdictKind::Close) => reply.status.map(|status| format!("close, nginx {status}")),
        Some(VerdictKind::Proxy) => proxied(ask, verdict, reply),
        Some(VerdictKind::Redirect) => {
            let redirect: Vec<String> = reply.values("location").into_iter().map(escaped_location).collect();
            let same = verdict.status == reply.status
                && redirect == verdict.redirect.as_deref().map(escaped_location).into_iter().collect::<Vec<_>>();
            (!same)
                .then(|| format!("{:?} {:?}, nginx {:?} {redirect:?}", verdict.status, verdict.redirect, reply.status))
        }
        Some(VerdictKind::Respond) => {
            let has_body = ask.method != "HEAD" && verdict.status != Some(204);
            let same_text = !has_body || verdict.body.as_ref().is_none_or(|text| *text == reply.body);
            let same = verdict.status == reply.status && same_text;
            (!same)
                .then(|| format!("{:?} {:?}, nginx {:?} {:?}", verdict.status, verdict.body, reply.status, reply.body))
        }
        Some(VerdictKind::Refuse) => {
            let same = verdict.status == reply.status;
            (!same).then(|| format!("{:?} {:?}, nginx {:?}", verdict.status, verdict.code, reply.status))
        }
    };
    of_answer.or_else(|| headers(verdict, reply))
}

/// What is another on purpose (docs/coming-from-nginx.md says why), or nobody's decision.
fn is_not_compared(verdict: &Verdict, reply: &Reply) -> bool {
    let target = verdict.forward.as_ref().map(|forward| forward.target.as_str());
    let is_file = verdict.upstream.as_deref() == Some("files");
    // nginx looks for a file.
    let no_answer = matches!(verdict.code, Some("request.no_location" | "request.no_answer"))
        && !reply.body.starts_with("E|")
        || verdict.location.is_none() && matches!(reply.status, Some(403..=405));
    // What would break a head is not sent.
    let is_unsafe = verdict.code == Some("request.target_unsafe");
    // A rewrite has left a path without its slash: nginx sends a broken request line.
    let is_broken = target.is_some_and(|target| !target.starts_with('/'));
    // A redirect to a path begins with one slash.
    let slashes = |url: &str| {
        url.strip_prefix("http://")
            .and_then(|url| url.split_once('/'))
            .is_some_and(|(_, path)| path.starts_with(['/', '\\']))
    };
    let collapses = reply.values("location").into_iter().any(slashes);
    is_file || no_answer || is_unsafe || is_broken || collapses
}

fn proxied(ask: &Ask, verdict: &Verdict, reply: &Reply) -> Option<String> {
    let forward = verdict.forward.as_ref()?;
    let status = verdict.status.unwrap_or(200);
    let wanted = echoed(ask, forward);
    let same = reply.status == Some(status) && (ask.method == "HEAD" || reply.body == wanted);
    (!same).then(|| format!("{status} {wanted}, nginx {:?} {}", reply.status, reply.body))
}

/// What the upstream says that it received.
fn echoed(ask: &Ask, forward: &Forward) -> String {
    let method = forward.method.as_deref().unwrap_or(ask.method);
    let set = |name: &str| {
        let lines = forward.headers.set.iter().chain(&forward.headers.add);
        lines.filter(|(own, _)| own == name).map(|(_, value)| value.clone()).next_back()
    };
    let host = set("Host").or_else(|| forward.host.clone()).unwrap_or_default();
    let (own, other) = (set("X-Loc").unwrap_or_default(), set("X-P").unwrap_or_default());
    let length = if forward.body == "none" { String::new() } else { ask.body.len().to_string() };
    format!("E|{method}|{host}|{own}|{other}|{length}|{}", forward.target)
}

/// The fields that `add_header` and `expires` put into the answer. Where a location's statements do not run, nginx does
/// not ask its `if`s either; guarded settings count here.
fn headers(verdict: &Verdict, reply: &Reply) -> Option<String> {
    let status = reply.status?;
    let adds_slash = verdict.uri.as_deref().zip(verdict.redirect.as_deref()).is_some_and(|(uri, redirect)| {
        status == 301 && !uri.ends_with('/') && redirect.split('?').next().is_some_and(|path| path.ends_with('/'))
    });
    let mut lines: Vec<&(String, String)> = verdict.response.set.iter().chain(&verdict.response.add).collect();
    if verdict.verdict == Some(VerdictKind::Proxy) && is_success(status) {
        lines.extend(verdict.response_on_success.set.iter().chain(&verdict.response_on_success.add));
    }
    // An error page leads there, of a location that is `internal`, too.
    let by_page = verdict.redirect.as_deref().is_some_and(|url| url.starts_with("http://e.test"));
    let runs = !adds_slash && !by_page && verdict.code != Some("request.internal_only");
    if !runs && lines.iter().any(|(own, _)| own == "X-If") {
        return None;
    }
    ["X-A", "X-B", "X-If", "Cache-Control"].into_iter().find_map(|name| {
        let wanted: Vec<&str> = lines.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect();
        // A value with a control byte is not sent.
        let got: Vec<&str> =
            reply.values(name).into_iter().filter(|value| !value.bytes().any(|byte| byte.is_ascii_control())).collect();
        (got != wanted).then(|| format!("{name}: {wanted:?}, nginx {got:?}"))
    })
}
