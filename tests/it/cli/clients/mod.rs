//! Clients that people have: curl, Node's and Python's own.

use core::net::SocketAddr;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What a client is to send.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What a client got.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let named = |(have, _): &&(String, String)| have.eq_ignore_ascii_case(name);
        self.fields.iter().find(named).map(|(_, value)| value.as_str())
    }
}

/// One of them.
pub(super) trait Client {
    fn ask(&mut self, address: SocketAddr, asked: &Asked) -> Answer;
}

/// A process a request.
pub(super) struct Curl;

impl Client for Curl {
    fn ask(&mut self, address: SocketAddr, asked: &Asked) -> Answer {
        let mut command = Command::new("curl");
        command.args(["--silent", "--include", "--http1.1", "--path-as-is", "--globoff", "--max-time", "30"]);
        command.args(if asked.method == "HEAD" { vec!["--head"] } else { vec!["--request", &asked.method] });
        for (name, value) in &asked.headers {
            command.args(["--header", &format!("{name}: {value}")]);
        }
        if !asked.body.is_empty() {
            command.args(["--data-binary", "@-"]);
        }
        command.arg(format!("http://{address}{}", asked.target));
        let mut curl = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("tests/run installs curl");
        drop(curl.stdin.take().expect("piped").write_all(&asked.body));
        let mut text = curl.wait_with_output().expect("ends").stdout;
        let head_end = |text: &[u8]| {
            let end = text.windows(4).position(|window| window == b"\r\n\r\n");
            end.unwrap_or_else(|| panic!("{} {}: {text:?}", asked.method, asked.target))
        };
        while text.starts_with(b"HTTP/1.1 100") {
            text.drain(..head_end(&text) + 4);
        }
        let end = head_end(&text);
        let head = String::from_utf8_lossy(&text[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        Answer { status, fields: head.lines().skip(1).filter_map(field).collect(), body: text[end + 4..].to_vec() }
    }
}

/// A process that asks what it reads, a line a request.
pub(super) struct Script {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Script {
    pub(super) fn node() -> Self {
        Self::start("node", "-e", include_str!("client.js"))
    }

    pub(super) fn python() -> Self {
        Self::start("python3", "-c", include_str!("client.py"))
    }

    fn start(program: &str, option: &str, script: &str) -> Self {
        let mut command = Command::new(program);
        command.args([option, script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| panic!("tests/run installs {program}: {error}"));
        let questions = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Self { process, questions, answers }
    }
}

impl Client for Script {
    fn ask(&mut self, address: SocketAddr, asked: &Asked) -> Answer {
        let mut headers = asked.headers.clone();
        if !asked.body.is_empty() {
            headers.push(("Content-Length".to_owned(), asked.body.len().to_string()));
        }
        let question = json!({
            "port": address.port(), "method": asked.method, "target": asked.target, "headers": headers,
            "body": hex(&asked.body),
        });
        writeln!(self.questions, "{question}").expect("it reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("it answers");
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{question}: {error}"));
        let fields = serde_json::from_value(answer["fields"].clone()).expect("fields");
        let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
        Answer { status, fields, body: octets(answer["body"].as_str().expect("a body")) }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").expect("a String takes all");
        text
    })
}

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}
