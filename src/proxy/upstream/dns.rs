//! Names to addresses, shared by all cores: asked for again when an answer has aged, and never forgotten because the
//! next answer fails.

use core::net::{IpAddr, SocketAddr};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::system_conf::read_system_conf;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::failure::Failure;
use super::target::{Place, Upstream};
use crate::proxy::fault::{Fault, Phase, UpstreamFault};
use crate::proxy::limits::{
    DNS_QUERY_TIME_MAX, DNS_RETRY, DNS_STALE_MAX, DNS_TIME_MAX, DNS_TTL_MAX, DNS_TTL_MIN, LOG_STATE_LINES_MAX,
};
use crate::proxy::log_limit::LogLimit;
use crate::proxy::shortage;

/// Every name of a policy's servers.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Names {
    /// Whom to ask; nobody: the system's.
    servers: Vec<SocketAddr>,
    by_host: Mutex<BTreeMap<String, Arc<Name>>>,
}

/// A name and what is known of it.
#[derive(Debug)]
pub(in crate::proxy) struct Name {
    host: String,
    servers: Vec<SocketAddr>,
    known: watch::Sender<Arc<Known>>,
    /// A core is asking.
    asking: AtomicBool,
    /// Whose turn it is of its addresses.
    turn: AtomicUsize,
    /// Questions, and those of them without a good answer.
    pub(super) lookups: AtomicU64,
    pub(super) failures: AtomicU64,
    lines: LogLimit,
}

/// What is known of a name.
#[derive(Debug)]
struct Known {
    /// Of the last good answer, IPv4 first.
    addresses: Vec<IpAddr>,
    /// Until when nobody asks again.
    until: Instant,
    /// Why the last resolution failed, if it did.
    failure: Option<(Fault, String)>,
}

impl Names {
    pub(in crate::proxy) fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, by_host: Mutex::default() }
    }

    /// The name `host`, the same for everybody who asks.
    pub(super) fn name(&self, host: &str) -> Arc<Name> {
        let mut names = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        let name = names.entry(host.to_ascii_lowercase());
        Arc::clone(name.or_insert_with(|| Arc::new(Name::new(host, self.servers.clone()))))
    }

    /// The names of an upstream that was built before.
    pub(in crate::proxy) fn keep(&self, upstream: &Upstream) {
        let mut names = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        for server in &upstream.servers {
            if let Place::Name(name) = &server.place {
                names.insert(server.host.to_ascii_lowercase(), Arc::clone(name));
            }
        }
    }

    /// Takes over what `before` knows of the same names, where it asked the same servers.
    pub(in crate::proxy) fn inherit(&self, before: &Self) {
        if self.servers != before.servers {
            return;
        }
        let before = before.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        for (host, name) in names.iter_mut() {
            if let Some(known) = before.get(host) {
                *name = Arc::clone(known);
            }
        }
    }
}

impl Name {
    fn new(host: &str, servers: Vec<SocketAddr>) -> Self {
        let nothing = Known { addresses: Vec::new(), until: Instant::now(), failure: None };
        Self {
            host: host.to_ascii_lowercase(),
            servers,
            known: watch::Sender::new(Arc::new(nothing)),
            asking: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
            lookups: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            lines: LogLimit::default(),
        }
    }

    /// Its addresses in the order in which they are to be tried. Only where nothing is known, or only what is too old,
    /// this waits, for as long as `patience`.
    pub(super) async fn addresses(self: &Arc<Self>, patience: Duration) -> Result<Vec<IpAddr>, Failure> {
        let mut changes = self.known.subscribe();
        let known = Arc::clone(&changes.borrow_and_update());
        let now = Instant::now();
        if now < known.until {
            return self.answer(&known);
        }
        self.ask();
        if !known.addresses.is_empty() && now < known.until + DNS_STALE_MAX {
            return self.answer(&known);
        }
        match timeout(patience, changes.changed()).await {
            Ok(_) => {
                let known = Arc::clone(&changes.borrow_and_update());
                self.answer(&known)
            }
            Err(_) if !known.addresses.is_empty() => self.answer(&known),
            Err(_) => Err(Failure::new(UpstreamFault::DnsTimeout).detail(self.host.clone())),
        }
    }

    /// The addresses of the last good answer.
    pub(super) fn known(&self) -> Vec<IpAddr> {
        self.known.borrow().addresses.clone()
    }

    /// Whether `address` is among the last good answer; yes where there is none.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        let known = self.known.borrow();
        known.addresses.is_empty() || known.addresses.contains(&address)
    }

    /// All of the last good answer, IPv4 first, each family beginning with another address every time.
    fn answer(&self, known: &Known) -> Result<Vec<IpAddr>, Failure> {
        if known.addresses.is_empty() {
            let (fault, detail) = known.failure.clone().unwrap_or((UpstreamFault::Dns.into(), "no address".to_owned()));
            let mut failure = Failure::new(fault).detail(format!("{}: {detail}", self.host));
            failure.phase = Phase::Dns;
            return Err(failure);
        }
        let mut addresses = known.addresses.clone();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (four, six) = addresses.split_at_mut(known.addresses.partition_point(IpAddr::is_ipv4));
        for family in [four, six] {
            if !family.is_empty() {
                family.rotate_left(turn % family.len());
            }
        }
        Ok(addresses)
    }

    /// Has it resolved by a task on this core, unless some core does already.
    fn ask(self: &Arc<Self>) {
        if self.asking.swap(true, Ordering::AcqRel) {
            return;
        }
        // However the task ends, also with its core, another may ask afterwards.
        let asking = Asking(Arc::clone(self));
        tokio::spawn(async move {
            let name = &asking.0;
            name.lookups.fetch_add(1, Ordering::Relaxed);
            let found = timeout(DNS_TIME_MAX, lookup(&name.host, &name.servers)).await;
            let found =
                found.unwrap_or_else(|_| Err((UpstreamFault::DnsTimeout.into(), "no answer in time".to_owned())));
            name.learn(found.map(|found| (found.addresses, found.ttl)));
        });
    }

    /// Takes note of an answer; one that failed leaves what is known.
    fn learn(&self, found: Result<(Vec<IpAddr>, Duration), (Fault, String)>) {
        let before = Arc::clone(&self.known.borrow());
        let now = Instant::now();
        let known = match found {
            Ok((addresses, ttl)) => {
                let moved = addresses.iter().any(|address| !before.addresses.contains(address))
                    || before.addresses.len() != addresses.len();
                if moved && !before.addresses.is_empty() {
                    self.tell_moved(&before.addresses, &addresses);
                } else if matches!(before.failure, Some((Fault::Upstream(_), _)))
                    && let Some(left_out) = self.lines.pass(LOG_STATE_LINES_MAX)
                {
                    tracing::info!(host = %self.host, left_out, "name is resolved again");
                }
                Known { addresses, until: now + kept_for(ttl), failure: None }
            }
            // Nobody was asked: what is known stands, and the next request asks.
            Err((fault @ Fault::Gateway(_), detail)) => {
                Known { addresses: before.addresses.clone(), until: now, failure: Some((fault, detail)) }
            }
            Err((fault, detail)) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                if before.failure.is_none()
                    && let Some(left_out) = self.lines.pass(LOG_STATE_LINES_MAX)
                {
                    let kept = before.addresses.len();
                    tracing::warn!(
                        host = %self.host, %detail, kept, left_out, "name is not resolved; the last good answer is kept"
                    );
                }
                let addresses = before.addresses.clone();
                Known { addresses, until: now + DNS_RETRY, failure: Some((fault, detail)) }
            }
        };
        self.known.send_replace(Arc::new(known));
    }
}

impl Name {
    fn tell_moved(&self, from: &[IpAddr], to: &[IpAddr]) {
        if let Some(left_out) = self.lines.pass(LOG_STATE_LINES_MAX) {
            tracing::info!(host = %self.host, ?from, ?to, left_out, "name has moved");
        }
    }
}

/// A core is asking for a name as long as this lives.
struct Asking(Arc<Name>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.asking.store(false, Ordering::Release);
    }
}

/// What a question for a name found.
#[derive(Debug)]
pub(in crate::proxy) struct Found {
    /// IPv4 first.
    pub(in crate::proxy) addresses: Vec<IpAddr>,
    /// The least of the records'.
    pub(in crate::proxy) ttl: Duration,
}

impl Found {
    /// How long the answer stands.
    pub(in crate::proxy) fn kept_for(&self) -> Duration {
        kept_for(self.ttl)
    }
}

fn kept_for(ttl: Duration) -> Duration {
    ttl.clamp(DNS_TTL_MIN, DNS_TTL_MAX)
}

/// Asks `servers` for the addresses of `host`, or those of the system where there are none; /etc/hosts goes first.
pub(in crate::proxy) async fn lookup(host: &str, servers: &[SocketAddr]) -> Result<Found, (Fault, String)> {
    let failed = |error: NetError| {
        // The library takes sockets, /etc/hosts and /etc/resolv.conf that it cannot open for servers that are not there.
        if let NetError::Io(error) = &error
            && let Some(lack) = shortage::of(error)
        {
            return (lack.into(), error.to_string());
        }
        if let Some((lack, why)) = shortage::now() {
            return (lack.into(), format!("{error}: {why}"));
        }
        let fault = match &error {
            NetError::Timeout => UpstreamFault::DnsTimeout,
            error if error.is_nx_domain() || error.is_no_records_found() => UpstreamFault::DnsNotFound,
            NetError::Dns(DnsError::ResponseCode(_)) | NetError::NoConnections => UpstreamFault::DnsServerFailed,
            _ => UpstreamFault::Dns,
        };
        (Fault::from(fault), error.to_string())
    };
    let resolver = resolver(servers).map_err(failed)?;
    let found = resolver.lookup_ip(host).await.map_err(failed)?;
    let mut addresses: Vec<IpAddr> = found.iter().collect();
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty() {
        return Err((UpstreamFault::DnsNotFound.into(), "it has no address".to_owned()));
    }
    let ttl = found.as_lookup().answers().iter().map(|record| record.ttl).min().unwrap_or_default();
    Ok(Found { addresses, ttl: Duration::from_secs(ttl.into()) })
}

/// Whom a question goes to: `servers`, or those of the system where there are none.
pub(in crate::proxy) fn name_servers(servers: &[SocketAddr]) -> Vec<SocketAddr> {
    let (config, _) = settings(servers);
    let address = |server: &NameServerConfig| {
        let port = server.connections.first().map_or(53, |way| way.port);
        SocketAddr::new(server.ip, port)
    };
    config.name_servers().iter().map(address).collect()
}

/// One that remembers nothing: it is made for a single question, so that changes of the system's files count.
fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let (config, mut options) = settings(servers);
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.use_hosts_file = ResolveHosts::Always;
    options.timeout = DNS_QUERY_TIME_MAX;
    options.attempts = 2;
    options.cache_size = 0;
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options).build()
}

fn settings(servers: &[SocketAddr]) -> (ResolverConfig, ResolverOpts) {
    if servers.is_empty() {
        // Without a resolv.conf there is still the hosts file.
        return read_system_conf().unwrap_or_default();
    }
    let servers = servers.iter().map(|server| {
        let mut ways = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        for way in &mut ways {
            way.port = server.port();
        }
        NameServerConfig::new(server.ip(), true, ways)
    });
    (ResolverConfig::from_name_servers(servers.collect()), ResolverOpts::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[tokio::test]
    async fn p_13_the_last_good_answer_outlives_failures() {
        let name = Arc::new(Name::new("App.Test", Vec::new()));
        let good = addresses(&["10.0.0.1"]);
        name.learn(Ok((good.clone(), Duration::from_secs(5))));
        name.learn(Err((UpstreamFault::Dns.into(), "SERVFAIL".to_owned())));
        assert_eq!(name.addresses(Duration::ZERO).await.unwrap(), good);
        assert_eq!(name.failures.load(Ordering::Relaxed), 1);
        assert!(name.has(good[0]) && !name.has("10.0.0.2".parse().unwrap()));
    }

    #[tokio::test]
    async fn every_address_has_its_turn_and_ipv4_goes_first() {
        let name = Arc::new(Name::new("app.test", Vec::new()));
        name.learn(Ok((addresses(&["10.0.0.1", "10.0.0.2", "::1"]), Duration::from_secs(5))));
        let mut firsts = Vec::new();
        for _ in 0..3 {
            let order = name.addresses(Duration::ZERO).await.unwrap();
            assert_eq!((order.len(), order[2]), (3, "::1".parse().unwrap()));
            firsts.push(order[0]);
        }
        assert_eq!(firsts, addresses(&["10.0.0.1", "10.0.0.2", "10.0.0.1"]));
    }

    #[tokio::test]
    async fn a_failure_without_an_earlier_answer_is_the_answer() {
        let name = Arc::new(Name::new("app.test", Vec::new()));
        name.learn(Err((UpstreamFault::DnsTimeout.into(), "no answer".to_owned())));
        let failure = name.addresses(Duration::ZERO).await.unwrap_err();
        assert_eq!(failure.fault, UpstreamFault::DnsTimeout.into());
    }
}
