//! Sockets to listen on.

use core::net::SocketAddr;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use socket2::{Domain, Protocol, Socket, Type};

use super::inherited::Inherited;
use crate::proxy::config::Address;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// A bound socket, not yet in any runtime.
#[derive(Debug)]
pub(in crate::proxy) enum Bound {
    Tcp(std::net::TcpListener),
    Unix(UnixListener),
}

impl Bound {
    pub(super) fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.set_nonblocking(true),
            Self::Unix(socket) => socket.set_nonblocking(true),
        }
    }

    /// The port that is listened on; a Unix socket has none.
    pub(in crate::proxy) fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(socket) => socket.local_addr().ok().map(|address| address.port()),
            Self::Unix(_) => None,
        }
    }

    fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(socket) => socket.try_clone().map(Self::Tcp),
            Self::Unix(socket) => socket.try_clone().map(Self::Unix),
        }
    }

    /// Where it is.
    fn address(&self) -> io::Result<Address> {
        Ok(match self {
            Self::Tcp(socket) => Address::Tcp(socket.local_addr()?),
            Self::Unix(socket) => {
                Address::Unix(socket.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default())
            }
        })
    }
}

/// A socket for each of `cores` that `address` is heard on, and where that is. `mode` is for the file of a Unix socket.
///
/// On TCP each has its own queue. A Unix socket, or one that was handed over, has one for all.
pub(in crate::proxy) fn bind(
    address: &Address,
    mode: Option<u32>,
    cores: usize,
    inherited: &mut Inherited,
) -> io::Result<(Vec<Bound>, Address)> {
    let sockets = match address {
        Address::Tcp(address) => {
            // With SO_REUSEPORT two gateways could share a port unnoticed: without it the second is told. It does not
            // listen: whoever came to it would be turned away.
            let probe = tcp(*address, false)?;
            let bound = probe.local_addr()?.as_socket().unwrap_or(*address);
            drop(probe);
            (0..cores).map(|_| listening(tcp(bound, true)?)).collect::<io::Result<_>>()?
        }
        Address::Unix(path) => vec![Bound::Unix(unix(path, mode)?)],
        Address::Inherited(name) => inherited.sockets(name)?,
    };
    let first = sockets.first().ok_or_else(|| io::Error::other("no core serves"))?;
    let address = first.address()?;
    let clones = sockets.iter().cycle().take(cores.saturating_sub(sockets.len())).map(Bound::try_clone);
    let clones: Vec<Bound> = clones.collect::<io::Result<_>>()?;
    Ok((sockets.into_iter().chain(clones).collect(), address))
}

fn listening(socket: Socket) -> io::Result<Bound> {
    socket.listen(BACKLOG)?;
    Ok(Bound::Tcp(socket.into()))
}

fn tcp(address: SocketAddr, shared: bool) -> io::Result<Socket> {
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
    Ok(socket)
}

fn unix(path: &Path, mode: Option<u32>) -> io::Result<UnixListener> {
    let is_socket = path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket());
    if is_socket && UnixStream::connect(path).is_err() {
        // Nobody listens on it any more.
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    if let Some(mode) = mode {
        std::fs::set_permissions(path, Permissions::from_mode(mode))?;
    }
    listener.set_nonblocking(true)?;
    Ok(listener)
}
