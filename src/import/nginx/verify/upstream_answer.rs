//! What our upstreams answer: each status and field that nginx treats in a way of its own.

use super::instrument::{FILES, FOREIGN};

/// An upstream's answer; the same request line to the same upstream always gets the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpstreamAnswer {
    /// Its status.
    pub status: u16,
    /// Its fields, framing left out; names in small letters.
    pub headers: Vec<(String, String)>,
}

/// Fields of every answer: for `proxy_hide_header` to find, and those that nginx keeps to itself or replaces.
pub(super) const ALWAYS: &[(&str, &str)] = &[
    ("content-type", "text/html"),
    ("x-powered-by", "echo"),
    ("x-runtime", "1"),
    ("set-cookie", "a=b; Path=/; Domain=upstream.test"),
    ("server", "echo"),
    ("x-pad", "p"),
    ("x-accel-expires", "0"),
    ("x-accel-buffering", "no"),
    ("x-accel-limit-rate", "0"),
];

/// The body of every answer that has one.
pub(super) const BODY: &str = "ok";

impl UpstreamAnswer {
    /// The answer of `upstream`, which is its name for nginx, to the request that began with `line`.
    pub(super) fn to(upstream: &str, line: &str) -> Self {
        let choice = line.bytes().fold(5_381_u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte));
        let status = match choice % 24 {
            0 => 201,
            1 => 204,
            2 | 3 => 302,
            4 => 301,
            5 => 307,
            6 => 400,
            7 => 401,
            8 => 403,
            9 => 404,
            10 => 500,
            11 => 503,
            _ => 200,
        };
        // What stands in for a file server, or for another protocol, says nothing that only HTTP upstreams say to nginx.
        let is_stand_in = [FILES, FOREIGN].contains(&upstream);
        let is_said = |(name, _): &&(&str, &str)| !is_stand_in || !name.starts_with("x-accel") && *name != "x-pad";
        let mut headers: Vec<(String, String)> =
            ALWAYS.iter().filter(is_said).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if matches!(status, 201 | 301 | 302 | 307) || (choice / 24).is_multiple_of(8) {
            let target = line.split(' ').nth(1).unwrap_or("/");
            let path: String = target.chars().filter(char::is_ascii_graphic).collect();
            let location = match choice / 256 % 4 {
                // Where files are is no address of the configuration: nginx would take its own for one.
                0 | 1 if !is_stand_in => format!("http://{upstream}{path}"),
                2 => format!("/elsewhere{path}"),
                _ => format!("http://elsewhere.test{path}"),
            };
            headers.push(("location".to_owned(), location));
        }
        Self { status, headers }
    }

    /// It on the wire; `more` are lines of its head.
    pub(super) fn bytes(&self, more: &str, is_head: bool) -> Vec<u8> {
        let has_body = self.status != 204;
        let mut text = format!("HTTP/1.1 {} Echo\r\n{more}", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format_args!("{name}: {value}\r\n").to_string());
        }
        text.push_str(if has_body { "Content-Length: 2\r\n\r\n" } else { "\r\n" });
        text.push_str(if has_body && !is_head { BODY } else { "" });
        text.into_bytes()
    }
}
