//! What was seen and what it means: the shape of `rulec doctor --json`.

use serde::Serialize;

/// Everything that `rulec doctor` has to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// In the order of the rules.
    pub upstreams: Vec<UpstreamReport>,
    /// In the order of `proxy.toml`.
    pub listeners: Vec<ListenerReport>,
    /// The gravest first.
    pub findings: Vec<Finding>,
}

/// An upstream as the rules and `proxy.toml` together say it is, and what its servers did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UpstreamReport {
    /// Its name in the rules.
    pub name: String,
    /// Which value stands, and whence.
    pub settings: Vec<Setting>,
    /// In order.
    pub servers: Vec<ServerReport>,
}

/// One value of an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// The word of the rules.
    pub key: String,
    /// As the rules would write it.
    pub value: String,
    /// `rules`, `default`, or the place in `proxy.toml`.
    pub whence: String,
}

/// One server of an upstream.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ServerReport {
    /// Name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What Host says to it.
    pub host_header: String,
    /// The name that SNI says and the certificate is verified for; None is clear text.
    pub tls_name: Option<String>,
    /// What its name means.
    pub resolution: Resolution,
    /// What each address did, in the order of the resolution.
    pub addresses: Vec<AddressReport>,
    /// How long an idle connection was kept: only where that was asked for.
    pub idle: Option<IdleReport>,
}

/// What a name means.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Resolution {
    /// `address` (there was nothing to resolve), `hosts` or `dns`.
    pub source: String,
    /// Who was asked: those of `[dns]`, else the system's; nobody for an address or a name of the hosts file.
    pub name_servers: Vec<String>,
    /// In the order in which they came.
    pub addresses: Vec<String>,
    /// How long the answer may be kept: the least of its records.
    pub ttl_seconds: Option<u64>,
    /// How long the gateway keeps it, which has bounds of its own.
    pub kept_seconds: Option<u64>,
    /// How long it took.
    pub milliseconds: f64,
    /// Why there is no address.
    pub failure: Option<Failure>,
    /// Where there is none: what the system's own resolver finds elsewhere than in the hosts file and DNS.
    pub only_system: Vec<String>,
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// What the gateway would answer with, such as `upstream.connect.refused`.
    pub code: String,
    /// In the words of whoever failed.
    pub detail: String,
}

/// What one address did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AddressReport {
    /// With its port.
    pub address: String,
    /// How long connecting took.
    pub connect_milliseconds: Option<f64>,
    /// Why there is no connection.
    pub failure: Option<Failure>,
    /// None where TLS is not spoken, or was not reached.
    pub tls: Option<TlsReport>,
    /// None where it was not reached.
    pub http: Option<HttpReport>,
}

/// Handshakes with one address.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TlsReport {
    /// As the gateway does it.
    pub as_configured: Handshake,
    /// With SNI and no verification, HTTP/2 offered: what the server has. The name of SNI is `sni`.
    pub with_sni: Option<Handshake>,
    /// The same without SNI.
    pub without_sni: Option<Handshake>,
    /// The name of `with_sni`; None where the name is an address, which SNI cannot carry.
    pub sni: Option<String>,
    /// What verification says to the certificates that the gateway gets.
    pub verification: Option<Verification>,
}

/// One handshake.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Handshake {
    /// How long it took.
    pub milliseconds: f64,
    /// Why it failed; what follows is then what was known by that time.
    pub failure: Option<Failure>,
    /// `1.2` or `1.3`
    pub version: Option<String>,
    /// The key exchange group.
    pub group: Option<String>,
    /// The cipher suite.
    pub cipher: Option<String>,
    /// The protocol that the server chose by ALPN.
    pub alpn: Option<String>,
    /// The server asked for a certificate of the gateway's.
    pub asks_for_certificate: bool,
    /// The server's own first.
    pub certificates: Vec<Certificate>,
}

/// A certificate, as far as people ask about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who says so.
    pub issuer: String,
    /// Names and addresses that it holds for.
    pub names: Vec<String>,
    /// `2027-01-31T12:00:00Z`
    pub not_before: String,
    /// `2027-01-31T12:00:00Z`
    pub not_after: String,
    /// Whole days until its end; negative where it has ended.
    pub days_left: i64,
    /// Octets: two handshakes got the same certificate where these are the same.
    pub blake3: String,
}

/// Each question that verification asks, answered by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// The name that was asked about.
    pub name: String,
    /// The certificate holds for the name.
    pub name_fits: bool,
    /// It leads to an authority that the gateway trusts.
    pub issuer_trusted: bool,
    /// It holds now.
    pub in_time: bool,
    /// What verification as a whole says where it fails.
    pub problem: Option<String>,
}

/// The answer to one request.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "a report: each says one thing that was seen, and none decides")]
pub struct HttpReport {
    /// `HEAD /`
    pub request: String,
    /// `1.1`, or `2` where the rules say HTTP/2.
    pub version: String,
    /// From the request's last octet to the end of the answer's head.
    pub milliseconds: f64,
    /// Why there is no answer.
    pub failure: Option<Failure>,
    /// Its status.
    pub status: Option<u16>,
    /// Server.
    pub server: Option<String>,
    /// X-Powered-By.
    pub powered_by: Option<String>,
    /// Location.
    pub location: Option<String>,
    /// Connection.
    pub connection: Option<String>,
    /// Keep-Alive.
    pub keep_alive: Option<String>,
    /// The time that Keep-Alive announces.
    pub keep_alive_seconds: Option<u64>,
    /// The connection stays open behind the answer.
    pub persistent: bool,
    /// The server speaks TLS on a port where it is asked in clear text.
    pub speaks_tls: bool,
    /// The server answers HTTP/1.1, and HTTP/2, which the rules say, with something else or not at all.
    pub speaks_http1: bool,
    /// The server answers HTTP/1.1 with frames of HTTP/2.
    pub speaks_http2: bool,
    /// The request went over a connection whose certificate was not verified, because verification fails.
    pub unverified: bool,
}

/// How long an idle connection was kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct IdleReport {
    /// The address it was measured at.
    pub address: String,
    /// From the end of the answer to the server's end of the connection.
    pub closed_after_milliseconds: Option<f64>,
    /// It was reset rather than closed.
    pub reset: bool,
    /// HTTP/2: the server said before that nothing more is done on it, so that no request is lost.
    pub announced: bool,
    /// It was still open after this: as long as was waited.
    pub open_after_milliseconds: Option<f64>,
    /// Why it could not be measured.
    pub failure: Option<Failure>,
}

/// A listener between the load balancer before it and the upstreams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListenerReport {
    /// Its name in `proxy.toml`.
    pub name: String,
    /// A client's connection without a request is closed after this.
    pub idle_milliseconds: u64,
    /// The load balancer lets go of its idle connections after this, as `proxy.toml` says.
    pub load_balancer_idle_milliseconds: Option<u64>,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "exit status and colours follow from these three")]
pub enum Severity {
    /// Requests fail by it, always or now and then.
    Error,
    /// Nothing fails by it today.
    Warning,
    /// Worth knowing.
    Info,
}

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Stable: `rulec explain CODE` has a page about it.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// The upstream it is about.
    pub upstream: Option<String>,
    /// The server it is about, `host:port`.
    pub server: Option<String>,
    /// Those of its addresses that it is about, where it is about addresses.
    pub addresses: Vec<String>,
    /// The listener it is about.
    pub listener: Option<String>,
    /// What is so.
    pub what: String,
    /// What comes of it.
    pub why: String,
    /// What to write or do instead.
    pub instead: Option<String>,
}

impl Report {
    /// The findings of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
