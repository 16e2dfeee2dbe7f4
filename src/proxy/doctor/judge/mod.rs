//! Verdicts: what was seen, held against what the rules and `proxy.toml` say.

mod hops;
mod http;
mod http2;
mod keepalive;
mod reach;
mod software;
mod tls;

use super::declared::Declared;
use super::report::{Finding, Report, ServerReport, Severity};
use crate::contract::manifest::Manifest;
use crate::proxy::config::Config;

/// Every verdict, in the order of the rules.
pub(super) fn judge(declared: &[Declared], report: &Report) -> Vec<Finding> {
    let mut findings = Findings::default();
    for (upstream, seen) in declared.iter().zip(&report.upstreams) {
        findings.upstream = Some(upstream.merged.name.clone());
        if let Err(problem) = &upstream.built {
            let why = "The gateway does not start with this.";
            let instead = "what the sentence above names, in `[upstream.NAME]` of `proxy.toml` or in the rules";
            findings.error("doctor.upstream.invalid", problem.clone(), why, Some(instead.to_owned()));
        }
        for server in &seen.servers {
            findings.server = Some(name(server));
            reach::judge(upstream, server, &mut findings);
            tls::judge(upstream, server, &mut findings);
            http::judge(upstream, server, &mut findings);
            http2::judge(upstream, server, &mut findings);
            keepalive::judge(upstream, server, &mut findings);
        }
        findings.server = None;
        hops::timers(upstream, &report.listeners, &mut findings);
    }
    findings.upstream = None;
    for listener in &report.listeners {
        findings.listener = Some(listener.name.clone());
        hops::listener(listener, &mut findings);
    }
    findings.list
}

/// Upstreams of `proxy.toml` that the rules do not know.
pub(super) fn unknown_upstreams(manifest: &Manifest, config: &Config) -> Vec<Finding> {
    let mut findings = Findings::default();
    for (name, words) in &config.upstreams {
        if !manifest.upstreams.iter().any(|upstream| upstream.name == *name) {
            let what = format!("{}: the rules know no upstream `{name}`", words.place);
            let why = "The gateway does not start with this.";
            findings.error("doctor.upstream.unknown", what, why, Some("the name that the rules have".to_owned()));
        }
    }
    findings.list
}

/// `host:port`
fn name(server: &ServerReport) -> String {
    format!("{}:{}", super::declared::bracketed(&server.host), server.port)
}

/// What has been found, and what it is about at the moment.
#[derive(Debug, Default)]
struct Findings {
    list: Vec<Finding>,
    upstream: Option<String>,
    server: Option<String>,
    address: Option<String>,
    listener: Option<String>,
}

impl Findings {
    fn error(&mut self, code: &'static str, what: String, why: impl Into<String>, instead: Option<String>) {
        self.add(Severity::Error, code, what, why, instead);
    }

    fn warning(&mut self, code: &'static str, what: String, why: impl Into<String>, instead: Option<String>) {
        self.add(Severity::Warning, code, what, why, instead);
    }

    fn info(&mut self, code: &'static str, what: String, why: impl Into<String>, instead: Option<String>) {
        self.add(Severity::Info, code, what, why, instead);
    }

    /// Several addresses of a server commonly say the same: it is said once.
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        what: String,
        why: impl Into<String>,
        instead: Option<String>,
    ) {
        let (upstream, server, listener) = (self.upstream.clone(), self.server.clone(), self.listener.clone());
        let (why, addresses) = (why.into(), Vec::new());
        let mut finding = Finding { code, severity, upstream, server, addresses, listener, what, why, instead };
        let same = self.list.iter_mut().find(|other| {
            finding.addresses.clone_from(&other.addresses);
            **other == finding
        });
        if let Some(same) = same {
            same.addresses.extend(self.address.clone().filter(|own| !same.addresses.contains(own)));
        } else {
            finding.addresses = self.address.iter().cloned().collect();
            self.list.push(finding);
        }
    }
}
