//! The table: what a server does wrong, and what the gateway has to say of it.

use std::sync::Arc;

use rustls::ServerConfig;

use super::server::{Serve, Spoken, spoken};

/// The name that the gateway asks for and verifies.
pub(super) const NAME: &str = "faulty.test";

/// One fault.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) serve: Serve,
    pub(super) request: Request,
    /// Where nobody of ours serves: its address.
    pub(super) at: Option<String>,
    /// The name server that says where that is.
    pub(super) asks: Option<core::net::SocketAddr>,
    /// More words of the upstream in the rules.
    pub(super) words: String,
    pub(super) code: &'static str,
    /// None where the answer had begun: it is broken off.
    pub(super) status: Option<u16>,
    pub(super) phase: &'static str,
    /// The timer that ends it, in milliseconds.
    pub(super) timer: Option<u64>,
    /// What the hint, or the detail, has to say.
    pub(super) says: &'static str,
    /// How often the server was asked.
    pub(super) attempts: usize,
    /// It ends a connection that others would share: one request after the other.
    pub(super) one_by_one: bool,
    /// Others use its connection.
    pub(super) shares: bool,
    /// The request did not get as far as being sent.
    pub(super) unsent: bool,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Get,
    /// A POST with a small body.
    Post,
    /// A POST with more body than any buffer between holds.
    Upload,
}

pub(super) const DNS: u64 = 350;
pub(super) const CONNECT: u64 = 400;
pub(super) const TLS: u64 = 300;
pub(super) const RESPONSE: u64 = 450;
pub(super) const SEND_TIME: u64 = 550;
pub(super) const IDLE: u64 = 600;
/// While a server drips.
pub(super) const WHOLE: u64 = 700;

pub(super) fn row(name: &'static str, serve: Serve, code: &'static str, status: u16, phase: &'static str) -> Row {
    let status = Some(status);
    Row {
        name,
        serve,
        request: Request::Get,
        at: None,
        asks: None,
        words: String::new(),
        code,
        status,
        phase,
        timer: None,
        says: "",
        attempts: 1,
        one_by_one: name == "reuse",
        shares: false,
        unsent: ["dns", "connect", "tls"].contains(&phase),
    }
}

impl Row {
    /// The timer that is to fire is short; all others are longer than the test waits, however busy the machine is.
    pub(super) fn timers(&self) -> String {
        let time = |timer| if self.timer == Some(timer) { timer } else { 15_000 };
        let (dns, connect, tls) = (time(DNS), time(CONNECT), time(TLS));
        let (response, send, idle) = (time(RESPONSE), time(SEND_TIME), time(IDLE));
        let request = if self.timer == Some(WHOLE) { format!("request={WHOLE}ms") } else { String::new() };
        format!(
            "timeout dns={dns}ms connect={connect}ms tls={tls}ms response={response}ms send={send}ms idle={idle}ms \
             {request};"
        )
    }

    pub(super) fn request(self, request: Request) -> Self {
        Self { request, ..self }
    }

    pub(super) fn words(self, words: &str) -> Self {
        Self { words: words.to_owned(), ..self }
    }

    pub(super) fn timer(self, timer: u64) -> Self {
        Self { timer: Some(timer), ..self }
    }

    pub(super) fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    pub(super) fn broken_off(self) -> Self {
        Self { status: None, ..self }
    }

    pub(super) fn at(self, address: impl Into<String>) -> Self {
        Self { at: Some(address.into()), ..self }
    }

    pub(super) fn one_by_one(self) -> Self {
        Self { one_by_one: true, ..self }
    }

    pub(super) fn attempts(self, attempts: usize) -> Self {
        Self { attempts, ..self }
    }

    pub(super) fn sent(self) -> Self {
        Self { unsent: false, ..self }
    }

    pub(super) fn unsent(self) -> Self {
        Self { unsent: true, ..self }
    }
}

/// What goes wrong with or without TLS: from the request on.
pub(super) fn of_exchanges(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    let mut rows = without_answer(tls);
    rows.extend(in_the_head(tls));
    rows.extend(in_the_body(tls));
    rows
}

pub(super) fn serve(tls: Option<&Arc<ServerConfig>>, script: impl Fn(Spoken) + Send + Sync + 'static) -> Serve {
    spoken(tls.cloned(), script)
}

/// Reads the request, sends `answer`, and ends as `end` says.
pub(super) fn answers(tls: Option<&Arc<ServerConfig>>, answer: impl Into<String>, end: fn(Spoken)) -> Serve {
    let answer = answer.into();
    serve(tls, move |mut spoken| {
        if spoken.request() {
            spoken.send(&answer);
            end(spoken);
        }
    })
}

/// Sends `begin`, and then an octet now and again: no timer between octets ends that.
fn drips(tls: Option<&Arc<ServerConfig>>, begin: &'static str) -> Serve {
    serve(tls, move |mut spoken| {
        if spoken.request() {
            spoken.send(begin);
            spoken.drip();
        }
    })
}

fn without_answer(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    const SEND: &str = "send";
    const FIRST: &str = "first_byte";
    vec![
        row("closes", answers(tls, "", drop), "upstream.closed_before_header", 502, FIRST).says("crashed"),
        row("resets", answers(tls, "", Spoken::reset), "upstream.reset_before_header", 502, FIRST),
        row("is-silent", answers(tls, "", Spoken::hang), "upstream.response.timeout", 504, FIRST).timer(RESPONSE),
        row("closes-on-post", answers(tls, "", drop), "upstream.closed_before_header", 502, FIRST)
            .request(Request::Post),
        row("reuse", serve(tls, closes_when_reused), "upstream.reused_connection_closed", 502, FIRST)
            .request(Request::Post)
            .says("It had been idle for 0."),
        row(
            "stops-reading",
            serve(tls, |mut spoken| {
                spoken.read_some();
                spoken.sulk();
            }),
            "upstream.write_timeout",
            504,
            SEND,
        )
        .request(Request::Upload)
        .timer(SEND_TIME),
        row(
            "resets-an-upload",
            serve(tls, |mut spoken| {
                spoken.read_some();
                spoken.reset();
            }),
            "upstream.write_failed",
            502,
            SEND,
        )
        .request(Request::Upload),
    ]
}

/// Answers the first request of a connection; goes away when the next has come.
fn closes_when_reused(mut spoken: Spoken) {
    if spoken.request() {
        spoken.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        spoken.request();
    }
}

fn in_the_head(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    const HEADER: &str = "header";
    const BOTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let begun = "HTTP/1.1 200 OK\r\nServer: x";
    let line = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let lines = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(1_000));
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1_000);
    vec![
        row("closes-in-head", answers(tls, begun, drop), "upstream.closed_in_header", 502, HEADER),
        row("resets-in-head", answers(tls, begun, Spoken::reset), "upstream.closed_in_header", 502, HEADER),
        row("hangs-in-head", answers(tls, begun, Spoken::hang), "upstream.response.header_timeout", 504, HEADER)
            .timer(IDLE),
        row("long-line", answers(tls, line, Spoken::hang), "upstream.response.head_too_large", 502, HEADER),
        row("many-lines", answers(tls, lines, Spoken::hang), "upstream.response.head_too_large", 502, HEADER),
        row("endless-1xx", answers(tls, interim, Spoken::hang), "upstream.response.interim_endless", 502, HEADER),
        row("length-and-coding", answers(tls, BOTH, Spoken::hang), "upstream.response.framing", 502, HEADER),
        row(
            "two-lengths",
            answers(tls, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", Spoken::hang),
            "upstream.response.framing",
            502,
            HEADER,
        ),
        row(
            "unasked-101",
            answers(tls, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", Spoken::hang),
            "upstream.response.unasked_upgrade",
            502,
            HEADER,
        ),
        row(
            "ssh",
            answers(tls, "SSH-2.0-OpenSSH_9.2\r\n\r\n", Spoken::hang),
            "upstream.response.malformed",
            502,
            HEADER,
        ),
        row("drips-a-head", drips(tls, "HTTP/1.1 200 OK\r\nX: "), "upstream.request_timeout", 504, "body").timer(WHOLE),
        row(
            "bare-lf",
            answers(tls, "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", Spoken::hang),
            "upstream.response.malformed",
            502,
            HEADER,
        ),
    ]
}

fn in_the_body(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    const BODY: &str = "body";
    let sized = "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\nhello";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let within = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9000\r\nhello";
    let broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nX\r\n";
    let mut rows = vec![
        row("cut-length", answers(tls, sized, drop), "upstream.body.truncated", 0, BODY),
        row("reset-length", answers(tls, sized, Spoken::reset), "upstream.body.truncated", 0, BODY),
        row("cut-chunks", answers(tls, chunks, drop), "upstream.body.truncated", 0, BODY),
        row("cut-chunk", answers(tls, within, drop), "upstream.body.truncated", 0, BODY),
        row("broken-chunks", answers(tls, broken, Spoken::hang), "upstream.body.malformed", 0, BODY),
        row("hangs-in-body", answers(tls, sized, Spoken::hang), "upstream.body.timeout", 0, BODY).timer(IDLE),
        row("drips-a-body", drips(tls, sized), "upstream.request_timeout", 0, BODY).timer(WHOLE),
        row("drips-chunks", drips(tls, within), "upstream.request_timeout", 0, BODY).timer(WHOLE),
        row("hangs-in-chunks", answers(tls, chunks, Spoken::hang), "upstream.body.timeout", 0, BODY).timer(IDLE),
    ];
    if tls.is_some() {
        let open = "HTTP/1.1 200 OK\r\n\r\nhello";
        rows.push(row("cut-without-alert", answers(tls, open, drop), "upstream.body.truncated", 0, BODY));
    }
    rows.into_iter().map(Row::broken_off).collect()
}
