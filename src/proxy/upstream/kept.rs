//! Connections that one core keeps for the next request.

use core::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;
use super::target::Server;

/// Connections of one core to one upstream that wait for a request.
#[derive(Debug, Default)]
pub(super) struct Idle {
    kept: Vec<Waiting>,
}

/// Where a connection belongs and how long it may be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) server: usize,
    pub(super) patience: Duration,
}

#[derive(Debug)]
struct Waiting {
    connection: Box<Connection>,
    kept: Kept,
    since: Instant,
}

impl Idle {
    /// Takes a connection back; of more than `max` the one that has waited longest goes.
    pub(super) fn put(&mut self, connection: Box<Connection>, kept: Kept, max: usize) {
        if self.kept.len() >= max && !self.kept.is_empty() {
            drop(self.kept.remove(0));
        }
        if self.kept.len() < max {
            self.kept.push(Waiting { connection, kept, since: Instant::now() });
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// The connection to a server that was used last and is still good, which is looked at more closely for what must
    /// not be sent twice.
    pub(super) fn take(&mut self, server: usize, idempotent: bool) -> Option<Box<Connection>> {
        let now = Instant::now();
        loop {
            let at = self.kept.iter().rposition(|waiting| waiting.kept.server == server)?;
            let Waiting { mut connection, kept: Kept { patience, .. }, since } = self.kept.remove(at);
            let idle = now.saturating_duration_since(since);
            if idle < patience && connection.is_quiet() && (idempotent || connection.is_quiet_now()) {
                connection.idle = Some(idle);
                (connection.sent, connection.received) = (0, 0);
                return Some(connection);
            }
        }
    }

    /// Closes what has waited for too long, or is with an address that its server has no more.
    pub(super) fn sweep(&mut self, servers: &[Server]) {
        self.kept.retain(|waiting| {
            let server = servers.get(waiting.kept.server);
            let is_there = server.is_some_and(|server| server.has(waiting.connection.peer.ip()));
            is_there && waiting.since.elapsed() < waiting.kept.patience
        });
    }
}
