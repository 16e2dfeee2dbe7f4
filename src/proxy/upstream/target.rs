//! An upstream as the rules and `proxy.toml` together say it is, ready to be connected to.

use core::time::Duration;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

/// An upstream; every core shares it.
#[derive(Debug)]
pub(in crate::proxy) struct Upstream {
    pub(in crate::proxy) name: String,
    pub(in crate::proxy) servers: Vec<Server>,
    /// Idle connections that one core keeps.
    pub(super) keepalive: usize,
    pub(super) keepalive_idle: Duration,
    pub(super) timers: Timers,
}

/// One server of it.
#[derive(Debug)]
pub(in crate::proxy) struct Server {
    pub(in crate::proxy) host: String,
    pub(super) port: u16,
    pub(super) weight: u32,
    /// The value of Host.
    pub(super) host_header: String,
    pub(super) tls: Option<Tls>,
}

/// How TLS is spoken with a server.
#[derive(Clone)]
pub(in crate::proxy) struct Tls {
    pub(super) connector: TlsConnector,
    /// SNI and the name to verify.
    pub(super) name: ServerName<'static>,
}

impl core::fmt::Debug for Tls {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How long each phase may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    pub(super) connect: Duration,
    pub(super) tls: Duration,
    pub(super) response: Duration,
    pub(super) idle: Duration,
}

/// What one core knows of the servers of an upstream: whose turn it is, by smooth weighted round robin as nginx's.
#[derive(Debug, Default)]
pub(super) struct Turns {
    current: Vec<i64>,
}

impl Turns {
    /// The index of the next server.
    pub(super) fn next(&mut self, servers: &[Server]) -> Option<usize> {
        self.current.resize(servers.len(), 0);
        let total: i64 = servers.iter().map(|server| i64::from(server.weight)).sum();
        for (current, server) in self.current.iter_mut().zip(servers) {
            *current += i64::from(server.weight);
        }
        // The first of the greatest, as nginx.
        let (best, current) = self.current.iter_mut().enumerate().rev().max_by_key(|(_, current)| **current)?;
        *current -= total;
        Some(best)
    }
}

impl Upstream {
    pub(in crate::proxy) fn build(
        from: &crate::artifact::manifest::Upstream,
        tls: Option<&Arc<rustls::ClientConfig>>,
        cores: usize,
    ) -> Result<Self, String> {
        let servers = from.servers.iter().map(|server| Server::build(from, server, tls)).collect::<Result<_, _>>()?;
        let keepalive = usize::try_from(from.keepalive).unwrap_or(usize::MAX);
        let timers = Timers {
            connect: Duration::from_millis(from.timeouts.connect_ms),
            tls: Duration::from_millis(from.timeouts.tls_ms),
            response: Duration::from_millis(from.timeouts.response_ms),
            idle: Duration::from_millis(from.timeouts.idle_ms),
        };
        let keepalive_idle = Duration::from_millis(from.keepalive_idle_ms);
        Ok(Self { name: from.name.clone(), servers, keepalive: keepalive.div_ceil(cores), keepalive_idle, timers })
    }
}

impl Server {
    fn build(
        upstream: &crate::artifact::manifest::Upstream,
        server: &crate::artifact::manifest::Server,
        config: Option<&Arc<rustls::ClientConfig>>,
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
                Some(Tls { connector: TlsConnector::from(Arc::clone(config)), name })
            }
            _ => None,
        };
        Ok(Self { host: server.host.clone(), port: server.port, weight: server.weight.max(1), host_header, tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::manifest;

    fn server(host: &str, port: u16, weight: u32) -> manifest::Server {
        let mut server = manifest::Server::default();
        (server.host, server.port, server.weight) = (host.to_owned(), port, weight);
        server
    }

    #[test]
    fn turns_follow_the_weights_smoothly() {
        let servers = vec![server("a", 80, 5), server("b", 80, 1), server("c", 80, 1)];
        let upstream = manifest::Upstream { servers, ..manifest::Upstream::default() };
        let upstream = Upstream::build(&upstream, None, 1).unwrap();
        let mut turns = Turns::default();
        let order: Vec<_> = (0..7).map(|_| turns.next(&upstream.servers).unwrap()).collect();
        assert_eq!(order, [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn host_names_the_port_where_it_is_not_the_schemes_own() {
        let servers = vec![server("a.b", 80, 1), server("a.b", 8080, 1), server("::1", 81, 1)];
        let mut upstream = manifest::Upstream { servers, ..manifest::Upstream::default() };
        let built = Upstream::build(&upstream, None, 1).unwrap();
        let hosts: Vec<_> = built.servers.iter().map(|server| server.host_header.as_str()).collect();
        assert_eq!(hosts, ["a.b", "a.b:8080", "[::1]:81"]);
        upstream.host = Some("media.test".to_owned());
        assert_eq!(Upstream::build(&upstream, None, 1).unwrap().servers[1].host_header, "media.test");
    }
}
