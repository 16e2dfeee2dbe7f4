//! What can go wrong around a decision: the one catalogue of codes, each with its status, a sentence and a hint.
//!
//! A code stands in answers, logs and alerts, so it never changes its meaning. `docs/errors.md` has a page for each; a
//! test holds the two together. The hint is for the log only: what to look at, and what to write in the rules.

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
    /// This machine lacks what it takes to ask an upstream.
    Gateway(GatewayFault),
}

impl Fault {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Refused { refusal, .. } => refusal.code(),
            Self::Request(fault) => fault.entry().code,
            Self::Upstream(fault) => fault.entry().code,
            Self::Gateway(fault) => fault.code(),
        }
    }

    pub(super) fn status(self) -> u16 {
        match self {
            Self::Refused { status, .. } => status,
            Self::Request(fault) => fault.entry().status,
            Self::Upstream(fault) => fault.entry().status,
            Self::Gateway(fault) => fault.entry().status,
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Refused { refusal, .. } => refusal.title(),
            Self::Request(fault) => fault.entry().title,
            Self::Upstream(fault) => fault.entry().title,
            Self::Gateway(fault) => fault.title(),
        }
    }

    /// What the operator may look at and change; for the log only.
    pub(super) fn hint(self) -> Option<&'static str> {
        match self {
            Self::Refused { .. } => None,
            Self::Request(fault) => Some(fault.entry().hint),
            Self::Upstream(fault) => Some(fault.entry().hint),
            Self::Gateway(fault) => Some(fault.entry().hint),
        }
    }

    /// What was being done.
    pub(super) fn phase(self) -> Phase {
        match self {
            Self::Refused { .. } => Phase::Rules,
            Self::Request(fault) => fault.entry().phase,
            Self::Upstream(fault) => fault.entry().phase,
            Self::Gateway(fault) => fault.entry().phase,
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

impl From<GatewayFault> for Fault {
    fn from(fault: GatewayFault) -> Self {
        Self::Gateway(fault)
    }
}

impl GatewayFault {
    pub(super) fn code(self) -> &'static str {
        self.entry().code
    }

    pub(super) fn title(self) -> &'static str {
        self.entry().title
    }
}

/// The parts of a request's life, each with a timer of its own where it waits for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// The client's head.
    Head,
    /// The client's body.
    Body,
    /// The decision.
    Rules,
    /// Which server.
    Choose,
    /// The name of the server.
    Dns,
    Connect,
    Tls,
    /// The request is written to the upstream.
    Send,
    /// The upstream has the request, and has said nothing yet.
    FirstByte,
    /// Its answer has begun; the head is not complete.
    Header,
    /// Its answer's body.
    Answer,
}

impl Phase {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Head => "client_head",
            Self::Body => "client_body",
            Self::Rules => "rules",
            Self::Choose => "choose",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Send => "send",
            Self::FirstByte => "first_byte",
            Self::Header => "header",
            Self::Answer => "body",
        }
    }
}

/// A line of the catalogue.
struct Entry {
    status: u16,
    phase: Phase,
    code: &'static str,
    title: &'static str,
    hint: &'static str,
}

/// An enum and its entries, which stand together.
macro_rules! catalogue {
    ($(#[$about:meta])* $name:ident:
     $($variant:ident $status:literal $phase:ident $code:literal $title:literal $hint:literal)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum $name {
            $($variant,)*
        }

        impl $name {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant,)*];

            const fn entry(self) -> Entry {
                let (status, phase, code, title, hint) = match self {
                    $(Self::$variant => ($status, Phase::$phase, $code, $title, $hint),)*
                };
                Entry { status, phase, code, title, hint }
            }
        }
    };
}

catalogue! {
    /// A request that is refused before any rule is asked, or while its body comes.
    RequestFault:

    Malformed 400 Head "request.malformed"
        "the request head is malformed"
        "The client, or a scanner, does not speak HTTP/1.1: a bare LF, a header line without a colon, TLS to a port \
        of clear text."

    VersionUnsupported 505 Head "request.version_unsupported"
        "this gateway speaks HTTP/1.0 and HTTP/1.1"
        "The client speaks another version of HTTP than this listener does."

    HeadTooLarge 431 Head "request.head_too_large"
        "the request head is too large"
        "Mostly cookies that have piled up, or a token that grew: look at the longest header line of this client."

    HeadTimeout 408 Head "request.head_timeout"
        "the request head did not come in time"
        "A head began and was not finished: a slow network, a client that hangs, or one that is slow on purpose."

    TargetInvalid 400 Head "request.target_invalid"
        "the request target is malformed"
        "The client sends an octet or a `%` in its target that RFC 3986 does not allow: it has to encode it."

    TargetTooLong 414 Head "request.target_too_long"
        "the request target is too long"
        "The client puts into the target what belongs into the body."

    FramingInvalid 400 Head "request.framing_invalid"
        "the length of the body could be read in two ways"
        "Content-Length and Transfer-Encoding contradict each other or are repeated: a broken client, a hop that adds \
        one, or request smuggling."

    CodingUnsupported 501 Head "request.coding_unsupported"
        "no transfer coding but a single chunked is understood"
        "The client uses another transfer coding than chunked; compressing belongs into Content-Encoding."

    ExpectationFailed 417 Head "request.expectation_failed"
        "no expectation but 100-continue is understood"
        "The client sends an Expect that nobody understands."

    BodyMalformed 400 Body "request.body_malformed"
        "the body is malformed or was broken off"
        "The client's chunks are malformed, or it closed within its body: a crash, a cancelled upload, a network that \
        was lost."

    BodyTimeout 408 Body "request.body_timeout"
        "the body did not come in time"
        "The client stopped within its body. If uploads are this slow on purpose, the bound is that of the listener, \
        not of the upstream."

    AnswerTimeout 408 Answer "request.answer_timeout"
        "the client did not take the answer in time"
        "The client stopped reading: it hangs, its network was lost, or it keeps the connection busy on purpose."

    ClientLeft 499 Answer "request.client_left"
        "the client left before the answer had ended"
        "The client, or the hop in front, closed: often its own timeout, which is shorter than the answer takes. \
        Compare `ms` with the timeouts in front."
}

catalogue! {
    /// What an upstream did wrong, or could not be reached by.
    UpstreamFault:

    NotConfigured 502 Choose "upstream.not_configured"
        "the upstream has no server"
        "The rules say `external` and proxy.toml names no server: add `servers = [...]` to `[upstream.NAME]`."

    NoServerAvailable 502 Choose "upstream.no_server_available"
        "no server of the upstream is working at the moment"
        "All of them are taken out, by `health` or by `max_fails`: the log has a line `server is taken out` for each, \
        with why."

    RequestTimeout 504 Answer "upstream.request_timeout"
        "the upstream did not finish its answer in the time for a request"
        "`timeout request=` bounds the whole of it, retries included: an answer that trickles, or too short a time."

    DnsNotFound 502 Dns "upstream.dns.not_found"
        "the upstream's name does not exist"
        "The name server says that there is no such name, or no address for it: look for a typing error, a deleted \
        record, or a resolver that does not know the zone."

    DnsServerFailed 502 Dns "upstream.dns.server_failed"
        "the name server could not say where the upstream is"
        "The name server answered SERVFAIL or REFUSED, or cannot be reached: ask it with `dig`; its own upstream, \
        DNSSEC or the network is broken, not the name."

    Dns 502 Dns "upstream.dns.failed"
        "the upstream's name could not be resolved"
        "See `detail`, and ask the same name server with `dig`."

    DnsTimeout 504 Dns "upstream.dns.timeout"
        "the upstream's name was not resolved in time"
        "The name server did not answer: look at /etc/resolv.conf and whether UDP and TCP port 53 get through."

    ConnectRefused 502 Connect "upstream.connect.refused"
        "the upstream refused the connection"
        "Nothing listens at this address, or its queue is full: is the service running, and on this port?"

    ConnectUnreachable 502 Connect "upstream.connect.unreachable"
        "there is no way to the upstream"
        "This machine has no route there, or a router said so: look at routes, security groups, and whether IPv6 \
        works at all."

    ConnectFailed 502 Connect "upstream.connect.failed"
        "the upstream could not be connected to"
        "See `detail`: the address may not be one to connect to, or a firewall of this machine forbids it."

    ConnectTimeout 504 Connect "upstream.connect.timeout"
        "the upstream did not accept the connection in time"
        "Packets are dropped, mostly by a firewall or a security group, or the machine is down. A longer `timeout \
        connect=` hardly helps."

    TlsTimeout 504 Tls "upstream.tls.handshake_timeout"
        "the upstream did not finish the TLS handshake in time"
        "It accepted the connection and then said nothing: an overloaded server, a port that waits for clear text, or \
        a middlebox that swallows large ClientHellos. `timeout tls=` is the bound; the connect timer had nothing to \
        do with it."

    TlsClosed 502 Tls "upstream.tls.closed"
        "the upstream closed the connection during the TLS handshake"
        "Often a load balancer without a healthy target, or a server that drops unknown server names: compare \
        `server_name` with the names that it serves."

    TlsReset 502 Tls "upstream.tls.reset"
        "the upstream reset the connection during the TLS handshake"
        "A firewall that filters by server name, a proxy with nothing behind it, or a server that crashed: try \
        `openssl s_client -connect PEER -servername NAME` from this machine."

    TlsAlertNoSni 502 Tls "upstream.tls.sni_missing"
        "the upstream refused a TLS handshake without a server name"
        "No SNI was sent, and servers with many certificates (API gateways, CDNs) refuse such handshakes: say `host \
        NAME;` in the upstream, and do not switch `sni` off."

    TlsNoCommon 502 Tls "upstream.tls.nothing_in_common"
        "the upstream and this gateway share no cipher, key exchange group or signature"
        "A server name was sent, so the server has no cipher, group or certificate type of ours (old servers: only \
        RSA key exchange, CBC, finite-field DH), or no certificate for this name. Ours: AEAD ciphers with ECDHE over \
        X25519, P-256, P-384 or X25519MLKEM768."

    TlsVersion 502 Tls "upstream.tls.version"
        "the upstream and this gateway share no TLS version"
        "The server speaks only versions that `tls { versions ...; }` leaves out, or only TLS 1.1 and older, which \
        are not spoken here."

    TlsUnrecognizedName 502 Tls "upstream.tls.unrecognized_name"
        "the upstream does not know the server name"
        "The server has no certificate for `server_name`: set `host` of the upstream to a name that it serves."

    TlsClientCertificate 502 Tls "upstream.tls.client_certificate"
        "the upstream did not accept this gateway's certificate, or wants one"
        "Mutual TLS: the server asks for a client certificate that is missing, expired, or from an authority that it \
        does not trust."

    TlsProtocol 502 Tls "upstream.tls.no_application_protocol"
        "the upstream speaks none of the protocols that were offered by ALPN"
        "The server insists on a protocol, such as HTTP/2, that this upstream is not configured to speak."

    TlsAlert 502 Tls "upstream.tls.alert"
        "the upstream ended TLS with an alert"
        "The name of the alert is in `detail`; the reason is in the server's own log."

    TlsNotTls 502 Tls "upstream.tls.not_tls"
        "what the upstream answered to the TLS handshake is not TLS"
        "This port speaks clear text (HTTP, SSH, a PROXY header): correct the port, or take `tls` off the upstream."

    TlsFailed 502 Tls "upstream.tls.handshake_failed"
        "the TLS handshake with the upstream failed"
        "The server does not keep to the protocol: see `detail`, and whether a middlebox changes what it says."

    CertificateName 502 Tls "upstream.tls.certificate_name"
        "the upstream's certificate is for another name"
        "The names that it is for are in `detail`: set `host` of the upstream, or `tls = { name = ... }` in \
        proxy.toml, to one of them; or the request has reached the wrong server."

    CertificateExpired 502 Tls "upstream.tls.certificate_expired"
        "the upstream's certificate has expired"
        "Renew it, and make the server load it: renewed files that were not reloaded are the usual reason. Or the \
        clock of this machine is wrong."

    CertificateNotYet 502 Tls "upstream.tls.certificate_not_yet_valid"
        "the upstream's certificate is not valid yet"
        "It was issued for later, or the clock of this machine is behind."

    CertificateIssuer 502 Tls "upstream.tls.certificate_issuer"
        "the upstream's certificate is from an unknown issuer"
        "A private authority: name it with `tls = { ca = \"FILE\" }` in proxy.toml. A public one: the server does not \
        send its intermediate certificate."

    Certificate 502 Tls "upstream.tls.certificate"
        "the upstream's certificate was not accepted"
        "See `detail`: malformed, revoked, not for servers, or signed by an algorithm that is no longer accepted."

    WriteFailed 502 Send "upstream.write_failed"
        "the upstream closed the connection while the request was sent"
        "It did not want the rest of the request and did not say why: a body that is too large for it, or a crash."

    WriteTimeout 504 Send "upstream.write_timeout"
        "the upstream did not take the request in time"
        "It stopped reading: overloaded, or stuck. `timeout send=` is the bound."

    ClosedBeforeHeader 502 FirstByte "upstream.closed_before_header"
        "the upstream closed the connection without an answer"
        "A fresh connection took the request and ended without an octet: the worker crashed or was killed (memory, \
        deploy), or its own timeout is shorter than ours. Its log at this time says which."

    ResetBeforeHeader 502 FirstByte "upstream.reset_before_header"
        "the upstream reset the connection instead of answering"
        "It closed with the request unread, was killed, or a firewall or NAT forgot the connection: look at restarts \
        of the upstream at this time."

    ReusedConnectionClosed 502 FirstByte "upstream.reused_connection_closed"
        "the upstream closed a kept connection as the request was sent"
        "The upstream lets go of idle connections sooner than this gateway: say `keepalive N idle=TIME` with less \
        than its idle time, or raise that."

    ResponseTimeout 504 FirstByte "upstream.response.timeout"
        "the upstream did not answer in time"
        "It has the whole request and is still working, or stuck. If requests may take this long, raise `timeout \
        response=`."

    ClosedInHeader 502 Header "upstream.closed_in_header"
        "the upstream closed the connection within the head of its answer"
        "It crashed as it began to answer, or what runs in front of it did."

    HeaderTimeout 504 Header "upstream.response.header_timeout"
        "the upstream stopped within the head of its answer"
        "It began to answer and hung. `timeout idle=` is the bound between octets."

    ResponseMalformed 502 Header "upstream.response.malformed"
        "the upstream's answer is malformed"
        "What came is no HTTP/1.1: another protocol on this port, a bare LF, a folded or broken header line."

    ResponseFraming 502 Header "upstream.response.framing"
        "the length of the upstream's answer could be read in two ways"
        "Content-Length and Transfer-Encoding together, or one of them twice: somebody behind this gateway adds one. \
        Two hops would cut the stream differently, so it is not passed on."

    ResponseUpgrade 502 Header "upstream.response.unasked_upgrade"
        "the upstream changed the protocol, and nobody had asked for that"
        "A 101 without an Upgrade in the request: a mistake of the upstream."

    ResponseInterim 502 Header "upstream.response.interim_endless"
        "the upstream sends interim answers without end"
        "It sent more 1xx answers than any server needs and no final one."

    ResponseHeadTooLarge 502 Header "upstream.response.head_too_large"
        "the head of the upstream's answer is too large"
        "Mostly Set-Cookie or a debugging header that grew: look at the upstream's answer without the gateway."

    ResponseAccel 502 Header "upstream.response.accel_redirect"
        "the upstream asked for something else to be served in its place"
        "X-Accel-Redirect or X-Sendfile names what nginx or Apache would serve instead of the answer, and the rules drop \
        the field. This gateway does not act on it: let the application send the body itself, or proxy its files with a \
        location of their own."

    Http2NotOffered 502 Tls "upstream.http2.not_offered"
        "the upstream does not speak HTTP/2"
        "The rules say `protocol http2` and the server did not choose h2 by ALPN: switch it on there, or take it out of \
        the rules."

    Http2Reset 502 FirstByte "upstream.http2.reset"
        "the upstream reset the request's stream"
        "RST_STREAM in place of an answer; the reason is in `detail`. REFUSED_STREAM: it is overloaded or stopping. \
        INTERNAL_ERROR: its own log says more."

    Http2GoAway 502 FirstByte "upstream.http2.goaway"
        "the upstream ended the connection for new requests"
        "GOAWAY as the request was sent: a restart, a deploy, or a bound on the age of connections."

    Http2PingTimeout 504 FirstByte "upstream.http2.ping_timeout"
        "the upstream's connection is dead"
        "It answered no PING while requests waited: the machine is gone or hangs, or a firewall or NAT has forgotten the \
        connection without a word."

    BodyTruncated 502 Answer "upstream.body.truncated"
        "the upstream's answer ended too early"
        "It closed before its Content-Length, or before the last chunk: killed within the answer, or a length that \
        counts something else than what is sent. The client's connection was broken off, so that it does not take the \
        part for the whole."

    BodyMalformed 502 Answer "upstream.body.malformed"
        "the body of the upstream's answer is malformed"
        "It says `chunked` and the chunks are not well-formed, or its frames of HTTP/2 do not add up to its \
        Content-Length: a mistake of the upstream or of a hop between."

    BodyTimeout 504 Answer "upstream.body.timeout"
        "the upstream stopped within its answer"
        "No octet within `timeout idle=`. Streams with long pauses need a longer one, or a heartbeat from the \
        upstream."
}

catalogue! {
    /// What this machine lacks. No server is charged with it, and no other one is asked.
    GatewayFault:

    Descriptors 503 Connect "gateway.out_of_descriptors"
        "this gateway is out of file descriptors"
        "Raise LimitNOFILE (`ulimit -n`): each client, and each request at an upstream, takes one. Or something else on \
        this machine has taken all of them: `detail` says `Too many open files in system`."

    Ports 503 Connect "gateway.out_of_ports"
        "this gateway is out of local ports"
        "Too many connections to one address of an upstream were opened and closed: raise `keepalive`, widen \
        net.ipv4.ip_local_port_range, or give the upstream more addresses."

    Memory 503 Connect "gateway.out_of_memory"
        "this gateway is out of memory for sockets"
        "The kernel gives no more: look at net.ipv4.tcp_mem, the memory of the machine, and of the cgroup."
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> Vec<Fault> {
        let requests = RequestFault::ALL.iter().map(|&fault| Fault::from(fault));
        let upstreams = UpstreamFault::ALL.iter().map(|&fault| Fault::from(fault));
        requests.chain(upstreams).chain(GatewayFault::ALL.iter().map(|&fault| Fault::from(fault))).collect()
    }

    #[test]
    fn every_code_has_one_meaning_and_its_own_hint() {
        let all = all();
        let codes: BTreeSet<_> = all.iter().map(|fault| fault.code()).collect();
        let hints: BTreeSet<_> = all.iter().filter_map(|fault| fault.hint()).collect();
        assert_eq!((codes.len(), hints.len()), (all.len(), all.len()));
    }

    #[test]
    fn a_page_of_the_documentation_begins_with_the_status() {
        let pages = include_str!("../../docs/errors.md");
        for fault in all() {
            let heading = format!("### `{}`\n\n", fault.code());
            let page = pages.split_once(&heading).map_or("", |(_, page)| page);
            assert!(page.starts_with(&fault.status().to_string()), "{}", fault.code());
        }
    }

    #[test]
    fn timers_are_504_towards_upstreams_and_408_towards_clients() {
        for fault in all().into_iter().filter(|fault| fault.code().ends_with("timeout")) {
            let expected = if matches!(fault, Fault::Upstream(_)) { 504 } else { 408 };
            assert_eq!(fault.status(), expected, "{}", fault.code());
        }
    }
}
