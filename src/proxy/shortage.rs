//! What this machine runs out of: file descriptors, local ports, memory. It says nothing about a server, so no server is
//! charged with it, and no other one is asked, which would find the same.

use core::fmt;
use core::net::SocketAddr;
use core::sync::atomic::{AtomicU64, Ordering};
use std::io;
use std::net::UdpSocket;

use super::fault::GatewayFault;
use super::log_limit::LogLimit;

/// What the kernel means by an error where a socket was to be made.
///
/// EACCES and EPERM are not among them: a local firewall, or a broadcast address, forbids one address for good, and
/// another server can be asked.
pub(super) fn of(error: &io::Error) -> Option<GatewayFault> {
    match error.raw_os_error()? {
        libc::EMFILE | libc::ENFILE => Some(GatewayFault::Descriptors),
        libc::ENOMEM | libc::ENOBUFS => Some(GatewayFault::Memory),
        _ => None,
    }
}

/// The same where `peer` was to be connected to, which takes a local port besides.
pub(super) fn of_connect(error: &io::Error, peer: SocketAddr) -> Option<GatewayFault> {
    match error.raw_os_error()? {
        libc::EAGAIN => Some(GatewayFault::Ports),
        libc::EADDRNOTAVAIL if has_address_for(peer) => Some(GatewayFault::Ports),
        _ => of(error),
    }
}

/// Whether this machine has an address that `peer` could be spoken to from: EADDRNOTAVAIL means that either this or a
/// port is missing. UDP has ports of its own, and connecting it sends nothing.
fn has_address_for(peer: SocketAddr) -> bool {
    let any = if peer.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    UdpSocket::bind(any).map_or(true, |socket| socket.connect(peer).is_ok())
}

/// What is lacking at this moment for one more socket, if anything is, and how the kernel says so: for where a library's
/// error does not say.
pub(super) fn now() -> Option<(GatewayFault, io::Error)> {
    let error = UdpSocket::bind("127.0.0.1:0").err()?;
    Some((of(&error)?, error))
}

/// How often something was lacking, and the lines about it.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    descriptors: Lack,
    ports: Lack,
    memory: Lack,
}

#[derive(Debug, Default)]
struct Lack {
    times: AtomicU64,
    lines: LogLimit,
}

impl Shortage {
    /// Counts that `fault` kept `what` from being done, and says so, once a minute at most.
    #[cold]
    pub(super) fn met(&self, fault: GatewayFault, what: &str, error: impl fmt::Display) {
        let lack = self.lack(fault);
        lack.times.fetch_add(1, Ordering::Relaxed);
        if let Some(left_out) = lack.lines.pass(1) {
            tracing::error!(code = fault.code(), what, %error, left_out, "{}", fault.title());
        }
    }

    /// How often each was lacking, by name.
    pub(super) fn all(&self) -> [(&'static str, u64); 3] {
        let times = |lack: &Lack| lack.times.load(Ordering::Relaxed);
        [("descriptors", times(&self.descriptors)), ("memory", times(&self.memory)), ("ports", times(&self.ports))]
    }

    fn lack(&self, fault: GatewayFault) -> &Lack {
        match fault {
            GatewayFault::Descriptors => &self.descriptors,
            GatewayFault::Ports => &self.ports,
            GatewayFault::Memory => &self.memory,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> SocketAddr {
        "127.0.0.1:1".parse().unwrap()
    }

    #[test]
    fn only_what_this_machine_lacks_is_a_shortage() {
        use GatewayFault as G;
        let connect = |errno| of_connect(&io::Error::from_raw_os_error(errno), loopback());
        assert_eq!([libc::EMFILE, libc::ENFILE].map(connect), [Some(G::Descriptors); 2]);
        assert_eq!([libc::ENOMEM, libc::ENOBUFS].map(connect), [Some(G::Memory); 2]);
        assert_eq!([libc::EADDRNOTAVAIL, libc::EAGAIN].map(connect), [Some(G::Ports); 2]);
        let of_servers = [libc::ECONNREFUSED, libc::ETIMEDOUT, libc::EHOSTUNREACH, libc::ENETUNREACH, libc::ECONNRESET];
        assert_eq!(of_servers.map(connect), [None; 5]);
        assert_eq!([libc::EACCES, libc::EPERM, libc::EINVAL].map(connect), [None; 3]);
        assert_eq!(of_connect(&io::Error::other("of a library"), loopback()), None);
    }

    #[test]
    fn without_an_address_of_ones_own_no_port_is_missing() {
        // An address that is for documentation, of a family or a network that may have no route here.
        let nowhere: SocketAddr = "255.255.255.255:80".parse().unwrap();
        assert_eq!(of_connect(&io::Error::from_raw_os_error(libc::EADDRNOTAVAIL), nowhere), None);
    }
}
