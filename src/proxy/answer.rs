//! Answers that the gateway makes itself, and the fields of every answer.

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

use super::client::{Head, members};
use super::fault::Fault;
use super::hygiene::Dropped;
use super::upstream::ResponseHead;
use super::verdict::Edit;
use crate::matcher::{EditAction, Side, is_success};

/// An answer without its body.
pub(super) type Parts = hyper::http::response::Parts;

/// An answer of `status` that has no fields yet.
pub(super) fn parts(status: u16) -> Parts {
    let mut parts = Response::new(()).into_parts().0;
    parts.status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    parts
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
pub(super) fn problem(fault: Fault, head: Option<&Head>, request_id: &str) -> (Parts, Bytes) {
    let mut parts = parts(fault.status());
    let (kind, body) = if head.is_some_and(prefers_html) {
        ("text/html; charset=utf-8", page(fault, request_id))
    } else {
        let (title, status, code) = (fault.title(), fault.status(), fault.code());
        let problem = Problem { title, status, code, request_id };
        ("application/problem+json", serde_json::to_string(&problem).unwrap_or_default())
    };
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // What went wrong now may be right at the next request.
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (parts, Bytes::from(body))
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

/// Copies an upstream's fields, less those about its connection.
///
/// None where a field cannot be written again.
pub(super) fn relayed(from: &ResponseHead) -> Option<Parts> {
    let mut parts = parts(from.status);
    let lines = || from.lines.iter().map(|(name, value)| (name.as_ref(), value));
    let connection = lines().filter(|(name, _)| name.eq_ignore_ascii_case(b"connection"));
    let dropped = Dropped::by_connection(connection.map(|(_, value)| value.as_ref()));
    for (name, value) in lines().filter(|(name, _)| !dropped.has(name) || is_framing(name)) {
        if !name.eq_ignore_ascii_case(b"transfer-encoding") {
            let value = HeaderValue::from_maybe_shared(value.clone()).ok()?;
            parts.headers.append(HeaderName::from_bytes(name).ok()?, value);
        }
    }
    Some(parts)
}

/// A Connection that names Content-Length must not take an answer's framing away.
fn is_framing(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"content-length")
}

/// Puts another beginning in place of the one that the upstream gave its Location (nginx: `proxy_redirect`).
fn relocate(edits: &[Edit], headers: &mut HeaderMap) {
    let Some(location) = headers.get(header::LOCATION) else { return };
    let mut rows = edits.iter().filter(|edit| edit.action == EditAction::Relocate);
    let moved = rows.find_map(|edit| {
        let rest = location.as_bytes().strip_prefix(edit.name.as_slice())?;
        HeaderValue::from_bytes(&[edit.value.as_slice(), rest].concat()).ok()
    });
    if let Some(moved) = moved {
        headers.insert(header::LOCATION, moved);
    }
}

/// Applies the response edits of a decision to an answer of `status`.
pub(super) fn apply(edits: &[Edit], status: StatusCode, headers: &mut HeaderMap) {
    let applies = |edit: &&Edit| edit.side == Side::Response && (!edit.on_success || is_success(status.as_u16()));
    relocate(edits, headers);
    for edit in edits.iter().filter(applies).filter(|edit| edit.action != EditAction::Relocate) {
        if edit.action == EditAction::Drop {
            let names: Vec<HeaderName> =
                headers.keys().filter(|name| edit.names(name.as_str().as_bytes())).cloned().collect();
            for name in names {
                headers.remove(name);
            }
            continue;
        }
        // The matcher gives no other names and values; one that hyper would not write is left out.
        let Ok(name) = HeaderName::from_bytes(&edit.name) else { continue };
        let Ok(value) = HeaderValue::from_bytes(&edit.value) else { continue };
        if edit.action == EditAction::Set {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
}
