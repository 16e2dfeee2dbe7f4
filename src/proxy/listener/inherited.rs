//! Sockets that systemd (or whoever started the gateway) listens on already.

use std::io;

use listenfd::ListenFd;

use super::bind::Bound;

/// What is there to be taken: `LISTEN_FDS` and `LISTEN_FDNAMES`.
pub(in crate::proxy) struct Inherited {
    sockets: ListenFd,
    names: Vec<String>,
}

impl Inherited {
    /// Takes them out of the environment: a process that this one starts must not think them its own.
    pub(in crate::proxy) fn take() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        Self { sockets: ListenFd::from_env(), names: names.split(':').map(str::to_owned).collect() }
    }

    /// The sockets called `name`, or the one whose number, from 0, it is.
    pub(super) fn sockets(&mut self, name: &str) -> io::Result<Vec<Bound>> {
        let numbers: Vec<usize> = match name.parse() {
            Ok(number) => vec![number],
            Err(_) => (0..self.sockets.len()).filter(|at| self.names.get(*at).is_some_and(|n| n == name)).collect(),
        };
        let mut taken = Vec::new();
        for number in numbers {
            taken.extend(self.socket(number)?);
        }
        if taken.is_empty() {
            let what =
                format!("nobody handed over a socket `{name}`: {} came, called {:?}", self.sockets.len(), self.names);
            return Err(io::Error::new(io::ErrorKind::NotFound, what));
        }
        Ok(taken)
    }

    fn socket(&mut self, number: usize) -> io::Result<Option<Bound>> {
        // Of two kinds, the second may be right; where both are wrong the first says why.
        let bound = match self.sockets.take_tcp_listener(number) {
            Ok(socket) => socket.map(Bound::Tcp),
            Err(error) => self.sockets.take_unix_listener(number).map_err(|_| error)?.map(Bound::Unix),
        };
        if let Some(bound) = &bound {
            bound.set_nonblocking()?;
        }
        Ok(bound)
    }
}
