//! A connection to a server, from its name to the end of the handshake, each phase with its timer.

use core::net::SocketAddr;
use std::io;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::connection::{Connection, Stream};
use super::failure::Failure;
use super::target::{Place, Server, Timers};
use super::tls;
use crate::proxy::fault::UpstreamFault;

/// Connects to `server`, trying every address that its name has.
pub(super) async fn connect(server: &Server, timers: Timers) -> Result<Connection, Failure> {
    let addresses = resolve(server, timers).await?;
    let deadline = Instant::now() + timers.connect;
    let (socket, peer) = dial(&addresses, deadline).await?;
    drop(socket.set_nodelay(true));
    let stream = match &server.tls {
        None => Stream::Clear(socket),
        Some(settings) => {
            let handshake = settings.connector.connect(settings.name.clone(), socket);
            match timeout(timers.tls, handshake).await {
                Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                Ok(Err(error)) => {
                    let (fault, detail) = tls::classify(&error);
                    let name = settings.name.to_str();
                    return Err(Failure::new(fault).detail(format!("{detail}; name {name}")).peer(peer));
                }
                Err(_) => return Err(Failure::new(UpstreamFault::TlsTimeout).peer(peer)),
            }
        }
    };
    Ok(Connection::new(stream, peer))
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
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for &peer in addresses {
        let share = deadline.saturating_duration_since(Instant::now()) / left.max(1);
        left = left.saturating_sub(1);
        last = match timeout(share, TcpStream::connect(peer)).await {
            Ok(Ok(socket)) => return Ok((socket, peer)),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Failure::new(UpstreamFault::ConnectRefused).peer(peer)
            }
            Ok(Err(error)) => Failure::new(UpstreamFault::ConnectFailed).detail(error.to_string()).peer(peer),
            Err(_) => Failure::new(UpstreamFault::ConnectTimeout).peer(peer),
        };
    }
    Err(last)
}
