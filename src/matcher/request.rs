//! What a decision is made on.

use core::net::{IpAddr, Ipv4Addr};
use rulec_contract::Caller;

/// A header line: name as sent, value without surrounding blanks.
pub type Header<'r> = (&'r [u8], &'r [u8]);

/// A request as it came. Everything is borrowed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'r> {
    /// As sent.
    pub method: &'r [u8],
    /// What the trusted hop says, else the socket.
    pub scheme: Scheme,
    /// The request target as sent, origin-form or absolute-form.
    pub target: &'r [u8],
    /// All lines in order, Host among them.
    pub headers: &'r [Header<'r>],
    /// What is known of the body before it is read.
    pub body: Body,
    /// The client's address: what the trusted hop says, else the socket's.
    pub client: IpAddr,
    /// Name of the listener it came through; None: any.
    pub listener: Option<&'r [u8]>,
    /// The port of the socket that accepted it; None where there is none (a Unix socket), or where it says nothing of the
    /// one that the client used.
    pub port: Option<u16>,
    /// What `$request_id` stands for.
    pub request_id: &'r [u8],
    /// Who calls; None: not looked up yet.
    pub caller: Option<Caller>,
    /// Index of the value of each fact, by the fact's index; None, or a place that is not there: not known.
    pub facts: &'r [Option<u16>],
    /// The status that the first `proxy` comes to instead: its upstream was tried and failed.
    pub fault: Option<u16>,
}

impl<'r> Request<'r> {
    /// `GET target` in clear text from 127.0.0.1 without a body, nothing known of its caller and of facts.
    pub fn get(target: &'r [u8], headers: &'r [Header<'r>]) -> Self {
        Self {
            method: b"GET",
            scheme: Scheme::Http,
            target,
            headers,
            body: Body::None,
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            listener: None,
            port: None,
            request_id: b"",
            caller: None,
            facts: &[],
            fault: None,
        }
    }
}

/// Clear text or TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum Scheme {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What is known of a request body before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "HTTP has these")]
pub enum Body {
    /// No Transfer-Encoding, and Content-Length is absent or 0.
    None,
    /// Content-Length, above 0.
    Octets(u64),
    /// Transfer-Encoding: the length is not known.
    Unknown,
}
