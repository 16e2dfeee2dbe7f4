//! From a server's name to its addresses, asked as the gateway asks.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use hickory_resolver::Hosts;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::net::lookup_host;
use tokio::time::{Instant, timeout};

use super::milliseconds;
use super::report::{Failure, Resolution};
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::upstream::{lookup, name_servers};

/// Every address of `host`, of either family; `servers` are those of `[dns]`.
pub(super) async fn resolve(
    host: &str,
    port: u16,
    servers: &[SocketAddr],
    patience: Duration,
) -> (Resolution, Vec<SocketAddr>) {
    let began = Instant::now();
    let mut resolution = Resolution::default();
    let mut addresses = Vec::new();
    if let Ok(address) = host.parse::<IpAddr>() {
        "address".clone_into(&mut resolution.source);
        addresses.push(address);
    } else if is_in_hosts(host) {
        "hosts".clone_into(&mut resolution.source);
        addresses = ask(host, servers, patience, &mut resolution).await;
        // The hosts file has no times of its own.
        (resolution.ttl_seconds, resolution.kept_seconds) = (None, None);
    } else {
        "dns".clone_into(&mut resolution.source);
        resolution.name_servers = name_servers(servers).iter().map(ToString::to_string).collect();
        addresses = ask(host, servers, patience, &mut resolution).await;
    }
    resolution.milliseconds = milliseconds(began.elapsed());
    resolution.addresses = addresses.iter().map(ToString::to_string).collect();
    if resolution.failure.is_some() {
        resolution.only_system = by_system(host, port, patience).await.iter().map(ToString::to_string).collect();
    }
    (resolution, addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
}

async fn ask(host: &str, servers: &[SocketAddr], patience: Duration, resolution: &mut Resolution) -> Vec<IpAddr> {
    let (fault, detail): (Fault, _) = match timeout(patience, lookup(host, servers)).await {
        Ok(Ok(found)) => {
            resolution.ttl_seconds = Some(found.ttl.as_secs());
            resolution.kept_seconds = Some(found.kept_for().as_secs());
            return found.addresses;
        }
        Ok(Err((fault, _))) if fault == UpstreamFault::DnsNotFound.into() => {
            (fault, "DNS knows no address for it".to_owned())
        }
        Ok(Err(failure)) => failure,
        Err(_) => (UpstreamFault::DnsTimeout.into(), format!("no answer in {patience:?}")),
    };
    resolution.failure = Some(Failure { code: fault.code().to_owned(), detail });
    Vec::new()
}

fn is_in_hosts(host: &str) -> bool {
    let (Ok(hosts), Ok(name)) = (Hosts::from_system(), Name::from_utf8(host)) else { return false };
    let knows = |kind| hosts.lookup_static_host(&Query::query(name.clone(), kind)).is_some();
    knows(RecordType::A) || knows(RecordType::AAAA)
}

/// What `ping` and `curl` on this machine would find: the gateway does not ask what they ask.
async fn by_system(host: &str, port: u16, patience: Duration) -> Vec<IpAddr> {
    let Ok(Ok(found)) = timeout(patience, lookup_host((host, port))).await else { return Vec::new() };
    let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}
