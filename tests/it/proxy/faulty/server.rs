//! A server that does one thing wrong, on every connection.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

use crate::proxy::harness::{PATIENCE, ReadWrite, Wire};

/// A server, and how many connections came to it.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) connections: Arc<AtomicUsize>,
}

/// What a server does with a connection.
pub(super) type Serve = Box<dyn Fn(TcpStream) + Send + Sync>;

impl Server {
    pub(super) fn start(serve: Serve) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = listener.local_addr().expect("address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, serve) = (Arc::clone(&connections), Arc::new(serve));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::SeqCst);
                socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
                socket.set_nodelay(true).expect("nodelay");
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(socket));
            }
        });
        Self { port, connections }
    }
}

/// Serves by `script` whatever is spoken over TLS, or without it.
pub(super) fn spoken(tls: Option<Arc<ServerConfig>>, script: impl Fn(Spoken) + Send + Sync + 'static) -> Serve {
    Box::new(move |socket| script(Spoken::new(socket, tls.as_ref())))
}

/// A connection, in whatever way it is spoken.
pub(super) struct Spoken {
    pub(super) wire: Wire,
    /// The socket below.
    socket: TcpStream,
}

impl Spoken {
    fn new(socket: TcpStream, tls: Option<&Arc<ServerConfig>>) -> Self {
        let under = socket.try_clone().expect("clone");
        let stream: Box<dyn ReadWrite> = match tls {
            None => Box::new(under),
            Some(config) => {
                let session = ServerConnection::new(Arc::clone(config)).expect("session");
                Box::new(StreamOwned::new(session, under))
            }
        };
        Self { wire: Wire { stream, buffer: Vec::new() }, socket }
    }

    /// Reads a whole request, which has to come.
    pub(super) fn request(&mut self) -> bool {
        self.wire.request().is_some()
    }

    /// Reads what comes first.
    pub(super) fn read_some(&mut self) {
        drop(self.wire.stream.read(&mut [0; 4096]));
    }

    pub(super) fn send(&mut self, octets: impl AsRef<[u8]>) {
        self.wire.send(octets);
    }

    /// Ends the connection by RST.
    pub(super) fn reset(self) {
        reset(&self.socket);
    }

    /// Closes, having read all that the other side has to say.
    pub(super) fn finish(mut self) {
        self.socket.shutdown(std::net::Shutdown::Write).expect("shuts down");
        while self.socket.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
    }

    /// Reads wait until something comes, or the other side ends the connection.
    pub(super) fn wait_for_ever(&self) {
        self.socket.set_read_timeout(None).expect("timeout");
    }

    /// Says nothing more until the other side has gone.
    pub(super) fn hang(mut self) {
        while self.wire.stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
    }

    /// Sends an octet now and again, for longer than anybody waits here.
    pub(super) fn drip(mut self) {
        for _ in 0..200 {
            thread::sleep(Duration::from_millis(20));
            if self.wire.stream.write_all(b"x").and_then(|()| self.wire.stream.flush()).is_err() {
                return;
            }
        }
    }

    /// Takes nothing more, either.
    pub(super) fn sulk(self) {
        thread::sleep(PATIENCE);
        drop(self);
    }
}

/// The next close of `socket` is an RST.
pub(super) fn reset(socket: &TcpStream) {
    SockRef::from(socket).set_linger(Some(Duration::ZERO)).expect("linger");
}

/// Reads one TLS record: the `ClientHello`.
pub(super) fn hello(socket: &mut TcpStream) -> bool {
    let mut head = [0; 5];
    if socket.read_exact(&mut head).is_err() {
        return false;
    }
    let mut rest = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    socket.read_exact(&mut rest).is_ok()
}

/// Waits until the other side has ended the connection.
pub(super) fn wait_for_end(socket: &mut TcpStream) {
    while socket.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
}
