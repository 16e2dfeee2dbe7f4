//! What can go wrong around a decision: stable codes, their status and a sentence each.

use crate::matcher::Refusal;

/// Why the proxy itself answers a request, or breaks an answer off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// The rules, or what the matcher checks before them.
    Refused { refusal: Refusal, status: u16 },
    /// The request cannot be read.
    Request(RequestFault),
    /// The upstream did not answer as it should.
    Upstream(UpstreamFault),
}

impl Fault {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Refused { refusal, .. } => refusal.code(),
            Self::Request(fault) => fault.entry().0,
            Self::Upstream(fault) => fault.entry().0,
        }
    }

    pub(super) fn status(self) -> u16 {
        match self {
            Self::Refused { status, .. } => status,
            Self::Request(fault) => fault.entry().1,
            Self::Upstream(fault) => fault.entry().1,
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Refused { refusal, .. } => refusal.title(),
            Self::Request(fault) => fault.entry().2,
            Self::Upstream(fault) => fault.entry().2,
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal, status: refusal.status() }
    }
}

impl From<RequestFault> for Fault {
    fn from(fault: RequestFault) -> Self {
        Self::Request(fault)
    }
}

impl From<UpstreamFault> for Fault {
    fn from(fault: UpstreamFault) -> Self {
        Self::Upstream(fault)
    }
}

/// A request that is refused before any rule is asked, or while its body comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RequestFault {
    Malformed,
    VersionUnsupported,
    HeadTooLarge,
    HeadTimeout,
    TargetInvalid,
    TargetTooLong,
    FramingInvalid,
    CodingUnsupported,
    ExpectationFailed,
    BodyMalformed,
    BodyTimeout,
}

impl RequestFault {
    fn entry(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Malformed => ("request.malformed", 400, "the request head is malformed"),
            Self::VersionUnsupported => {
                ("request.version_unsupported", 505, "this gateway speaks HTTP/1.0 and HTTP/1.1")
            }
            Self::HeadTooLarge => ("request.head_too_large", 431, "the request head is too large"),
            Self::HeadTimeout => ("request.head_timeout", 408, "the request head did not come in time"),
            Self::TargetInvalid => ("request.target_invalid", 400, "the request target is malformed"),
            Self::TargetTooLong => ("request.target_too_long", 414, "the request target is too long"),
            Self::FramingInvalid => {
                ("request.framing_invalid", 400, "the length of the body could be read in two ways")
            }
            Self::CodingUnsupported => {
                ("request.coding_unsupported", 501, "no transfer coding but a single chunked is understood")
            }
            Self::ExpectationFailed => {
                ("request.expectation_failed", 417, "no expectation but 100-continue is understood")
            }
            Self::BodyMalformed => ("request.body_malformed", 400, "the body is malformed or was broken off"),
            Self::BodyTimeout => ("request.body_timeout", 408, "the body did not come in time"),
        }
    }
}

/// What an upstream did wrong, or could not be reached by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum UpstreamFault {
    NotConfigured,
    NoServerAvailable,
    RequestTimeout,
    Dns,
    DnsTimeout,
    ConnectRefused,
    ConnectFailed,
    ConnectTimeout,
    TlsFailed,
    TlsTimeout,
    TlsClosed,
    TlsAlert,
    TlsNoCommon,
    CertificateName,
    CertificateExpired,
    CertificateIssuer,
    Certificate,
    WriteFailed,
    WriteTimeout,
    ClosedBeforeHeader,
    ClosedInHeader,
    ReusedConnectionClosed,
    ResponseTimeout,
    ResponseMalformed,
    ResponseHeadTooLarge,
    Http2NotOffered,
    Http2Reset,
    Http2GoAway,
    BodyTruncated,
    BodyMalformed,
    BodyTimeout,
}

impl UpstreamFault {
    fn entry(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::NotConfigured => ("upstream.not_configured", 502, "the upstream has no server"),
            Self::NoServerAvailable => {
                ("upstream.no_server_available", 502, "no server of the upstream is working at the moment")
            }
            Self::RequestTimeout => {
                ("upstream.request_timeout", 504, "the upstream did not finish its answer in the time for a request")
            }
            Self::Dns => ("upstream.dns.failed", 502, "the upstream's name could not be resolved"),
            Self::DnsTimeout => ("upstream.dns.timeout", 504, "the upstream's name was not resolved in time"),
            Self::ConnectRefused => ("upstream.connect.refused", 502, "the upstream refused the connection"),
            Self::ConnectFailed => ("upstream.connect.failed", 502, "the upstream could not be reached"),
            Self::ConnectTimeout => {
                ("upstream.connect.timeout", 504, "the upstream did not accept the connection in time")
            }
            Self::TlsFailed => ("upstream.tls.handshake_failed", 502, "the TLS handshake with the upstream failed"),
            Self::TlsTimeout => {
                ("upstream.tls.handshake_timeout", 504, "the upstream did not finish the TLS handshake in time")
            }
            Self::TlsClosed => {
                ("upstream.tls.closed", 502, "the upstream closed the connection during the TLS handshake")
            }
            Self::TlsAlert => ("upstream.tls.alert", 502, "the upstream ended the TLS handshake with an alert"),
            Self::TlsNoCommon => {
                ("upstream.tls.nothing_in_common", 502, "the upstream speaks no TLS version or cipher of ours")
            }
            Self::CertificateName => {
                ("upstream.tls.certificate_name", 502, "the upstream's certificate is for another name")
            }
            Self::CertificateExpired => {
                ("upstream.tls.certificate_expired", 502, "the upstream's certificate is not valid at this time")
            }
            Self::CertificateIssuer => {
                ("upstream.tls.certificate_issuer", 502, "the upstream's certificate is from an unknown issuer")
            }
            Self::Certificate => ("upstream.tls.certificate", 502, "the upstream's certificate was not accepted"),
            Self::WriteFailed => {
                ("upstream.write_failed", 502, "the upstream closed the connection while the request was sent")
            }
            Self::WriteTimeout => ("upstream.write_timeout", 504, "the upstream did not take the request in time"),
            Self::ClosedBeforeHeader => {
                ("upstream.closed_before_header", 502, "the upstream closed the connection without an answer")
            }
            Self::ClosedInHeader => {
                ("upstream.closed_in_header", 502, "the upstream closed the connection within the head of its answer")
            }
            Self::ReusedConnectionClosed => (
                "upstream.reused_connection_closed",
                502,
                "the upstream closed a kept connection as the request was sent",
            ),
            Self::ResponseTimeout => ("upstream.response.timeout", 504, "the upstream did not answer in time"),
            Self::ResponseMalformed => ("upstream.response.malformed", 502, "the upstream's answer is malformed"),
            Self::ResponseHeadTooLarge => {
                ("upstream.response.head_too_large", 502, "the head of the upstream's answer is too large")
            }
            Self::Http2NotOffered => ("upstream.http2.not_offered", 502, "the upstream does not speak HTTP/2"),
            Self::Http2Reset => ("upstream.http2.reset", 502, "the upstream reset the request's stream"),
            Self::Http2GoAway => ("upstream.http2.goaway", 502, "the upstream ended the connection for new requests"),
            Self::BodyTruncated => ("upstream.body.truncated", 502, "the upstream's answer ended too early"),
            Self::BodyMalformed => ("upstream.body.malformed", 502, "the body of the upstream's answer is malformed"),
            Self::BodyTimeout => ("upstream.body.timeout", 504, "the upstream stopped within its answer"),
        }
    }
}
