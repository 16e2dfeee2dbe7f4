//! Answers that the gateway makes itself, and the fields of every answer.

use bytes::Bytes;
use serde::Serialize;

use super::relocation::relocate;
use crate::contract::is_success;
use crate::matcher::{EditAction, Side};
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::http1::{Fields, Head, ResponseHead, members};
use crate::proxy::hygiene::{Dropped, is_one_of};
use crate::proxy::upstream::{Answer, Failure};
use crate::proxy::verdict::Edits;

/// The head of an answer, without what is about one connection only: that is the client side's to write.
#[derive(Debug, Default)]
pub(in crate::proxy) struct AnswerHead {
    pub(in crate::proxy) status: u16,
    pub(in crate::proxy) fields: Fields,
}

/// An answer of `status` that has no fields yet.
pub(super) fn bare(status: u16) -> AnswerHead {
    AnswerHead { status, fields: Fields::default() }
}

/// Whether answers of `status` have no body.
pub(in crate::proxy) fn is_bodiless(status: u16) -> bool {
    status < 200 || status == 204 || status == 304
}

/// RFC 9457.
#[derive(Serialize)]
struct Problem<'p> {
    title: &'p str,
    status: u16,
    code: &'p str,
    request_id: &'p str,
}

/// What the gateway says about `fault`: problem+json, or a page where the client prefers one.
pub(super) fn problem(fault: Fault, head: Option<&Head>, request_id: &str) -> (AnswerHead, Bytes) {
    let mut answer = bare(fault.status());
    let (kind, body) = if head.is_some_and(prefers_html) {
        ("text/html; charset=utf-8", page(fault, request_id))
    } else {
        let (title, status, code) = (fault.title(), fault.status(), fault.code());
        let problem = Problem { title, status, code, request_id };
        ("application/problem+json", serde_json::to_string(&problem).unwrap_or_default())
    };
    answer.fields.push(b"Content-Type", kind.as_bytes());
    // What went wrong now may be right at the next request.
    answer.fields.push(b"Cache-Control", b"no-store");
    (answer, Bytes::from(body))
}

/// Nothing in it comes from the request.
fn page(fault: Fault, request_id: &str) -> String {
    let (status, title, code) = (fault.status(), fault.title(), fault.code());
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{status}</title></head>\
         <body><h1>{status}</h1><p>{title}</p><p><small>{code} &middot; {request_id}</small></p></body></html>\n"
    )
}

/// As browsers ask: HTML by name, JSON not.
fn prefers_html(head: &Head) -> bool {
    let ranges: Vec<&[u8]> = head.values("accept").flat_map(members).collect();
    let has = |name: &str| {
        ranges.iter().any(|range| {
            let mut parts = range.split(|&octet| octet == b';').map(<[u8]>::trim_ascii);
            let named = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(name.as_bytes()));
            named && !parts.any(|part| part == b"q=0" || part == b"q=0.0")
        })
    };
    has("text/html") && !has("application/json") && !has("application/problem+json")
}

/// An upstream's head, less its lines about one connection; `switches` says that it goes on with another protocol.
pub(super) fn relayed(from: ResponseHead, switches: bool) -> AnswerHead {
    let mut fields = from.fields;
    let dropped = Dropped::by_connection(fields.values("connection"));
    // A Connection that names Content-Length must not take an answer's framing away.
    let kept = if switches { "upgrade" } else { "content-length" };
    fields.retain(|name, _| !dropped.has(name) || is_one_of(name, &[kept]));
    AnswerHead { status: from.status, fields }
}

/// Fields in which an application asks its server to send something else in the answer's place: nginx's, and that of
/// Apache and others.
const ELSEWHERE: [&[u8]; 2] = [b"x-accel-redirect", b"x-sendfile"];

/// Refuses an answer that asks for something else to be served where the rules drop the field that asks: the gateway does
/// not serve it, and what is left is mostly an empty body. Where they do not, the field may be meant for a hop in front,
/// and goes on like any other.
pub(super) fn refuse_elsewhere(answer: &Answer, edits: &Edits) -> Result<(), Failure> {
    let success = is_success(answer.head.status);
    let drops = |name: &[u8]| {
        edits.rows.iter().any(|edit| {
            let counts = edit.side == Side::Response && (!edit.on_success || success);
            counts && edit.action == EditAction::Drop && edit.names(name)
        })
    };
    let asks = |name: &&[u8]| ELSEWHERE.iter().any(|have| name.eq_ignore_ascii_case(have)) && drops(name);
    match answer.head.fields.iter().map(|(name, _)| name).find(asks) {
        None => Ok(()),
        Some(name) => {
            let detail = format!("the answer has {}", String::from_utf8_lossy(name));
            Err(Failure::new(UpstreamFault::ResponseAccel).detail(detail).peer(answer.peer))
        }
    }
}

/// Applies the response edits of a decision to an answer.
pub(super) fn apply(edits: &Edits, answer: &mut AnswerHead) {
    let success = is_success(answer.status);
    relocate(edits, &mut answer.fields);
    for edit in edits.rows.iter().filter(|edit| edit.side == Side::Response && (!edit.on_success || success)) {
        if edit.action == EditAction::Relocate {
            continue;
        }
        if edit.action != EditAction::Add {
            answer.fields.retain(|name, _| !edit.names(name));
        }
        if edit.action != EditAction::Drop {
            answer.fields.push(&edit.name, &edit.value);
        }
    }
}
