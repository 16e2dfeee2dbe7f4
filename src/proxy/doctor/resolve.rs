//! From a server's name to its addresses.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use hickory_resolver::config::LookupIpStrategy;
use hickory_resolver::{Hosts, TokioResolver};
use tokio::net::lookup_host;
use tokio::time::{Instant, timeout};

use super::milliseconds;
use super::report::{Failure, Resolution};
use crate::proxy::fault::{Fault, UpstreamFault};

/// Every address of `host`, of either family.
pub(super) async fn resolve(host: &str, port: u16, patience: Duration) -> (Resolution, Vec<SocketAddr>) {
    let began = Instant::now();
    let mut resolution = Resolution::default();
    let mut addresses = Vec::new();
    if let Ok(address) = host.parse::<IpAddr>() {
        "address".clone_into(&mut resolution.source);
        addresses.push(address);
    } else {
        match by_dns(host, patience).await {
            Ok(Found { source, addresses: found, ttl }) => {
                source.clone_into(&mut resolution.source);
                resolution.ttl_seconds = ttl;
                addresses = found;
            }
            Err(failure) => match by_system(host, port, patience).await {
                // Something beside hosts and DNS knows the name, and the gateway may ask it too.
                Some(found) => {
                    "system".clone_into(&mut resolution.source);
                    addresses = found;
                }
                None => resolution.failure = Some(failure),
            },
        }
    }
    resolution.milliseconds = milliseconds(began.elapsed());
    resolution.addresses = addresses.iter().map(ToString::to_string).collect();
    (resolution, addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
}

struct Found {
    source: &'static str,
    addresses: Vec<IpAddr>,
    ttl: Option<u32>,
}

async fn by_dns(host: &str, patience: Duration) -> Result<Found, Failure> {
    let failed = |fault: UpstreamFault, detail: String| Failure { code: Fault::from(fault).code().to_owned(), detail };
    let mut builder = TokioResolver::builder_tokio().map_err(|error| failed(UpstreamFault::Dns, error.to_string()))?;
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = patience / 2;
    options.attempts = 1;
    let resolver = builder.build().map_err(|error| failed(UpstreamFault::Dns, error.to_string()))?;
    let answer = timeout(patience, resolver.lookup_ip(host)).await;
    let answer = answer.map_err(|_| failed(UpstreamFault::DnsTimeout, format!("no answer in {patience:?}")))?;
    let lookup = answer.map_err(|error| {
        let is_unknown = error.is_nx_domain() || error.is_no_records_found();
        let words = if is_unknown { "DNS knows no address for it".to_owned() } else { error.to_string() };
        failed(UpstreamFault::Dns, words)
    })?;
    let mut found: Vec<IpAddr> = Vec::new();
    for address in lookup.iter() {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    if found.is_empty() {
        return Err(failed(UpstreamFault::Dns, "the name has no address".to_owned()));
    }
    let in_hosts = is_in_hosts(host);
    let ttl = lookup.as_lookup().answers().iter().map(|record| record.ttl).min().filter(|_| !in_hosts);
    Ok(Found { source: if in_hosts { "hosts" } else { "dns" }, addresses: found, ttl })
}

fn is_in_hosts(host: &str) -> bool {
    use hickory_resolver::proto::op::Query;
    use hickory_resolver::proto::rr::{Name, RecordType};
    let (Ok(hosts), Ok(name)) = (Hosts::from_system(), Name::from_utf8(host)) else { return false };
    let knows = |kind| hosts.lookup_static_host(&Query::query(name.clone(), kind)).is_some();
    knows(RecordType::A) || knows(RecordType::AAAA)
}

async fn by_system(host: &str, port: u16, patience: Duration) -> Option<Vec<IpAddr>> {
    let found = timeout(patience, lookup_host((host, port))).await.ok()?.ok()?;
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in found {
        if !addresses.contains(&address.ip()) {
            addresses.push(address.ip());
        }
    }
    (!addresses.is_empty()).then_some(addresses)
}
