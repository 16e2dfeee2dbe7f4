//! An upstream as the rules and `proxy.toml` together say it is, ready to be connected to.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::balance::{Balance, Ring};
use super::dns::{Name, Names};
use super::health::{Health, Tolerance};
use super::retry::Budget;
use crate::contract::manifest::{self, Protocol};

/// An upstream; every core shares it.
#[derive(Debug)]
pub(in crate::proxy) struct Upstream {
    pub(in crate::proxy) name: String,
    pub(in crate::proxy) servers: Vec<Server>,
    /// Idle connections that one core keeps.
    pub(super) keepalive: usize,
    pub(super) keepalive_idle: Duration,
    pub(super) timers: Timers,
    pub(super) balance: Balance,
    /// Other servers that an idempotent request is tried at.
    pub(super) retries: u32,
    pub(super) budget: Budget,
    pub(super) check: Option<manifest::Health>,
    pub(super) slow_start_ms: u64,
    /// What is spoken with its servers.
    pub(in crate::proxy) protocol: Protocol,
}

/// One server of it.
#[derive(Debug)]
pub(in crate::proxy) struct Server {
    pub(in crate::proxy) host: String,
    pub(in crate::proxy) port: u16,
    pub(super) weight: u32,
    /// Takes requests only where no other server can.
    pub(super) backup: bool,
    pub(super) tolerance: Tolerance,
    pub(super) health: Arc<Health>,
    pub(super) place: Place,
    /// The value of Host.
    pub(in crate::proxy) host_header: String,
    pub(in crate::proxy) tls: Option<Tls>,
}

impl Server {
    /// Where it is, where that is no name.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match &self.place {
            Place::Address(address) => Some(SocketAddr::new(*address, self.port)),
            Place::Name(_) => None,
        }
    }
}

/// What a server's host is.
#[derive(Debug)]
pub(super) enum Place {
    Address(IpAddr),
    Name(Arc<Name>),
}

/// How TLS is spoken with a server.
#[derive(Clone)]
pub(in crate::proxy) struct Tls {
    pub(in crate::proxy) connector: TlsConnector,
    /// SNI and the name to verify.
    pub(in crate::proxy) name: ServerName<'static>,
    /// SNI is sent: it is not switched off, and the name is no address.
    pub(super) sends_name: bool,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How long each phase may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    pub(super) dns: Duration,
    pub(super) connect: Duration,
    pub(super) tls: Duration,
    pub(super) send: Duration,
    pub(super) response: Duration,
    pub(super) idle: Duration,
    /// From the first attempt to the end of the answer.
    pub(super) request: Option<Duration>,
}

impl Upstream {
    pub(in crate::proxy) fn build(
        from: &manifest::Upstream,
        tls: Option<&Arc<rustls::ClientConfig>>,
        names: &Names,
        cores: usize,
    ) -> Result<Self, String> {
        let server = |server| Server::build(from, server, tls, names);
        let servers = from.servers.iter().map(server).collect::<Result<Vec<_>, _>>()?;
        let keepalive = usize::try_from(from.keepalive).unwrap_or(usize::MAX);
        let balance = match &from.balance {
            manifest::Balance::RoundRobin => Balance::RoundRobin,
            manifest::Balance::LeastConn => Balance::LeastConn,
            manifest::Balance::Hash(_) => Balance::Hash(Ring::new(&servers)),
        };
        Ok(Self {
            name: from.name.clone(),
            servers,
            keepalive: keepalive.div_ceil(cores),
            keepalive_idle: Duration::from_millis(from.keepalive_idle_ms),
            timers: Timers::new(from.timeouts),
            balance,
            retries: from.retries,
            budget: Budget::new(from.retry_budget_percent),
            check: from.health.clone(),
            slow_start_ms: from.slow_start_ms,
            protocol: from.protocol,
        })
    }

    /// What `before`, which served before, knows of the same servers goes on to count.
    pub(in crate::proxy) fn inherit(&mut self, before: Option<&Self>, names: &Names) {
        for server in &mut self.servers {
            if let Place::Name(name) = &mut server.place {
                *name = names.name(&server.host);
            }
            let same = |other: &&Server| other.host == server.host && other.port == server.port;
            if let Some(same) = before.and_then(|before| before.servers.iter().find(same)) {
                server.health = Arc::clone(&same.health);
            }
        }
    }

    /// In clear text, with nobody else.
    #[cfg(test)]
    pub(super) fn plain(from: &manifest::Upstream) -> Result<Self, String> {
        Self::build(from, None, &Names::default(), 1)
    }
}

impl Timers {
    fn new(from: manifest::Timeouts) -> Self {
        Self {
            dns: Duration::from_millis(from.dns_ms),
            connect: Duration::from_millis(from.connect_ms),
            tls: Duration::from_millis(from.tls_ms),
            send: Duration::from_millis(from.send_ms),
            response: Duration::from_millis(from.response_ms),
            idle: Duration::from_millis(from.idle_ms),
            request: from.request_ms.map(Duration::from_millis),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl Server {
    fn build(
        upstream: &manifest::Upstream,
        server: &manifest::Server,
        config: Option<&Arc<rustls::ClientConfig>>,
        names: &Names,
    ) -> Result<Self, String> {
        let own = if server.host.contains(':') { format!("[{}]", server.host) } else { server.host.clone() };
        let scheme_port = if upstream.tls.is_some() { 443 } else { 80 };
        let host_header = match &upstream.host {
            Some(host) => host.clone(),
            None if server.port == scheme_port => own,
            None => format!("{own}:{}", server.port),
        };
        let tls = match (&upstream.tls, config) {
            (Some(tls), Some(config)) => {
                let name = tls.name.as_ref().or(upstream.host.as_ref()).unwrap_or(&server.host);
                let bare = name
                    .rsplit_once(':')
                    .filter(|(host, _)| !host.contains(':'))
                    .map_or(name.as_str(), |(host, _)| host);
                let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
                    format!("upstream `{}`: `{name}` is no name that a certificate can be verified for", upstream.name)
                })?;
                let sends_name = config.enable_sni && matches!(name, ServerName::DnsName(_));
                Some(Tls { connector: TlsConnector::from(Arc::clone(config)), name, sends_name })
            }
            _ => None,
        };
        let (address, alone) = (server.host.parse(), upstream.servers.len() == 1);
        Ok(Self {
            host: server.host.clone(),
            port: server.port,
            weight: server.weight.max(1),
            backup: server.backup,
            tolerance: Tolerance {
                // An only server is never taken out for failing, as in nginx: there is no better one.
                max_fails: if alone { 0 } else { server.max_fails.unwrap_or(upstream.max_fails) },
                fail_timeout_ms: server.fail_timeout_ms.unwrap_or(upstream.fail_timeout_ms),
            },
            health: Arc::default(),
            place: address.map_or_else(|_| Place::Name(names.name(&server.host)), Place::Address),
            host_header,
            tls,
        })
    }

    /// Whether `address` is one of its own, as far as is known.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        match &self.place {
            Place::Address(_) => true,
            Place::Name(name) => name.has(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(host: &str, port: u16, weight: u32) -> manifest::Server {
        let mut server = manifest::Server::default();
        (server.host, server.port, server.weight) = (host.to_owned(), port, weight);
        server
    }

    #[test]
    fn host_names_the_port_where_it_is_not_the_schemes_own() {
        let servers = vec![server("a.b", 80, 1), server("a.b", 8080, 1), server("::1", 81, 1)];
        let mut upstream = manifest::Upstream { servers, ..manifest::Upstream::default() };
        let built = Upstream::plain(&upstream).unwrap();
        let hosts: Vec<_> = built.servers.iter().map(|server| server.host_header.as_str()).collect();
        assert_eq!(hosts, ["a.b", "a.b:8080", "[::1]:81"]);
        upstream.host = Some("media.test".to_owned());
        assert_eq!(Upstream::plain(&upstream).unwrap().servers[1].host_header, "media.test");
    }
}
