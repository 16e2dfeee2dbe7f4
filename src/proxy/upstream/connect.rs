//! A connection to a server, from its name to the end of the handshake, each phase with its timer.

use core::net::SocketAddr;
use std::io;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;

use super::connection::{Connection, Stream};
use super::failure::Failure;
use super::target::{Place, Server, Timers, Tls};
use super::tls;
use crate::proxy::fault::{Fault, UpstreamFault};
use crate::proxy::shortage;

/// Connects to `server`, trying every address that its name has.
pub(super) async fn connect(server: &Server, timers: Timers) -> Result<Box<Connection>, Failure> {
    let begun = Instant::now();
    let addresses = resolve(server, timers).await.map_err(|failure| failure.elapsed(begun.elapsed()))?;
    let begun = Instant::now();
    let dialled = dial(&addresses, begun + timers.connect).await;
    let (socket, peer) = dialled.map_err(|failure| failure.elapsed(begun.elapsed()))?;
    drop(socket.set_nodelay(true));
    let stream = match &server.tls {
        None => Stream::Clear(socket),
        Some(settings) => Stream::Tls(Box::new(shake_hands(settings, socket, peer, timers).await?)),
    };
    Ok(Connection::new(stream, peer))
}

async fn shake_hands(
    settings: &Tls,
    socket: TcpStream,
    peer: SocketAddr,
    timers: Timers,
) -> Result<TlsStream<TcpStream>, Failure> {
    let begun = Instant::now();
    let handshake = settings.connector.connect(settings.name.clone(), socket);
    let failure = match timeout(timers.tls, handshake).await {
        Ok(Ok(stream)) => return Ok(stream),
        Ok(Err(error)) => {
            let (fault, detail) = tls::classify(&error, settings.sends_name);
            let sni = if settings.sends_name { "SNI" } else { "no SNI" };
            Failure::new(fault).detail(format!("{detail}; name {}, {sni} sent", settings.name.to_str()))
        }
        Err(_) => Failure::new(UpstreamFault::TlsTimeout),
    };
    Err(failure.peer(peer).elapsed(begun.elapsed()))
}

/// The addresses of a server, in the order in which they are tried.
async fn resolve(server: &Server, timers: Timers) -> Result<Vec<SocketAddr>, Failure> {
    let addresses = match &server.place {
        Place::Address(address) => vec![*address],
        Place::Name(name) => name.addresses(timers.dns).await?,
    };
    Ok(addresses.into_iter().map(|address| SocketAddr::new(address, server.port)).collect())
}

/// One address after the other; what is left of the time is shared among those that are left.
async fn dial(addresses: &[SocketAddr], deadline: Instant) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut last = Failure::new(UpstreamFault::ConnectTimeout);
    let mut lacking = None;
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for &peer in addresses {
        let share = deadline.saturating_duration_since(Instant::now()) / left.max(1);
        left = left.saturating_sub(1);
        last = match timeout(share, TcpStream::connect(peer)).await {
            Ok(Ok(socket)) => return Ok((socket, peer)),
            Ok(Err(error)) => {
                let lack = shortage::of_connect(&error, peer);
                let fault = lack.map_or_else(|| Fault::from(by_kind(error.kind())), Fault::from);
                let failure = Failure::new(fault).detail(error.to_string()).peer(peer);
                if lack.is_some() {
                    // The next address may do with what is left; where none does, the server has not been asked.
                    lacking = Some(failure.clone());
                }
                failure
            }
            Err(_) => Failure::new(UpstreamFault::ConnectTimeout).peer(peer),
        };
    }
    Err(lacking.unwrap_or(last))
}

/// What the kernel says of an address.
pub(in crate::proxy) fn by_kind(kind: io::ErrorKind) -> UpstreamFault {
    match kind {
        io::ErrorKind::ConnectionRefused => UpstreamFault::ConnectRefused,
        // Without an address of its own of that family, this machine has no way there either.
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable => {
            UpstreamFault::ConnectUnreachable
        }
        // The kernel's own patience ended before ours.
        io::ErrorKind::TimedOut => UpstreamFault::ConnectTimeout,
        _ => UpstreamFault::ConnectFailed,
    }
}
