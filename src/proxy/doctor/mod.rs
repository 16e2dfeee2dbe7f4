//! `rulec doctor`: asks every server of every upstream, and judges what they say against the rules and `proxy.toml`.
//!
//! What is seen ([`report`]) and what it means (`judge`) are apart: a verdict depends on the report alone.

mod certificate;
mod client_certificate;
mod declared;
mod handshake;
mod http;
mod http2;
mod idle;
mod judge;
mod probe;
mod report;
mod resolve;
mod verification;

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::sync::Arc;

pub use report::{
    AddressReport, Certificate, Failure, Finding, Handshake, HttpReport, IdleReport, ListenerReport, Report,
    Resolution, ServerReport, Setting, Severity, TlsReport, UpstreamReport, Verification,
};

use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use super::config::Config;
use crate::contract::manifest::{Manifest, Protocol};
use declared::Declared;
use probe::Target;

/// Servers probed at once: a policy may name hundreds, and a person waits.
const PROBED_AT_ONCE: usize = 32;

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// How servers are asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How long each step may take, whatever the timers of the rules say: what is slower than they allow is to be seen.
    pub patience: Duration,
    /// Where the idle time is to be measured: how long at most.
    pub idle: Option<Duration>,
    /// The request target that is asked for.
    pub path: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { patience: Duration::from_secs(10), idle: None, path: "/".to_owned() }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Servers that are still asked or waited for.
    pub servers_left: usize,
    /// Since the beginning.
    pub elapsed: Duration,
}

/// Asks all servers, and judges.
///
/// # Errors
/// Where this machine lets no runtime begin.
pub fn examine(manifest: &Manifest, config: &Config, options: &Options, tell: &dyn Fn(Progress)) -> io::Result<Report> {
    let declared = declared::read(manifest, config);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let upstreams = runtime.block_on(ask_all(&declared, &config.dns, options, tell));
    let listeners = config.listeners.iter().map(|listener| listener_report(listener, config)).collect();
    let mut report = Report { upstreams, listeners, findings: Vec::new() };
    report.findings = judge::judge(&declared, &report);
    report.findings.extend(judge::unknown_upstreams(manifest, config));
    report.findings.sort_by_key(|finding| finding.severity);
    Ok(report)
}

fn listener_report(listener: &super::config::Listener, config: &Config) -> ListenerReport {
    let in_milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    ListenerReport {
        name: listener.name.clone(),
        idle_milliseconds: in_milliseconds(listener.limits(config.limits).client_idle_max),
        load_balancer_idle_milliseconds: listener.load_balancer_idle_ms,
    }
}

async fn ask_all(
    declared: &[Declared],
    name_servers: &[SocketAddr],
    options: &Options,
    tell: &dyn Fn(Progress),
) -> Vec<UpstreamReport> {
    let empty = |upstream: &Declared| UpstreamReport {
        name: upstream.merged.name.clone(),
        settings: upstream.settings.clone(),
        servers: Vec::new(),
    };
    let mut reports: Vec<UpstreamReport> = declared.iter().map(empty).collect();
    let (options, turn) = (Arc::new(options.clone()), Arc::new(Semaphore::new(PROBED_AT_ONCE)));
    let mut asked = JoinSet::new();
    for (index, upstream) in declared.iter().enumerate() {
        for (at, target) in targets(upstream, name_servers).into_iter().enumerate() {
            let (options, turn) = (Arc::clone(&options), Arc::clone(&turn));
            asked.spawn(async move { (index, at, probe::probe(target, options, turn).await) });
        }
    }
    let began = Instant::now();
    let mut clock = interval(PROGRESS_INTERVAL);
    let mut answers = Vec::new();
    while !asked.is_empty() {
        tokio::select! {
            answer = asked.join_next() => answers.extend(answer.and_then(Result::ok)),
            _ = clock.tick() => tell(Progress { servers_left: asked.len(), elapsed: began.elapsed() }),
        }
    }
    answers.sort_by_key(|(index, at, _)| (*index, *at));
    for (index, _, server) in answers {
        if let Some(report) = reports.get_mut(index) {
            report.servers.push(server);
        }
    }
    reports
}

fn targets(upstream: &Declared, name_servers: &[SocketAddr]) -> Vec<Target> {
    let servers = upstream.built.as_ref().map_or(&[][..], |built| &built.servers);
    let target = |server: &super::upstream::Server| Target {
        host: server.host.clone(),
        port: server.port,
        host_header: server.host_header.clone(),
        tls: server.tls.as_ref().map(|tls| (Arc::clone(tls.connector.config()), tls.name.clone())),
        verifier: upstream.verifier.clone(),
        http2: upstream.merged.protocol == Protocol::Http2,
        name_servers: name_servers.to_vec(),
    };
    servers.iter().map(target).collect()
}

fn milliseconds(time: Duration) -> f64 {
    // Tenths: more is noise.
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
