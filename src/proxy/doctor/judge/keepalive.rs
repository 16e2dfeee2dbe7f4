//! How long the gateway keeps idle connections, and how long the server does.

use core::time::Duration;

use super::super::declared::{Declared, time};
use super::super::report::{HttpReport, ServerReport};
use super::Findings;
use super::software::Software;
use crate::proxy::limits::KEEPALIVE_MARGIN;

pub(super) fn judge(upstream: &Declared, server: &ServerReport, findings: &mut Findings) {
    let pool = upstream.merged.keepalive_idle_ms;
    let answers = server.addresses.iter().filter_map(|address| address.http.as_ref());
    let Some(http) = answers.into_iter().find(|http| http.status.is_some()) else { return };
    let software = Software::of(http);
    // Nothing is kept, so nothing can be kept too long.
    if upstream.merged.keepalive == 0 {
        return;
    }
    if !http.persistent {
        not_kept(http, software, findings);
        return;
    }
    let kept = kept(pool, http);
    if http.version == "2" {
        // Who announces the end loses no request; the gateway learns of it.
        let ended = server.idle.as_ref().filter(|idle| !idle.announced);
        if let Some(measured) = ended.and_then(|idle| idle.closed_after_milliseconds) {
            measured_against(upstream, kept, whole(measured), software, findings);
        }
        return;
    }
    match server.idle.as_ref().and_then(|idle| idle.closed_after_milliseconds) {
        Some(measured) => measured_against(upstream, kept, whole(measured), software, findings),
        None if http.keep_alive_seconds.is_none() => suspect(upstream, software, findings),
        None => {}
    }
    if kept < pool {
        announced(pool, kept, http, findings);
    }
}

/// What the gateway makes of the rules' time and of the announced one.
fn kept(pool: u64, http: &HttpReport) -> u64 {
    let announced = http.keep_alive_seconds.map(|seconds| seconds.saturating_mul(1_000).saturating_sub(margin()));
    announced.map_or(pool, |announced| announced.min(pool))
}

fn margin() -> u64 {
    u64::try_from(KEEPALIVE_MARGIN.as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a measured time, of hours at most")]
fn whole(milliseconds: f64) -> u64 {
    Duration::from_secs_f64((milliseconds / 1_000.0).max(0.0)).as_secs_f64().mul_add(1_000.0, 0.5) as u64
}

/// What is safely below a server's idle time: a second, or half of what is short.
fn below(measured: u64) -> u64 {
    let safe = if measured > 2 * margin() { measured - margin() } else { measured / 2 };
    // Whole seconds where there are some: a person writes it.
    if safe >= 1_000 { safe - safe % 1_000 } else { safe - safe % 100 }
}

fn measured_against(
    upstream: &Declared,
    kept: u64,
    measured: u64,
    software: Option<Software>,
    findings: &mut Findings,
) {
    let (pool, whence) = (upstream.merged.keepalive_idle_ms, upstream.whence("keepalive idle"));
    let server_side =
        software.map_or_else(String::new, |software| format!("; or at the server: {}", software.longer(pool)));
    let instead = Some(format!("`keepalive idle={}`{server_side}", time(below(measured).max(100))));
    let seconds = seconds(measured);
    if kept >= measured {
        let what = format!(
            "the server closes idle connections after {seconds} s, the gateway keeps them for {} ({whence})",
            time(kept)
        );
        let why = "A request that is sent as the server closes is lost: `upstream.reused_connection_closed` where it \
                   may not be sent again.";
        findings.error("doctor.keepalive.too_long", what, why, instead);
    } else if kept + margin() > measured {
        let what = format!(
            "the server closes idle connections after {seconds} s, the gateway lets go of them after {} ({whence}): too close",
            time(kept)
        );
        let why = "A request and the server's close can meet on the way.";
        findings.warning("doctor.keepalive.too_close", what, why, instead);
    }
}

fn seconds(milliseconds: u64) -> String {
    let tenths = (milliseconds + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn announced(pool: u64, kept: u64, http: &HttpReport, findings: &mut Findings) {
    let said = http.keep_alive.as_deref().unwrap_or_default();
    let what = format!(
        "the server announces `Keep-Alive: {said}`: connections are kept for {}, not {}",
        time(kept),
        time(pool)
    );
    let why = "The gateway learns it from the answer and lets go a second before. Longer times mean fewer connections.";
    let software = Software::of(http).map(|software| format!("; for longer, at the server: {}", software.longer(pool)));
    let instead = format!("nothing{}", software.unwrap_or_default());
    findings.info("doctor.keepalive.announced", what, why, Some(instead));
}

fn not_kept(http: &HttpReport, software: Option<Software>, findings: &mut Findings) {
    let said = http.connection.as_deref().unwrap_or("HTTP/1.0");
    let what = format!("the server closes the connection behind each answer ({said})");
    let why = "Each request pays for a connection of its own, and for a handshake where TLS is spoken.";
    let keeping = software.map_or("HTTP/1.1 answers without `Connection: close`", Software::keeping);
    findings.warning("doctor.keepalive.none", what, why, Some(format!("at the server: {keeping}")));
}

/// Nothing was measured or announced, but such servers are known.
fn suspect(upstream: &Declared, software: Option<Software>, findings: &mut Findings) {
    let (pool, whence) = (upstream.merged.keepalive_idle_ms, upstream.whence("keepalive idle"));
    let Some(software) = software else { return };
    let Some(usual) = software.usual_idle_ms().filter(|usual| *usual <= pool) else { return };
    let what = format!(
        "{} closes idle connections after {} unless told otherwise, the gateway keeps them for {} ({whence})",
        software.name(),
        time(usual),
        time(pool)
    );
    let why = "A request that is sent as the server closes is lost. `rulec doctor --idle` measures the time.";
    let instead = format!("`keepalive idle={}`; or at the server: {}", time(below(usual)), software.longer(pool));
    findings.warning("doctor.keepalive.suspect", what, why, Some(instead));
}
