//! Lines of `test` blocks as they travel in an artifact, and requests as `rulec decide` reads them (INTERFACES: stable).
//!
//! Strings carry bytes as Latin-1.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A line of a `test` block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The name of the test.
    pub test: String,
    /// `file:line:column`
    pub place: String,
    /// What is asked.
    pub request: RequestRecord,
    /// What must come of it.
    pub expectation: Expectation,
}

impl Case {
    /// The line at `place` of the test called `test`.
    pub fn new(test: String, place: String, request: RequestRecord, expectation: Expectation) -> Self {
        Self { test, place, request, expectation }
    }
}

/// What a line expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "the language has these")]
pub enum Expectation {
    /// An answer of the gateway with this status and, where said, this text or Location.
    Status(u16, Option<String>),
    /// The connection is closed without an answer.
    Close,
    /// Sent to this upstream, with this target and these header lines where said.
    Proxy {
        /// Its name.
        upstream: String,
        /// The target sent.
        target: Option<String>,
        /// Lines that the sent head must hold.
        headers: Vec<(String, String)>,
    },
}

/// One line of input. Only `target` is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRecord {
    /// As sent.
    #[serde(default = "get")]
    pub method: String,
    /// `http` or `https`.
    #[serde(default = "http")]
    pub scheme: String,
    /// The Host; None falls back to a Host among `headers`, then to the first exact name of the first service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The request target as sent.
    pub target: String,
    /// In order.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Octets of the body; 0: none.
    #[serde(default)]
    pub body: u64,
    /// The client's address.
    #[serde(default = "localhost")]
    pub client: core::net::IpAddr,
    /// The listener; None: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// The port of the socket that accepted it; None: not said, as of a Unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The name of a plan, `?missing`, `?unknown` or `?failed`; None: not looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What the host knows: the value of each fact, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// The status that the first `proxy` comes to instead, as where its upstream does not answer: 502, 504.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<u16>,
}

fn get() -> String {
    "GET".to_owned()
}
fn http() -> String {
    "http".to_owned()
}
fn localhost() -> core::net::IpAddr {
    core::net::Ipv4Addr::LOCALHOST.into()
}

impl RequestRecord {
    /// `GET target` with everything else unsaid.
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            method: get(),
            scheme: http(),
            host: None,
            target: target.into(),
            headers: Vec::new(),
            body: 0,
            client: localhost(),
            listener: None,
            port: None,
            plan: None,
            facts: BTreeMap::new(),
            fault: None,
        }
    }
}
