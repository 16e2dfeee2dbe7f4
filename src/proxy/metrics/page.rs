//! `/metrics`: the text format of Prometheus, version 0.0.4, which everything that reads metrics reads.
//!
//! Written by hand: the sums are made when they are asked for, and a library's registry would want to be what counts.

use core::fmt::{Display, Write as _};
use core::sync::atomic::Ordering;
use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use super::histogram::{BOUNDS, Times};
use super::pool::PoolSums;
use super::{Cells, Histogram, Metrics, locked};
use crate::proxy::shared::Shared;

/// A page that is being written.
#[derive(Debug, Default)]
struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        // Writing to a String cannot fail; the same below.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let _ = write!(self.text, "{}{label}=\"", if at == 0 { '{' } else { ',' });
            for c in value.chars() {
                match c {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    _ => self.text.push(c),
                }
            }
            self.text.push('"');
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// A family of one sample.
    fn one(&mut self, name: &'static str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample("", &[], value);
    }

    fn times(&mut self, label: (&str, &str), times: &Times) {
        let mut below = 0;
        for (bound, count) in BOUNDS.iter().zip(&times.counts) {
            below += count;
            self.sample("_bucket", &[label, ("le", &seconds(*bound))], below);
        }
        self.sample("_bucket", &[label, ("le", "+Inf")], times.count());
        self.sample("_sum", &[label], seconds(times.micros));
        self.sample("_count", &[label], times.count());
    }
}

fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Everything that is counted; `dropped` log lines were lost.
pub(in crate::proxy) fn page(shared: &Shared, dropped: u64) -> String {
    let mut page = Page::default();
    shared.metrics.requests_page(&mut page);
    shared.metrics.omitted_page(&mut page);
    shared.metrics.clients_page(&mut page);
    page.family("rulec_doors_total", "counter", "What happened to connections before their first request.");
    for (what, count) in shared.doors.all() {
        page.sample("", &[("what", what)], count);
    }
    shortage_page(shared, &mut page);
    shared.metrics.upstreams_page(&mut page);
    policy_page(shared, &mut page);
    page.one("rulec_log_lines_dropped_total", "counter", "Access log lines that could not be written.", dropped);
    page.family("rulec_meter_total", "counter", "The meters that the rules count.");
    for (meter, count) in shared.meters() {
        page.sample("", &[("meter", &meter)], count);
    }
    page.text
}

impl Metrics {
    fn requests_page(&self, page: &mut Page) {
        let known = locked(&self.known);
        page.family("rulec_requests_total", "counter", "Requests by the rule that decided and what came of it.");
        for (number, (service, location, upstream, code, status)) in known.series().iter().enumerate() {
            let load = |cells: &Cells| cells.requests.get(number).map_or(0, |cell| cell.load(Ordering::Relaxed));
            let count = self.sum(load);
            if count > 0 {
                let labels: [(&str, &str); 5] = [
                    ("service", service),
                    ("location", location),
                    ("upstream", upstream),
                    ("code", code),
                    ("status", status),
                ];
                page.sample("", &labels, count);
            }
        }
        page.family("rulec_outcomes_total", "counter", "Requests by what was done with them.");
        for (outcome, count) in self.outcomes() {
            page.sample("", &[("outcome", outcome)], count);
        }
        page.family("rulec_request_duration_seconds", "histogram", "Until the answer had ended, by service.");
        for (number, service) in known.services().iter().enumerate() {
            self.histogram(page, ("service", service), |cells| cells.services.get(number));
        }
        page.family(
            "rulec_upstream_answer_seconds",
            "histogram",
            "Until the head of the upstream's answer was there, by upstream.",
        );
        for (number, upstream) in known.upstreams().iter().enumerate() {
            self.histogram(page, ("upstream", upstream), |cells| cells.upstreams.get(number));
        }
    }

    fn omitted_page(&self, page: &mut Page) {
        page.family("rulec_request_fields_omitted_total", "counter", "Lines of requests that no rule saw, by why.");
        for (at, why) in ["name", "connection"].into_iter().enumerate() {
            let count = self.sum(|cells| cells.omitted.get(at).map_or(0, |cell| cell.load(Ordering::Relaxed)));
            page.sample("", &[("why", why)], count);
        }
    }

    fn histogram(&self, page: &mut Page, label: (&str, &str), of: impl Fn(&Cells) -> Option<&Histogram>) {
        let mut times = Times::default();
        for cells in locked(&self.cores).iter() {
            if let Some(histogram) = of(cells) {
                times.add(histogram);
            }
        }
        if times.count() > 0 {
            page.times(label, &times);
        }
    }

    fn clients_page(&self, page: &mut Page) {
        let sum = |cell: fn(&Cells) -> u64| self.sum(cell);
        let in_flight = sum(|cells| cells.in_flight.load(Ordering::Relaxed));
        page.one("rulec_requests_in_flight", "gauge", "Requests whose answers have not ended.", in_flight);
        page.one("rulec_client_connections", "gauge", "Client connections that are open.", self.connections());
        let accepted = sum(|cells| cells.accepted.load(Ordering::Relaxed));
        page.one("rulec_client_connections_total", "counter", "Client connections since the start.", accepted);
    }

    fn upstreams_page(&self, page: &mut Page) {
        let mut pools: BTreeMap<String, PoolSums> = BTreeMap::new();
        for cells in locked(&self.cores).iter() {
            for (upstream, counts) in locked(&cells.pools).iter() {
                pools.entry(upstream.clone()).or_default().add(counts);
            }
        }
        page.family("rulec_upstream_connections_total", "counter", "Connections made to an upstream.");
        for (upstream, sums) in &pools {
            page.sample("", &[("upstream", upstream)], sums.opened);
        }
        page.family("rulec_upstream_reuses_total", "counter", "Requests that were sent on a kept connection.");
        for (upstream, sums) in &pools {
            page.sample("", &[("upstream", upstream)], sums.reused);
        }
        page.family("rulec_upstream_idle_connections", "gauge", "Connections that are kept for the next request.");
        for (upstream, sums) in &pools {
            page.sample("", &[("upstream", upstream)], sums.idle);
        }
        page.family("rulec_upstream_failures_total", "counter", "Attempts at an upstream that failed, by code.");
        for (upstream, sums) in &pools {
            for (code, count) in &sums.failed {
                page.sample("", &[("upstream", upstream), ("code", code)], count);
            }
        }
    }
}

fn shortage_page(shared: &Shared, page: &mut Page) {
    page.family("rulec_shortages_total", "counter", "Connections that were not made for want of something of our own.");
    for (what, count) in shared.shortage.all() {
        page.sample("", &[("what", what)], count);
    }
    let (stops, stopped) = (shared.descriptors.stops(), shared.descriptors.has_stopped());
    let help = "Times that accepting stopped for want of file descriptors.";
    page.one("rulec_accept_stops_total", "counter", help, stops);
    page.one("rulec_accept_stopped", "gauge", "Whether nothing is accepted at the moment.", u8::from(stopped));
}

fn policy_page(shared: &Shared, page: &mut Page) {
    let (generation, policy) = shared.policy();
    page.family("rulec_policy_info", "gauge", "The policy that serves, as BLAKE3 of its artifact.");
    let version = env!("CARGO_PKG_VERSION");
    let labels =
        [("hash", policy.hash.as_str()), ("compiler", policy.manifest.compiler.as_str()), ("version", version)];
    page.sample("", &labels, 1);
    page.one("rulec_policy_generation", "gauge", "Goes up by one with every new policy.", generation);
    let since = policy.loaded.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let loaded = seconds(u64::try_from(since).unwrap_or_default());
    page.one("rulec_policy_loaded_timestamp_seconds", "gauge", "When the policy was loaded.", loaded);
    let reloads = &shared.reloads;
    page.one("rulec_reloads_total", "counter", "Policies that took over since the start.", reloads.done());
    page.one("rulec_reload_failures_total", "counter", "Reloads that kept the policy before.", reloads.failed());
    let ok = reloads.last().is_none_or(|last| last.error.is_none());
    page.one("rulec_reload_ok", "gauge", "Whether the last reload took over; 0 wants a look.", u8::from(ok));
}
