//! The table: what a server does wrong, and what the gateway has to say of it.

use std::io::Write as _;
use std::sync::Arc;

use rustls::{ALL_VERSIONS, ServerConfig};

use super::certificates::{Authority, NAME};
use super::server::{Serve, Spoken, hello, reset, spoken, wait_for_end};

/// One fault.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) serve: Serve,
    pub(super) request: Request,
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

const TLS: u64 = 300;
const RESPONSE: u64 = 450;
const SEND_TIME: u64 = 550;
const IDLE: u64 = 600;

fn row(name: &'static str, serve: Serve, code: &'static str, status: u16, phase: &'static str) -> Row {
    let status = Some(status);
    Row { name, serve, request: Request::Get, words: String::new(), code, status, phase, timer: None, says: "" }
}

impl Row {
    /// The timer that is to fire is short; all others are longer than the test waits, however busy the machine is.
    pub(super) fn timers(&self) -> String {
        let time = |timer| if self.timer == Some(timer) { timer } else { 15_000 };
        let (tls, response, send, idle) = (time(TLS), time(RESPONSE), time(SEND_TIME), time(IDLE));
        format!("timeout connect=15s tls={tls}ms response={response}ms send={send}ms idle={idle}ms;")
    }

    fn request(self, request: Request) -> Self {
        Self { request, ..self }
    }

    fn words(self, words: &str) -> Self {
        Self { words: words.to_owned(), ..self }
    }

    fn timer(self, timer: u64) -> Self {
        Self { timer: Some(timer), ..self }
    }

    fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    fn broken_off(self) -> Self {
        Self { status: None, ..self }
    }
}

/// What goes wrong with or without TLS: from the request on.
pub(super) fn of_exchanges(tls: Option<&Arc<ServerConfig>>) -> Vec<Row> {
    let mut rows = without_answer(tls);
    rows.extend(in_the_head(tls));
    rows.extend(in_the_body(tls));
    rows
}

fn serve(tls: Option<&Arc<ServerConfig>>, script: impl Fn(Spoken) + Send + Sync + 'static) -> Serve {
    spoken(tls.cloned(), script)
}

/// Reads the request, sends `answer`, and ends as `end` says.
fn answers(tls: Option<&Arc<ServerConfig>>, answer: impl Into<String>, end: fn(Spoken)) -> Serve {
    let answer = answer.into();
    serve(tls, move |mut spoken| {
        if spoken.request() {
            spoken.send(&answer);
            end(spoken);
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
    let sized = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let within = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello";
    let broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nX\r\n";
    let mut rows = vec![
        row("cut-length", answers(tls, sized, drop), "upstream.body.truncated", 0, BODY),
        row("reset-length", answers(tls, sized, Spoken::reset), "upstream.body.truncated", 0, BODY),
        row("cut-chunks", answers(tls, chunks, drop), "upstream.body.truncated", 0, BODY),
        row("cut-chunk", answers(tls, within, drop), "upstream.body.truncated", 0, BODY),
        row("broken-chunks", answers(tls, broken, Spoken::hang), "upstream.body.malformed", 0, BODY),
        row("hangs-in-body", answers(tls, sized, Spoken::hang), "upstream.body.timeout", 0, BODY).timer(IDLE),
        row("hangs-in-chunks", answers(tls, chunks, Spoken::hang), "upstream.body.timeout", 0, BODY).timer(IDLE),
    ];
    if tls.is_some() {
        let open = "HTTP/1.1 200 OK\r\n\r\nhello";
        rows.push(row("cut-without-alert", answers(tls, open, drop), "upstream.body.truncated", 0, BODY));
    }
    rows.into_iter().map(Row::broken_off).collect()
}

/// What goes wrong in a handshake.
pub(super) fn of_handshakes(authority: &Authority, other: &Authority) -> Vec<Row> {
    let mut rows = of_hellos();
    rows.extend(of_certificates(authority, other));
    rows
}

const PHASE: &str = "tls";

/// The handshake ends before a certificate is seen.
fn of_hellos() -> Vec<Row> {
    let named = format!("host {NAME}; tls {{ }}");
    let mut rows = vec![
        row("never-answers", raw(wait_for_end), "upstream.tls.handshake_timeout", 504, PHASE)
            .timer(TLS)
            .says("the connect timer had nothing to do with it"),
        row("closes-in-handshake", raw(drop_it), "upstream.tls.closed", 502, PHASE),
        row("resets-in-handshake", raw(|socket| reset(socket)), "upstream.tls.reset", 502, PHASE),
        row(
            "speaks-http",
            raw(|socket| say(socket, b"HTTP/1.1 400 Bad Request\r\n\r\n")),
            "upstream.tls.not_tls",
            502,
            PHASE,
        ),
        row("speaks-ssh", raw(|socket| say(socket, b"SSH-2.0-OpenSSH_9.2p1\r\n")), "upstream.tls.not_tls", 502, PHASE),
        row(
            "half-a-hello",
            raw(|socket| {
                say(socket, &[22, 3, 3, 0, 90, 2, 0, 0, 86, 3, 3]);
                wait_for_end(socket);
            }),
            "upstream.tls.handshake_timeout",
            504,
            PHASE,
        )
        .timer(TLS),
        row(
            "half-a-hello-closes",
            raw(|socket| say(socket, &[22, 3, 3, 0, 90, 2, 0])),
            "upstream.tls.closed",
            502,
            PHASE,
        ),
    ];
    for (name, alert, code, says) in [
        ("handshake-failure", 40, "upstream.tls.nothing_in_common", "A server name was sent"),
        ("insufficient-security", 71, "upstream.tls.nothing_in_common", ""),
        ("protocol-version", 70, "upstream.tls.version", ""),
        ("unrecognized-name", 112, "upstream.tls.unrecognized_name", ""),
        ("certificate-required", 116, "upstream.tls.client_certificate", ""),
        ("no-protocol", 120, "upstream.tls.no_application_protocol", ""),
        ("internal-error", 80, "upstream.tls.alert", ""),
    ] {
        rows.push(row(name, alerts(alert), code, 502, PHASE).says(says));
    }
    for row in &mut rows {
        row.words.clone_from(&named);
    }
    for (name, alert) in [("failure-without-sni", 40), ("unrecognized-without-sni", 112)] {
        let row = row(name, alerts(alert), "upstream.tls.sni_missing", 502, PHASE);
        rows.push(row.words("host 127.0.0.1; tls { }").says("say `host NAME;`"));
    }
    rows
}

/// One side does not take the other's certificate, or its version.
fn of_certificates(authority: &Authority, other: &Authority) -> Vec<Row> {
    let named = format!("host {NAME}; tls {{ }}");
    let mut rows = Vec::new();
    let only_13: &[_] = &[&rustls::version::TLS13];
    let ok = |config: Arc<ServerConfig>| answers(Some(&config), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", drop);
    for (name, identity, code) in [
        ("expired", authority.certify(NAME, 2000, 2020), "upstream.tls.certificate_expired"),
        ("not-yet", authority.certify(NAME, 2080, 2090), "upstream.tls.certificate_not_yet_valid"),
        ("wrong-name", authority.certify("elsewhere.test", 2000, 2090), "upstream.tls.certificate_name"),
        ("unknown-issuer", other.good(), "upstream.tls.certificate_issuer"),
    ] {
        rows.push(row(name, ok(identity.server(ALL_VERSIONS, None)), code, 502, PHASE).words(&named));
    }
    let modern = ok(authority.good().server(only_13, None));
    rows.push(
        row("too-modern", modern, "upstream.tls.version", 502, PHASE)
            .words(&format!("host {NAME}; tls {{ versions 1.2; }}")),
    );
    for (name, version) in [("mutual-1.2", &rustls::version::TLS12), ("mutual-1.3", &rustls::version::TLS13)] {
        let mutual = ok(authority.good().server(&[version], Some(other)));
        rows.push(row(name, mutual, "upstream.tls.client_certificate", 502, PHASE).words(&named));
    }
    rows
}

/// Reads the `ClientHello` and does `then`.
fn raw(then: impl Fn(&mut std::net::TcpStream) + Send + Sync + 'static) -> Serve {
    Box::new(move |mut socket| {
        if hello(&mut socket) {
            then(&mut socket);
        }
    })
}

fn drop_it(_: &mut std::net::TcpStream) {}

fn say(socket: &mut std::net::TcpStream, octets: &[u8]) {
    drop(socket.write_all(octets));
}

/// A fatal alert, as a record of its own.
fn alerts(alert: u8) -> Serve {
    raw(move |socket| {
        say(socket, &[21, 3, 3, 0, 2, 2, alert]);
        wait_for_end(socket);
    })
}
