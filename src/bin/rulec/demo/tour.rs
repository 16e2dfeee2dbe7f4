//! Walks through test cases with real requests: what was sent, what came back, and which rule is why.

use super::client::{self, Answer};
use super::files::player;
use super::gateway::{FAILING_KEY, Gateway};
use super::show::Show;
use rulec::analysis::cases::describe;
use rulec::analysis::record::decide_record;
use rulec::matcher::Scratch;
use rulec::model::{Expectation, RequestRecord, TestCase, Verdict};

/// Sends the request of `case` through `gateway`; the text to show, and whether the answer is as the case expects.
pub(crate) fn step(gateway: &Gateway, case: &TestCase, scratch: &mut Scratch, show: Show) -> (String, bool) {
    let mut record = case.request.clone();
    if record.host.is_none() {
        record.host = gateway.ready.manifest.services.first().and_then(|service| service.host.clone());
    }
    let verdict = decide_record(&gateway.ready.matcher, &gateway.ready.manifest, &record, scratch);
    let verdict = verdict.unwrap_or_default();
    let extra = credential(gateway, &record);
    let (answer, wrong) = match client::send(gateway.address, &record, &extra) {
        Ok(answer) => {
            let wrong = difference(&case.expectation, &record, &answer);
            (answer_cell(&answer), wrong)
        }
        Err(error) => (vec![format!("no answer: {error}")], Some("an answer".to_owned())),
    };
    let text = show.answer(&request_cell(&case.request), &answer, &reason_cell(gateway, &verdict), wrong.as_deref());
    (text, wrong.is_none())
}

/// The header line that makes the caller what `record` says.
fn credential(gateway: &Gateway, record: &RequestRecord) -> Vec<(String, String)> {
    let key = match record.plan.as_deref() {
        None | Some("?missing") => return Vec::new(),
        Some("?unknown") => "a-key-that-nobody-knows",
        Some("?failed") => FAILING_KEY,
        Some(plan) => gateway.keys.get(plan).map_or("", String::as_str),
    };
    gateway.header().map(|header| (header.to_owned(), key.to_owned())).into_iter().collect()
}

/// What was expected, where `answer` is something else.
fn difference(expectation: &Expectation, record: &RequestRecord, answer: &Answer) -> Option<String> {
    match expectation {
        Expectation::Close => answer.status.map(|_| "no answer".to_owned()),
        Expectation::Status(status, text) => {
            let said = answer.header("location").unwrap_or(&answer.body);
            let same_text = record.method == "HEAD" && answer.header("location").is_none()
                || text.as_deref().is_none_or(|text| text == said);
            let same = answer.status == Some(*status) && same_text;
            (!same).then(|| format!("{status} {}", text.as_deref().unwrap_or("")))
        }
        Expectation::Proxy { upstream, target, headers } => {
            let target = target.as_ref().map(|target| format!("{} {target}", record.method));
            let received = answer.header("x-received");
            let same = answer.status == Some(200)
                && answer.header("x-received-by") == Some(player(upstream))
                && (target.is_none() || target.as_deref() == received)
                && headers.iter().all(|(name, value)| has_line(answer, name, value));
            (!same).then(|| format!("{upstream} receives {}", target.unwrap_or_default()))
        }
    }
}

/// Whether the upstream says that it received this header line.
fn has_line(answer: &Answer, name: &str, value: &str) -> bool {
    let wanted = format!("{}: {value}", name.to_ascii_lowercase());
    answer.body.lines().any(|line| line == wanted)
}

fn request_cell(record: &RequestRecord) -> Vec<String> {
    let host = record.host.as_deref().unwrap_or("");
    let mut cell = vec![format!("{} {}://{host}{}", record.method, record.scheme, record.target)];
    cell.extend(record.headers.iter().map(|(name, value)| format!("  {name}: {value}")));
    cell.extend(record.plan.as_ref().map(|plan| match plan.as_str() {
        "?missing" => "  without a key".to_owned(),
        "?unknown" => "  with a key that nobody knows".to_owned(),
        "?failed" => "  with a key, the lookup failing".to_owned(),
        plan => format!("  with a key of plan {plan}"),
    }));
    cell.extend((record.body > 0).then(|| format!("  with a body of {} octets", record.body)));
    cell
}

fn answer_cell(answer: &Answer) -> Vec<String> {
    let Some(status) = answer.status else {
        return vec!["closed without an answer".to_owned()];
    };
    if let (Some(upstream), Some(received)) = (answer.header("x-received-by"), answer.header("x-received")) {
        let body = answer.body.split_once("\n\n").map_or(0, |(_, body)| body.len());
        let over = answer.header("x-received-over").unwrap_or("");
        let mut cell = vec![format!("{status} from {upstream} ({over}),"), format!("which got {received}")];
        cell.extend((body > 0).then(|| format!("and {body} octets of body")));
        return cell;
    }
    if let Some(location) = answer.header("location") {
        return vec![status.to_string(), location.to_owned()];
    }
    let problem: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    let code = problem.as_ref().and_then(|problem| problem.get("code")?.as_str());
    let mut cell = vec![match code {
        Some(code) => format!("{status} {code}"),
        None => format!("{status} {}", answer.body),
    }];
    cell.extend(answer.header("allow").map(|allow| format!("Allow: {allow}")));
    cell
}

/// The rule that decided and its line; before any rule, the check that did.
fn reason_cell(gateway: &Gateway, verdict: &Verdict) -> Vec<String> {
    let manifest = &gateway.ready.manifest;
    let line = |place: &str| place.split(':').nth(1).map(|line| format!("line {line}"));
    if let Some(display) = &verdict.location {
        let location = manifest.locations.iter().find(|location| location.display == *display);
        let mut cell = vec![format!("location {display}")];
        cell.extend(location.and_then(|location| line(&location.place)));
        return cell;
    }
    if let Some(name) = &verdict.service {
        let service = manifest.services.iter().find(|service| service.name == *name);
        let mut cell = vec![format!("service {name}")];
        cell.extend(service.and_then(|service| line(&service.place)));
        return cell;
    }
    vec![verdict.code.map_or_else(|| describe(verdict), |_| "no service".to_owned())]
}
