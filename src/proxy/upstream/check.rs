//! Active checks: each server of an upstream with `health` is asked by one task of the gateway.

use core::future::poll_fn;
use core::time::Duration;
use std::sync::{Arc, Weak};

use bytes::BytesMut;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connect::connect;
use super::connection::Connection;
use super::failure::Failure;
use super::health::now_ms;
use super::target::{Server, Upstream};
use crate::contract::manifest;
use crate::proxy::fault::{Fault, GatewayFault};
use crate::proxy::limits::{CHECK_OCTETS_MAX, READ_OCTETS};
use crate::proxy::shared::Shared;

/// How often a new policy is looked for.
const POLICY_INTERVAL: Duration = Duration::from_millis(250);

/// Asks the servers of the policy that serves, whichever that is.
pub(in crate::proxy) async fn run(shared: Arc<Shared>) {
    loop {
        let (generation, policy) = shared.policy();
        let mut checks = JoinSet::new();
        for upstream in policy.upstreams.iter().filter(|upstream| upstream.check.is_some()) {
            for index in 0..upstream.servers.len() {
                checks.spawn_local(ask_again(Arc::clone(&shared), Arc::downgrade(upstream), index));
            }
        }
        drop(policy);
        while shared.generation() == generation {
            sleep(POLICY_INTERVAL).await;
        }
        // Those of the policy that was replaced end here.
        checks.shutdown().await;
    }
}

/// Asks one server, for as long as its upstream is used.
async fn ask_again(shared: Arc<Shared>, upstream: Weak<Upstream>, index: usize) {
    while let Some(upstream) = upstream.upgrade() {
        let (Some(check), Some(server)) = (&upstream.check, upstream.servers.get(index)) else { return };
        let answer = timeout(Duration::from_millis(check.timeout_ms), ask(&upstream, server, check)).await;
        match answer.unwrap_or_else(|_| Err(Wrong::Server("no answer in time".to_owned()))) {
            Ok(()) => {
                server.health.checked(true, check.rise, check.fall, now_ms()).tell(&upstream.name, server, "");
            }
            Err(Wrong::Server(why)) => {
                server.health.checked(false, check.rise, check.fall, now_ms()).tell(&upstream.name, server, &why);
            }
            // The server was not asked, so nothing is known of it.
            Err(Wrong::Gateway(fault, why)) => shared.shortage.met(fault, &format!("a check of {server}"), why),
        }
        let interval = Duration::from_millis(check.interval_ms);
        drop(upstream);
        sleep(interval).await;
    }
}

/// Why a check found nothing good.
enum Wrong {
    /// The server does not answer as it should.
    Server(String),
    /// This machine lacks what it takes to ask.
    Gateway(GatewayFault, String),
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self::Server(why)
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        let why = failure.reason();
        if let Fault::Gateway(fault) = failure.fault { Self::Gateway(fault, why) } else { Self::Server(why) }
    }
}

/// Asks once; what was wrong with the answer, if anything was.
async fn ask(upstream: &Upstream, server: &Server, check: &manifest::Health) -> Result<(), Wrong> {
    let mut connection = connect(server, upstream.timers).await?;
    // Over HTTP/2 the handshake is what is asked for.
    if upstream.protocol == manifest::Protocol::Http2 {
        return Ok(());
    }
    let (path, host) = (&check.path, &server.host_header);
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: rulec-health\r\nConnection: close\r\n\r\n");
    let mut head = BytesMut::from(head.as_bytes());
    while !head.is_empty() {
        poll_fn(|cx| connection.poll_send(&mut head, cx)).await.map_err(|error| error.to_string())?;
    }
    poll_fn(|cx| connection.poll_flush(cx)).await.map_err(|error| error.to_string())?;
    let status = status(&mut connection).await?;
    let is_good = (check.status_first..=check.status_last).contains(&status);
    if is_good { Ok(()) } else { Err(Wrong::Server(format!("status {status}"))) }
}

/// The status of the answer that comes; of interim answers none counts.
async fn status(connection: &mut Connection) -> Result<u16, String> {
    loop {
        let mut lines = [httparse::EMPTY_HEADER; 128];
        let mut head = httparse::Response::new(&mut lines);
        let parsed = head.parse(&connection.buffer).map_err(|error| error.to_string())?;
        if let (httparse::Status::Complete(octets), Some(status)) = (parsed, head.code) {
            if status >= 200 {
                return Ok(status);
            }
            drop(connection.buffer.split_to(octets));
            continue;
        }
        if connection.buffer.len() > CHECK_OCTETS_MAX {
            return Err("the head of the answer is too large".to_owned());
        }
        match poll_fn(|cx| connection.poll_fill(READ_OCTETS, cx)).await {
            Ok(0) => return Err("closed without an answer".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
