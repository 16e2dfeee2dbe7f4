//! Decisions as `rulec decide` writes them (INTERFACES: stable).
//!
//! Strings carry bytes as Latin-1.

use serde::Serialize;

/// One line of output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What is done; None where a plan or a fact is needed first.
    pub verdict: Option<VerdictKind>,
    /// The status where the gateway itself answers; with `proxy` the one that replaces the upstream's, if one does.
    pub status: Option<u16>,
    /// The service that the host chose.
    pub service: Option<String>,
    /// Modifier and pattern as written, nested ones as a chain joined by ` > `.
    pub location: Option<String>,
    /// What `as` gives.
    pub name: Option<String>,
    /// The match path: the normalised path on which the last location was chosen.
    pub uri: Option<String>,
    /// The query as it is at the end.
    pub args: Option<String>,
    /// The upstream's name.
    pub upstream: Option<String>,
    /// What is sent there.
    pub forward: Option<Forward>,
    /// What becomes of the answer's head.
    pub response: HeaderChanges,
    /// With `proxy`: what else becomes of it if its status, which is not known yet, is a success (see `on success`).
    #[serde(skip_serializing_if = "HeaderChanges::is_empty")]
    pub response_on_success: HeaderChanges,
    /// With `proxy`: (from, to) of each `proxy_redirect`; the first whose `from` begins the answer's Location counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relocate: Vec<(String, String)>,
    /// With `relocate`: what stands before a path that comes out, `http://host:port` under `redirects absolute`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relocate_origin: Option<String>,
    /// The Location header as sent.
    pub redirect: Option<String>,
    /// The text of a `return`, variables filled in.
    pub body: Option<String>,
    /// Which refusal it is.
    pub code: Option<&'static str>,
    /// Methods allowed here, sorted; with a 405.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
    /// (name, increment) of the meters that count, sorted by name.
    pub meters: Vec<(String, u64)>,
    /// Limits reached; none in this version.
    pub limits: Vec<String>,
    /// Whether `verdict` waits for the caller's plan.
    pub needs_plan: bool,
    /// The fact that `verdict` waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_fact: Option<String>,
}

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "INTERFACES has these five")]
pub enum VerdictKind {
    /// Sent to an upstream.
    Proxy,
    /// 301 302 303 307 308.
    Redirect,
    /// Any other `return`.
    Respond,
    /// The gateway's own 4xx or 5xx.
    Refuse,
    /// Closed without an answer.
    Close,
}

/// What is sent upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forward {
    /// The method, where an `error_page` has made it another one than the request's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The request target.
    pub target: String,
    /// The Host header; None where only `proxy.toml` says.
    pub host: Option<String>,
    /// Names of the lines that rules did not see and that are left out, as they were sent: a Connection names them, or
    /// they hold other bytes than letters, digits and `-`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub omit: Vec<String>,
    /// Edits, as on the response side.
    #[serde(flatten)]
    pub headers: HeaderChanges,
    /// `none`, `forward` or `strip`.
    pub body: &'static str,
    /// The text whose hash picks the server, where the upstream says `balance hash`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Header edits that were reached, in the order in which they apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HeaderChanges {
    /// (name, value)
    pub set: Vec<(String, String)>,
    /// (name, value)
    pub add: Vec<(String, String)>,
    /// Names; `x-*` stands for all that begin so.
    pub drop: Vec<String>,
}

impl HeaderChanges {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.add.is_empty() && self.drop.is_empty()
    }
}
