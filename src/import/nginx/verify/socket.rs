//! Where nginx listens: a socket of the file system where redirects say no port, one of the loopback where they do.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A socket, and the listener of the rules that it stands for.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    number: usize,
    /// The listener's name, where there are several.
    pub(super) listener: Option<String>,
    /// Whether it stands for TLS.
    pub(super) is_tls: bool,
    /// The port of the original that redirects say: the scheme's own is not said.
    pub(super) port: Option<u16>,
}

impl Socket {
    /// The socket for `address`, as `listen` has it.
    pub(super) fn new(number: usize, address: &str, listener: Option<String>, is_tls: bool) -> Self {
        let own = if is_tls { 443 } else { 80 };
        let text = address.rsplit_once(':').map_or(address, |(_, port)| port);
        let port = text.parse().ok().filter(|port| *port != own && !address.starts_with("unix:"));
        Self { number, listener, is_tls, port }
    }

    /// The address for `listen`; where it has a port, that is put in by [`Self::bound`].
    pub(super) fn listen(&self) -> String {
        match self.port {
            Some(_) => format!("127.0.0.1:{}", self.placeholder()),
            None => format!("unix:{}", self.file()),
        }
    }

    fn placeholder(&self) -> String {
        format!("rulec-port-{}-", self.number)
    }

    fn file(&self) -> String {
        format!("s{}.sock", self.number)
    }

    /// It with a port of the loopback that nobody listens on, if it needs one.
    pub(super) fn bound(&self) -> io::Result<Bound> {
        let port = match self.port {
            Some(_) => Some(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port()),
            None => None,
        };
        Ok(Bound { socket: self.clone(), port })
    }
}

/// A socket that nginx is told to listen on.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) socket: Socket,
    /// The port of the loopback that stands for the original's.
    pub(super) port: Option<u16>,
}

impl Bound {
    /// `line` of the configuration with the port in it.
    pub(super) fn put_in(&self, line: &str) -> String {
        self.port.map_or_else(|| line.to_owned(), |port| line.replace(&self.socket.placeholder(), &port.to_string()))
    }

    /// `text`, which nginx sent, with the original's port in place of ours.
    pub(super) fn restored(&self, text: &str) -> String {
        match (self.port, self.socket.port) {
            (Some(own), Some(original)) => text.replace(&format!(":{own}/"), &format!(":{original}/")),
            _ => text.to_owned(),
        }
    }

    /// A connection to it.
    pub(super) fn connect(&self, folder: &Path) -> io::Result<Stream> {
        match self.port {
            Some(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map(Stream::Tcp),
            None => UnixStream::connect(folder.join(self.socket.file())).map(Stream::Unix),
        }
    }
}

/// A connection.
#[derive(Debug)]
pub(super) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    pub(super) fn set_read_timeout(&self, after: Duration) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.set_read_timeout(Some(after)),
            Self::Tcp(stream) => stream.set_read_timeout(Some(after)),
        }
    }

    pub(super) fn shutdown(&self) {
        // Whatever fails here, it is closed.
        drop(match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
        });
    }
}

impl Read for &Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => (&*stream).read(buffer),
            Stream::Tcp(stream) => (&*stream).read(buffer),
        }
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => (&*stream).write(bytes),
            Stream::Tcp(stream) => (&*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
