//! A line, as JSON or as nginx's `combined`: what was asked is written when it is asked, what came of it at the end.

use core::fmt::Write as _;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

use super::text::{escape_combined, escape_json, number};
use super::time::Clock;
use crate::proxy::account::Account;

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "`[log]` has these")]
pub enum Format {
    /// All that is known, as an object of JSON.
    #[default]
    Json,
    /// As nginx's `combined`, for tools that read that.
    Combined,
}

/// What a request asks for, before anything is decided.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct Asked<'r> {
    /// Since 1970.
    pub(in crate::proxy) time: Duration,
    pub(in crate::proxy) request_id: &'r str,
    pub(in crate::proxy) listener: &'r str,
    pub(in crate::proxy) client: IpAddr,
    pub(in crate::proxy) method: &'r [u8],
    pub(in crate::proxy) scheme: &'static str,
    /// As nginx's `$server_protocol`.
    pub(in crate::proxy) protocol: &'static str,
    pub(in crate::proxy) target: &'r [u8],
    pub(in crate::proxy) host: &'r [u8],
    pub(in crate::proxy) referer: &'r [u8],
    pub(in crate::proxy) agent: &'r [u8],
}

/// The rule that decided.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::proxy) struct Rule<'p> {
    pub(in crate::proxy) service: Option<&'p str>,
    pub(in crate::proxy) location: Option<&'p str>,
    pub(in crate::proxy) name: Option<&'p str>,
    /// Where it stands.
    pub(in crate::proxy) place: Option<&'p str>,
}

/// What came of a request. Secrets are not in it.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Line {
    /// `proxy`, `respond`, `redirect`, `refuse`, `close`, or `aborted` where the client left.
    pub(in crate::proxy) outcome: &'static str,
    pub(in crate::proxy) status: Option<u16>,
    pub(in crate::proxy) code: Option<&'static str>,
    pub(in crate::proxy) detail: Option<String>,
    pub(in crate::proxy) plan: Option<Arc<str>>,
    pub(in crate::proxy) caller: Option<Arc<str>>,
    pub(in crate::proxy) peer: Option<SocketAddr>,
    /// What went wrong with an upstream.
    pub(in crate::proxy) failure: Option<Box<Account>>,
    /// Lines of the request's head that were left out.
    pub(in crate::proxy) fields_omitted: usize,
    /// Octets of the request's body, where its length was stated.
    pub(in crate::proxy) octets_in: Option<u64>,
    /// Octets of the answer's body that were handed on.
    pub(in crate::proxy) octets_out: u64,
}

/// The text of a line while its request lives.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Entry {
    text: Vec<u8>,
    /// Where what was asked ends: what follows is the rule that decided (JSON), or what comes last (combined).
    asked: usize,
}

impl Entry {
    /// With a buffer that was used before.
    pub(in crate::proxy) fn new(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self { text: buffer, asked: 0 }
    }

    /// The buffer, for another line.
    pub(in crate::proxy) fn into_buffer(self) -> Vec<u8> {
        self.text
    }

    /// What is asked; `redact` gives the parts of a target or a URL, without secrets.
    pub(in crate::proxy) fn ask(
        &mut self,
        format: Format,
        clock: &mut Clock,
        asked: &Asked<'_>,
        redact: impl Fn(&[u8], &mut dyn FnMut(&[u8])),
    ) {
        let text = &mut self.text;
        match format {
            Format::Json => {
                text.extend_from_slice(b"{\"time\":\"");
                clock.rfc3339(asked.time, text);
                string(text, b"\",\"request_id\":\"", asked.request_id.as_bytes());
                string(text, b"\",\"listener\":\"", asked.listener.as_bytes());
                text.extend_from_slice(b"\",\"client\":\"");
                address(asked.client, text);
                string(text, b"\",\"method\":\"", asked.method);
                string(text, b"\",\"scheme\":\"", asked.scheme.as_bytes());
                string(text, b"\",\"protocol\":\"", asked.protocol.as_bytes());
                string(text, b"\",\"host\":\"", asked.host);
                text.extend_from_slice(b"\",\"target\":\"");
                redact(asked.target, &mut |part| escape_json(part, text));
                text.push(b'"');
                self.asked = text.len();
            }
            Format::Combined => {
                address(asked.client, text);
                text.extend_from_slice(b" - - [");
                clock.combined(asked.time, text);
                text.extend_from_slice(b"] \"");
                escape_combined(asked.method, text);
                text.push(b' ');
                redact(asked.target, &mut |part| escape_combined(part, text));
                text.push(b' ');
                text.extend_from_slice(asked.protocol.as_bytes());
                text.extend_from_slice(b"\" ");
                self.asked = text.len();
                let referer: &[u8] = if asked.referer.is_empty() { b"-" } else { asked.referer };
                text.extend_from_slice(b" \"");
                // The page that led here may have been asked for with a credential.
                redact(referer, &mut |part| escape_combined(part, text));
                text.extend_from_slice(b"\" \"");
                escape_combined(if asked.agent.is_empty() { b"-" } else { asked.agent }, text);
                text.push(b'"');
            }
        }
    }

    /// The rule that decided; a later one takes its place.
    pub(in crate::proxy) fn rule(&mut self, format: Format, rule: &Rule<'_>) {
        if format == Format::Json {
            self.text.truncate(self.asked);
            let parts: [(&[u8], _); 4] = [
                (b",\"service\":\"", rule.service),
                (b",\"location\":\"", rule.location),
                (b",\"name\":\"", rule.name),
                (b",\"place\":\"", rule.place),
            ];
            for (key, value) in parts {
                text(&mut self.text, key, value);
            }
        }
    }

    /// The whole line.
    pub(in crate::proxy) fn finish(
        &self,
        format: Format,
        line: &Line,
        upstream: Option<&str>,
        took: Duration,
        into: &mut Vec<u8>,
    ) {
        match format {
            Format::Json => {
                into.extend_from_slice(if self.text.is_empty() { b"{\"time\":null" } else { &self.text });
                line.json(upstream, took, into);
            }
            Format::Combined => {
                let (front, back) = self.text.split_at_checked(self.asked).unwrap_or_default();
                into.extend_from_slice(front);
                number(line.status.unwrap_or_default().into(), into);
                into.push(b' ');
                number(line.octets_out, into);
                into.extend_from_slice(back);
            }
        }
        into.push(b'\n');
    }
}

impl Line {
    fn json(&self, upstream: Option<&str>, took: Duration, into: &mut Vec<u8>) {
        string(into, b",\"outcome\":\"", self.outcome.as_bytes());
        into.push(b'"');
        count(into, b",\"status\":", self.status.map(u64::from));
        text(into, b",\"code\":\"", self.code);
        text(into, b",\"detail\":\"", self.detail.as_deref());
        text(into, b",\"plan\":\"", self.plan.as_deref());
        text(into, b",\"caller\":\"", self.caller.as_deref());
        text(into, b",\"upstream\":\"", upstream);
        if let Some(peer) = self.peer {
            into.extend_from_slice(b",\"peer\":\"");
            let is_v6 = peer.is_ipv6();
            into.extend_from_slice(if is_v6 { b"[" } else { b"" });
            address(peer.ip(), into);
            into.extend_from_slice(if is_v6 { b"]:" } else { b":" });
            number(peer.port().into(), into);
            into.push(b'"');
        }
        if let Some(failure) = &self.failure {
            into.extend_from_slice(b",\"failure\":");
            // Writing to memory does not fail, and there is nothing in it that JSON cannot say.
            drop(serde_json::to_writer(&mut *into, failure));
        }
        let omitted = u64::try_from(self.fields_omitted).ok().filter(|omitted| *omitted > 0);
        count(into, b",\"fields_omitted\":", omitted);
        count(into, b",\"octets_in\":", self.octets_in);
        count(into, b",\"octets_out\":", Some(self.octets_out));
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        count(into, b",\"ms\":", Some(micros / 1000));
        let digit = |of: u64| b'0' + u8::try_from(of % 10).unwrap_or_default();
        into.extend_from_slice(&[b'.', digit(micros / 100), digit(micros / 10), digit(micros), b'}']);
    }
}

/// `key` and an opening quote are written already.
fn string(into: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    into.extend_from_slice(key);
    escape_json(value, into);
}

/// A text of our own, which is UTF-8 and stays so; left out where there is none.
fn text(into: &mut Vec<u8>, key: &[u8], value: Option<&str>) {
    let Some(value) = value else { return };
    into.extend_from_slice(key);
    if value.is_ascii() {
        escape_json(value.as_bytes(), into);
    } else {
        for c in value.chars() {
            let mut octets = [0; 4];
            let octets = c.encode_utf8(&mut octets).as_bytes();
            if c.is_ascii() { escape_json(octets, into) } else { into.extend_from_slice(octets) }
        }
    }
    into.push(b'"');
}

fn count(into: &mut Vec<u8>, key: &[u8], value: Option<u64>) {
    let Some(value) = value else { return };
    into.extend_from_slice(key);
    number(value, into);
}

fn address(address: IpAddr, into: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => {
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    into.push(b'.');
                }
                number(octet.into(), into);
            }
        }
        IpAddr::V6(address) => {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = write!(text, "{address}");
            into.extend_from_slice(text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: Format, target: &[u8]) -> String {
        let mut entry = Entry::new(b"before".to_vec());
        let asked = Asked {
            time: Duration::from_millis(951_827_696_789),
            request_id: "0f",
            listener: "public",
            client: "192.0.2.1".parse().unwrap(),
            method: b"GET",
            scheme: "https",
            protocol: "HTTP/2.0",
            target,
            host: b"a.test",
            referer: b"",
            agent: b"curl/8 \"x\"",
        };
        entry.ask(format, &mut Clock::default(), &asked, |url, part| part(url));
        entry.rule(format, &Rule { service: Some("none"), ..Rule::default() });
        entry.rule(format, &Rule { service: Some("s\u{e9}\u{100}"), location: Some("~ \\.php$"), ..Rule::default() });
        let line = Line { outcome: "fail", status: Some(502), octets_out: 12, ..Line::default() };
        let mut text = Vec::new();
        entry.finish(format, &line, None, Duration::from_micros(1_070), &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_line_is_one_object() {
        let text = line(Format::Json, b"/a\x1b\"\xe9");
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["target"], "/a\u{1b}\"\u{e9}");
        assert_eq!(
            text,
            "{\"time\":\"2000-02-29T12:34:56.789Z\",\"request_id\":\"0f\",\"listener\":\"public\",\"client\":\"192.0.2.1\",\
             \"method\":\"GET\",\"scheme\":\"https\",\"protocol\":\"HTTP/2.0\",\"host\":\"a.test\",\"target\":\"/a\\u001b\\\"\u{e9}\",\
             \"service\":\"s\u{e9}\u{100}\",\"location\":\"~ \\\\.php$\",\"outcome\":\"fail\",\"status\":502,\
             \"octets_out\":12,\"ms\":1.070}\n"
        );
    }

    #[test]
    fn combined_is_as_nginx_writes_it() {
        assert_eq!(
            line(Format::Combined, b"/a b\"\xe9?x=1"),
            "192.0.2.1 - - [29/Feb/2000:12:34:56 +0000] \"GET /a b\\x22\\xE9?x=1 HTTP/2.0\" 502 12 \"-\" \"curl/8 \\x22x\\x22\"\n"
        );
    }
}
