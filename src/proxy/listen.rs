//! Sockets to listen on.

use core::net::SocketAddr;
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use socket2::{Domain, Protocol, Socket, Type};

use super::config::Address;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// A bound socket, not yet in any runtime.
#[derive(Debug)]
pub(super) enum Bound {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

/// Binds `address` once for each of `cores`, and says where that is; a Unix socket is bound once.
pub(super) fn bind(address: &Address, cores: usize) -> io::Result<(Vec<Bound>, Address)> {
    match address {
        Address::Unix(path) => Ok((vec![Bound::Unix(unix(path)?)], address.clone())),
        Address::Tcp(address) => {
            // With SO_REUSEPORT two gateways could share a port unnoticed: without it the second is told.
            let probe = tcp(*address, false)?;
            let bound = probe.local_addr()?;
            drop(probe);
            let sockets = (0..cores).map(|_| tcp(bound, true).map(Bound::Tcp)).collect::<io::Result<_>>()?;
            Ok((sockets, Address::Tcp(bound)))
        }
    }
}

fn tcp(address: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn unix(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    let is_socket = path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket());
    if is_socket && UnixStream::connect(path).is_err() {
        // Nobody listens on it any more.
        std::fs::remove_file(path)?;
    }
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
