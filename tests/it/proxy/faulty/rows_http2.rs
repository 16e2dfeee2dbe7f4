//! The table for servers of HTTP/2.

use core::time::Duration;
use std::sync::Arc;
use std::thread;

use h2::Reason;
use rustls::{ALL_VERSIONS, ServerConfig};

use super::REPETITIONS;
use super::frames::{Frames, NO_WINDOW, Then, field, http2, status, ten};
use super::rows::{IDLE, NAME, RESPONSE, Request, Row, SEND_TIME, WHOLE, answers, row, serve};
use super::server::{Serve, Spoken};
use crate::proxy::identity::Authority;

/// What goes wrong with or without TLS.
pub(super) fn of_http2(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    let mut rows = before_requests(tls);
    rows.extend(without_answer(tls));
    rows.extend(in_the_head(tls));
    rows.extend(in_the_body(tls));
    rows
}

fn each(tls: Option<&Arc<ServerConfig>>, script: impl Fn(&mut Frames, u32) -> Then + Send + Sync + 'static) -> Serve {
    http2(tls, &[], script)
}

const FIRST: &str = "first_byte";

/// The server does not get as far as HTTP/2.
fn before_requests(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    let http1 = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let silent = || serve(tls, Spoken::hang);
    vec![
        row("speaks-http1", answers(tls, http1, Spoken::hang), "upstream.http2.not_offered", 502, "tls"),
        row("no-settings", silent(), "upstream.response.timeout", 504, FIRST).timer(RESPONSE).unsent(),
        row(
            "closes-at-once",
            serve(tls, |mut spoken| {
                spoken.read_some();
                spoken.finish();
            }),
            "upstream.closed_before_header",
            502,
            FIRST,
        )
        .unsent(),
    ]
}

fn without_answer(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    const CLOSED: &str = "upstream.closed_before_header";
    vec![
        row("closes", each(tls, |_, _| Then::Close), CLOSED, 502, FIRST).one_by_one(),
        row("resets", each(tls, |_, _| Then::Reset), "upstream.reset_before_header", 502, FIRST).one_by_one(),
        row("closes-on-post", each(tls, |_, _| Then::Close), CLOSED, 502, FIRST).request(Request::Post).one_by_one(),
        row("is-silent", each(tls, |_, _| Then::Next), "upstream.response.timeout", 504, FIRST).timer(RESPONSE),
        row(
            "reuse",
            each(tls, |frames, stream| {
                if stream > 1 {
                    return Then::Close;
                }
                frames.only_head(stream, &status("200"));
                Then::Next
            }),
            "upstream.reused_connection_closed",
            502,
            FIRST,
        )
        .request(Request::Post)
        .says("It had been idle for 0."),
        row("resets-stream", resets(tls, Reason::INTERNAL_ERROR), "upstream.http2.reset", 502, FIRST)
            .request(Request::Post)
            .says("internal error"),
        // It says that it did nothing: the request is sent again, once.
        row("refuses-stream", resets(tls, Reason::REFUSED_STREAM), "upstream.http2.reset", 502, FIRST)
            .request(Request::Get)
            .attempts(2)
            .says("before processing"),
        row(
            "goaway-below",
            each(tls, |frames, _| {
                frames.goaway(0, Reason::NO_ERROR);
                Then::Close
            }),
            "upstream.http2.goaway",
            502,
            FIRST,
        )
        .attempts(2)
        .one_by_one(),
        // It may have done it, so that nobody sends it again.
        row(
            "goaway-above",
            each(tls, |frames, stream| {
                frames.goaway(stream, Reason::INTERNAL_ERROR);
                Then::Close
            }),
            CLOSED,
            502,
            FIRST,
        )
        .request(Request::Post)
        .one_by_one(),
        row("no-window", http2(tls, NO_WINDOW, |_, _| Then::Next), "upstream.write_timeout", 504, "send")
            .request(Request::Post)
            .timer(SEND_TIME),
    ]
}

fn resets(tls: Option<&Arc<ServerConfig>>, reason: Reason) -> Serve {
    each(tls, move |frames, stream| {
        frames.reset(stream, reason);
        Then::Next
    })
}

/// Sends `block` as the head of the answer, and more of it as `then` says.
fn heads(tls: Option<&Arc<ServerConfig>>, block: Vec<u8>, then: fn(&mut Frames, u32) -> Then) -> Serve {
    each(tls, move |frames, stream| {
        frames.head(stream, &block);
        then(frames, stream)
    })
}

fn in_the_head(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    const HEADER: &str = "header";
    let next = |_: &mut Frames, _| Then::Next;
    let lines = [status("200"), field("x", "y").repeat(1_000)].concat();
    let lengths = [ten(), field("content-length", "11")].concat();
    let connection = [status("200"), field("connection", "close")].concat();
    vec![
        // Nobody but the library knows that a head had begun.
        row(
            "half-a-head",
            each(tls, |frames, stream| {
                frames.half_a_head(stream, &status("200"));
                Then::Close
            }),
            "upstream.closed_before_header",
            502,
            FIRST,
        )
        .one_by_one(),
        row("many-lines", heads(tls, lines, next), "upstream.response.head_too_large", 502, HEADER),
        row("two-lengths", heads(tls, lengths, next), "upstream.response.malformed", 502, HEADER),
        row("connection-line", heads(tls, connection, next), "upstream.response.malformed", 502, HEADER),
        row("unasked-101", heads(tls, status("101"), next), "upstream.response.unasked_upgrade", 502, HEADER),
        row(
            "endless-1xx",
            each(tls, |frames, stream| {
                (0..100).for_each(|_| frames.head(stream, &status("103")));
                Then::Next
            }),
            "upstream.response.interim_endless",
            502,
            HEADER,
        ),
        row(
            "length-without-body",
            each(tls, |frames, stream| {
                frames.only_head(stream, &ten());
                Then::Next
            }),
            "upstream.response.malformed",
            502,
            HEADER,
        ),
    ]
}

fn in_the_body(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    const BODY: &str = "body";
    fn half(frames: &mut Frames, stream: u32, then: Then) -> Then {
        frames.data(stream, b"hello");
        then
    }
    let closes = |frames: &mut Frames, stream| half(frames, stream, Then::Close);
    let next = |frames: &mut Frames, stream| half(frames, stream, Then::Next);
    let rows = vec![
        row("cut-length", heads(tls, ten(), closes), "upstream.body.truncated", 0, BODY).one_by_one(),
        row("cut-open", heads(tls, status("200"), closes), "upstream.body.truncated", 0, BODY).one_by_one(),
        row(
            "reset-length",
            heads(tls, ten(), |frames, stream| half(frames, stream, Then::Reset)),
            "upstream.body.truncated",
            0,
            BODY,
        )
        .one_by_one(),
        row("goaway-in-body", heads(tls, ten(), goes_away), "upstream.body.truncated", 0, BODY).one_by_one(),
        row("hangs-in-body", heads(tls, ten(), next), "upstream.body.timeout", 0, BODY).timer(IDLE),
        row("drips-bodies", each(tls, drips), "upstream.request_timeout", 0, BODY).timer(WHOLE),
        row("stream-reset-in-body", heads(tls, ten(), breaks), "upstream.http2.reset", 0, BODY).says("internal error"),
        row("stream-left-in-body", heads(tls, status("200"), leaves), "upstream.http2.reset", 0, BODY),
        row(
            "ends-too-early",
            heads(tls, ten(), |frames, stream| {
                frames.last_data(stream, b"hello");
                Then::Next
            }),
            "upstream.body.malformed",
            0,
            BODY,
        ),
        row(
            "goes-on",
            heads(tls, ten(), |frames, stream| {
                frames.last_data(stream, b"hello, and more");
                Then::Next
            }),
            "upstream.body.malformed",
            0,
            BODY,
        ),
    ];
    rows.into_iter().map(Row::broken_off).collect()
}

/// All answers get an octet now and again, for longer than anybody waits here: no timer between octets ends that.
fn drips(frames: &mut Frames, stream: u32) -> Then {
    let all = (1..).step_by(2).take(REPETITIONS);
    if all.clone().last() == Some(stream) {
        all.clone().for_each(|stream| frames.head(stream, &status("200")));
        for _ in 0..60 {
            thread::sleep(Duration::from_millis(20));
            all.clone().for_each(|stream| frames.data(stream, b"x"));
        }
    }
    Then::Next
}

fn goes_away(frames: &mut Frames, stream: u32) -> Then {
    frames.data(stream, b"hello");
    frames.goaway(stream, Reason::INTERNAL_ERROR);
    Then::Close
}

fn breaks(frames: &mut Frames, stream: u32) -> Then {
    frames.data(stream, b"hello");
    frames.reset(stream, Reason::INTERNAL_ERROR);
    Then::Next
}

fn leaves(frames: &mut Frames, stream: u32) -> Then {
    frames.data(stream, b"hello");
    frames.reset(stream, Reason::NO_ERROR);
    Then::Next
}

/// What goes wrong in a handshake that HTTP/2 is to be agreed on in.
pub(super) fn of_agreements(authority: &Authority, other: &Authority) -> Vec<Row> {
    let good = authority.certify(&[NAME], 2000, 2090);
    let speaks = |protocols: &[&[u8]], clients| {
        let versions: &[_] = if clients { &[&rustls::version::TLS13] } else { ALL_VERSIONS };
        let mut config = good.server(versions, clients.then_some(other));
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        each(Some(&Arc::new(config)), |_, _| Then::Next)
    };
    let rows = vec![
        row("chooses-nothing", speaks(&[], false), "upstream.http2.not_offered", 502, "tls"),
        row("only-http1", speaks(&[b"http/1.1"], false), "upstream.tls.no_application_protocol", 502, "tls"),
        row("mutual", speaks(&[b"h2"], true), "upstream.tls.client_certificate", 502, "tls"),
    ];
    rows.into_iter().map(|row| row.words(&format!("host {NAME}; tls {{ }} protocol http2;"))).collect()
}
