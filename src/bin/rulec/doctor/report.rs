//! A report as a person reads it, and as JSON.

use crate::lines::Lines;
use crate::status::Stop;
use core::fmt::Write;
use rulec::proxy::doctor::{
    AddressReport, Failure, Finding, Handshake, HttpReport, IdleReport, ListenerReport, Options, Report, Resolution,
    ServerReport, Setting, Severity, TlsReport, UpstreamReport,
};
use std::io;

/// One object, `upstreams`, `listeners` and `findings`.
pub(super) fn json(report: &Report) -> Result<String, Stop> {
    let text = serde_json::to_string_pretty(report).map_err(|error| Stop::io("the report")(io::Error::other(error)))?;
    Ok(text + "\n")
}

/// What was seen, server by server; then the findings, and a line that counts them.
pub(super) fn human(report: &Report, options: &Options, color: bool) -> String {
    let page = Page { color };
    let mut text = Lines::default();
    for upstream in &report.upstreams {
        page.upstream(&mut text, upstream);
    }
    for listener in &report.listeners {
        page.listener(&mut text, listener);
    }
    for finding in &report.findings {
        page.finding(&mut text, finding, &only_some(report, finding));
    }
    page.summary(&mut text, report, options);
    text.into_text()
}

/// How it is written.
struct Page {
    color: bool,
}

/// Columns of a line that says settings.
const WIDTH: usize = 110;

const BOLD: &str = "1";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const BLUE: &str = "1;34";

impl Page {
    fn paint(&self, color: &str, text: &str) -> String {
        if self.color { format!("\x1b[{color}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn upstream(&self, text: &mut Lines, upstream: &UpstreamReport) {
        writeln!(text, "{}", self.paint(BOLD, &format!("upstream {}", upstream.name))).ok();
        let mut sources: Vec<&str> = Vec::new();
        for setting in &upstream.settings {
            if !sources.contains(&setting.whence.as_str()) {
                sources.push(&setting.whence);
            }
        }
        // Defaults last: they are what nobody wrote.
        sources.sort_by_key(|whence| *whence == "default");
        for whence in sources {
            let said = upstream.settings.iter().filter(|setting| setting.whence == whence);
            settings(text, whence, said);
        }
        for server in &upstream.servers {
            self.server(text, server);
        }
        text.gap();
    }

    fn server(&self, text: &mut Lines, server: &ServerReport) {
        writeln!(text, "  {}", self.paint(BOLD, &name(server))).ok();
        line(text, "resolve", &resolution(&server.resolution));
        for address in &server.addresses {
            let one = server.addresses.len() == 1;
            if !one {
                writeln!(text, "    {}", address.address).ok();
            }
            self::address(text, address);
        }
        if let Some(idle) = &server.idle {
            line(text, "idle", &self::idle(idle));
        }
    }

    fn listener(&self, text: &mut Lines, listener: &ListenerReport) {
        let balancer = listener.load_balancer_idle_milliseconds.map_or_else(
            || "the load balancer's idle time is not declared".to_owned(),
            |milliseconds| format!("the load balancer after {}", seconds(milliseconds)),
        );
        let name = self.paint(BOLD, &format!("listener {}", listener.name));
        writeln!(text, "{name}").ok();
        let idle = seconds(listener.idle_milliseconds);
        writeln!(text, "  idle connections are let go after {idle}; {balancer}").ok();
        text.gap();
    }

    fn finding(&self, text: &mut Lines, finding: &Finding, only: &str) {
        let (word, color) = match finding.severity {
            Severity::Error => ("error", RED),
            Severity::Warning => ("warning", YELLOW),
            Severity::Info => ("info", BLUE),
        };
        let head = self.paint(color, &format!("{word}[{}]", finding.code));
        let about = [
            finding.upstream.as_ref().map(|name| format!("upstream {name}")),
            finding.server.clone(),
            finding.listener.as_ref().map(|name| format!("listener {name}")),
        ];
        let about: Vec<String> = about.into_iter().flatten().collect();
        let about = if about.is_empty() { String::new() } else { format!("{}: ", about.join(", ")) };
        writeln!(text, "{head}: {about}{}{only}", finding.what).ok();
        writeln!(text, "  why: {}", finding.why).ok();
        if let Some(instead) = &finding.instead {
            writeln!(text, "  instead: {instead}").ok();
        }
    }

    fn summary(&self, text: &mut Lines, report: &Report, options: &Options) {
        let counted = |severity, word: &str| match report.count(severity) {
            0 => None,
            1 => Some(format!("1 {word}")),
            count => Some(format!("{count} {word}s")),
        };
        let counts = [counted(Severity::Error, "error"), counted(Severity::Warning, "warning")];
        let counts: Vec<String> = counts.into_iter().flatten().collect();
        let counts = if counts.is_empty() { "nothing is wrong".to_owned() } else { counts.join(", ") };
        let unmeasured = options.idle.is_none() && report.upstreams.iter().any(|upstream| !upstream.servers.is_empty());
        let idle = if unmeasured { "; idle times were not measured: `--idle` does" } else { "" };
        writeln!(text, "{}{idle}", self.paint(BOLD, &counts)).ok();
    }
}

/// Values of one source, those of a statement together as the rules would write them, in lines that fit a terminal.
fn settings<'s>(text: &mut Lines, whence: &str, said: impl Iterator<Item = &'s Setting>) {
    let mut statements: Vec<(&str, String)> = Vec::new();
    for Setting { key, value, .. } in said {
        let (statement, rest) = key.split_once(' ').unwrap_or((key, ""));
        let words = match (statement, rest) {
            (_, "") => value.clone(),
            ("timeout" | "keepalive", word) => format!("{word}={value}"),
            (_, word) => format!("{word} {value}"),
        };
        match statements.last_mut() {
            Some((last, before)) if *last == statement && statement != "servers" => {
                let between = if ["timeout", "keepalive"].contains(&statement) { " " } else { ", " };
                before.push_str(between);
                before.push_str(&words);
            }
            _ => statements.push((statement, words)),
        }
    }
    let mut line = format!("  {whence}:");
    for (at, (statement, words)) in statements.iter().enumerate() {
        let end = if at + 1 == statements.len() { "" } else { ";" };
        let piece = format!(" {statement} {words}{end}");
        if line.len() + piece.len() > WIDTH {
            writeln!(text, "{line}").ok();
            "   ".clone_into(&mut line);
        }
        line.push_str(&piece);
    }
    writeln!(text, "{line}").ok();
}

/// Which addresses a finding is about, where others of the server are not concerned.
fn only_some(report: &Report, finding: &Finding) -> String {
    let upstreams = report.upstreams.iter().filter(|upstream| Some(&upstream.name) == finding.upstream.as_ref());
    let mut servers = upstreams.flat_map(|upstream| &upstream.servers);
    let server = servers.find(|server| finding.server.as_deref().is_some_and(|name| name == self::name(server)));
    let all = server.map_or(0, |server| server.addresses.len());
    let named = finding.addresses.iter().all(|address| finding.what.contains(address));
    if named || finding.addresses.len() == all {
        String::new()
    } else {
        format!(" (only {})", finding.addresses.join(", "))
    }
}

/// As findings say it.
fn name(server: &ServerReport) -> String {
    if server.host.contains(':') {
        format!("[{}]:{}", server.host, server.port)
    } else {
        format!("{}:{}", server.host, server.port)
    }
}

fn line(text: &mut Lines, word: &str, rest: &str) {
    writeln!(text, "    {word:<9} {rest}").ok();
}

fn resolution(resolution: &Resolution) -> String {
    if let Some(failure) = &resolution.failure {
        return self::failure(failure);
    }
    let addresses = resolution.addresses.join(", ");
    let took = resolution.milliseconds;
    match (resolution.source.as_str(), resolution.ttl_seconds) {
        ("address", _) => "it is an address".to_owned(),
        ("hosts", _) => format!("{addresses}, from the hosts file"),
        (_, Some(ttl)) => {
            let kept = resolution.kept_seconds.filter(|kept| *kept != ttl);
            let kept = kept.map_or_else(String::new, |kept| format!(" (kept for {kept} s)"));
            format!("{addresses}, TTL {ttl} s{kept}, {took} ms, by {}", resolution.name_servers.join(", "))
        }
        (_, None) => format!("{addresses}, {took} ms"),
    }
}

fn failure(failure: &Failure) -> String {
    format!("failed: {} ({})", failure.detail, failure.code)
}

fn address(text: &mut Lines, address: &AddressReport) {
    match (&address.failure, address.connect_milliseconds) {
        (Some(failed), _) => line(text, "connect", &failure(failed)),
        (None, Some(took)) => line(text, "connect", &format!("{took} ms")),
        (None, None) => {}
    }
    if let Some(tls) = &address.tls {
        self::tls(text, tls);
    }
    if let Some(http) = &address.http {
        line(text, "http", &self::http(http));
    }
}

fn tls(text: &mut Lines, tls: &TlsReport) {
    line(text, "tls", &configured(tls));
    if let Some(own) = tls.as_configured.certificates.first() {
        let names = own.names.join(", ");
        let left = if own.days_left < 0 {
            format!("ended {}", days_ago(own.days_left))
        } else {
            format!("{} days left", own.days_left)
        };
        let verified = match tls.verification.as_ref() {
            Some(verdict) if verdict.problem.is_none() => format!("; verified for {}", verdict.name),
            Some(verdict) => format!("; not verified for {}", verdict.name),
            None => String::new(),
        };
        line(text, "", &format!("{names} from {}, {left}{verified}", own.issuer));
        for further in tls.as_configured.certificates.iter().skip(1) {
            line(text, "", &format!("by {} from {}, {} days left", further.subject, further.issuer, further.days_left));
        }
    }
    if tls.as_configured.asks_for_certificate {
        line(text, "", "the server asks for a certificate of the gateway's");
    }
    if let Some(without) = &tls.without_sni {
        let same = tls.with_sni.as_ref().and_then(|with| Some(&with.certificates.first()?.blake3));
        let own = without.certificates.first();
        let told = match (&without.failure, own) {
            (Some(failed), _) => failure(failed),
            (None, Some(own)) if same == Some(&own.blake3) => "the same certificate".to_owned(),
            (None, Some(own)) => format!("the certificate of {}", own.subject),
            (None, None) => "a handshake".to_owned(),
        };
        line(text, "no SNI", &told);
    }
    let offered = [&tls.with_sni, &tls.without_sni].into_iter().flatten().find_map(|seen| seen.alpn.as_deref());
    line(text, "alpn", offered.unwrap_or("none"));
}

fn days_ago(left: i64) -> String {
    match -left {
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}

/// The gateway's own handshake. Where only the certificate is amiss, which is told below, with what was agreed on.
fn configured(tls: &TlsReport) -> String {
    let looks = [&tls.with_sni, &tls.without_sni].into_iter().flatten();
    let looked = looks.into_iter().find(|seen| seen.failure.is_none());
    match (&tls.as_configured.failure, looked) {
        (Some(failed), Some(looked)) if failed.code.starts_with("upstream.tls.certificate") => {
            format!("{}; verification fails ({})", handshake(looked), failed.code)
        }
        _ => handshake(&tls.as_configured),
    }
}

fn handshake(seen: &Handshake) -> String {
    if let Some(failed) = &seen.failure {
        return failure(failed);
    }
    let known = [&seen.version, &seen.group, &seen.cipher].into_iter().flatten();
    let known: Vec<&str> = known.map(String::as_str).collect();
    format!("{}, {} ms", known.join(", "), seen.milliseconds)
}

fn http(http: &HttpReport) -> String {
    if let Some(failed) = &http.failure {
        return failure(failed);
    }
    let over = if http.version == "2" { " over HTTP/2" } else { "" };
    let mut told = vec![format!("{}{over} is answered with {}", http.request, http.status.unwrap_or_default())];
    told.push(format!("{} ms", http.milliseconds));
    told.extend(http.server.as_ref().map(|value| format!("Server: {value}")));
    told.extend(http.powered_by.as_ref().map(|value| format!("X-Powered-By: {value}")));
    told.extend(http.keep_alive.as_ref().map(|value| format!("Keep-Alive: {value}")));
    if !http.persistent {
        told.push("closes the connection".to_owned());
    }
    if http.unverified {
        told.push("asked without verification".to_owned());
    }
    told.join(", ")
}

fn idle(idle: &IdleReport) -> String {
    let in_seconds = |milliseconds: f64| format!("{:.1} s", milliseconds / 1_000.0);
    match (idle.closed_after_milliseconds, idle.open_after_milliseconds, &idle.failure) {
        (Some(closed), ..) if idle.announced => format!("ended by GOAWAY after {}", in_seconds(closed)),
        (Some(closed), ..) if idle.reset => format!("reset after {}", in_seconds(closed)),
        (Some(closed), ..) => format!("closed after {}", in_seconds(closed)),
        (None, Some(open), _) => format!("still open after {}", in_seconds(open)),
        (None, None, Some(failed)) => failed.detail.clone(),
        (None, None, None) => "not measured".to_owned(),
    }
}

fn seconds(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1_000) {
        format!("{} s", milliseconds / 1_000)
    } else {
        format!("{milliseconds} ms")
    }
}
