//! From an accepted socket to a client that may send requests: who it is, and what it speaks.

use core::net::IpAddr;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use rustls::HandshakeKind;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;

use super::counters::count;
use super::proxy_protocol::{self, Source};
use super::queue::Queue;
use super::tls::{Termination, handshake};
use crate::proxy::client::{self, Held, Peer, Protocol, Stream};
use crate::proxy::config::{Http2, Listener};
use crate::proxy::network;
use crate::proxy::rare::rare;
use crate::proxy::worker::Worker;

/// A listener as one core sees it.
#[derive(Debug)]
pub(in crate::proxy) struct Door {
    pub(in crate::proxy) worker: Rc<Worker>,
    pub(in crate::proxy) listener: Rc<Listener>,
    /// Of the socket; a Unix socket has none.
    pub(in crate::proxy) port: Option<u16>,
    pub(in crate::proxy) tls: Option<Arc<Termination>>,
    pub(in crate::proxy) queue: Rc<Queue>,
}

/// Serves a connection from its first octet on.
pub(super) async fn admit(door: Rc<Door>, stream: Stream, address: IpAddr, mut stop: watch::Receiver<bool>) {
    let Some((stream, peer)) = door.open(stream, address, &mut stop).await else { return };
    client::serve(Rc::clone(&door.worker), Rc::clone(&door.listener), stream, peer, stop).await;
}

impl Door {
    /// None where there is nobody to serve.
    async fn open(&self, stream: Stream, address: IpAddr, stop: &mut watch::Receiver<bool>) -> Option<(Stream, Peer)> {
        if !self.listener.proxy_protocol && self.tls.is_none() {
            return Some((stream, self.clear_peer(address)));
        }
        let counters = &self.worker.shared.doors;
        let patience = self.listener.limits(self.worker.shared.limits).handshake_time_max;
        let connected = self.worker.connected();
        let waiting = self.queue.enter();
        let opened = tokio::select! {
            opened = rare(self.introduce(stream, address)) => opened,
            () = sleep(patience) => {
                count(&counters.handshakes_late);
                None
            }
            () = waiting.evicted() => {
                count(&counters.handshakes_evicted);
                None
            }
            _ = stop.wait_for(|stop| *stop) => None,
        };
        drop((connected, waiting));
        opened
    }

    async fn introduce(&self, mut stream: Stream, address: IpAddr) -> Option<(Stream, Peer)> {
        let counters = &self.worker.shared.doors;
        let address = if self.listener.proxy_protocol {
            match self.source(&mut stream, address).await {
                Ok(source) => source,
                Err(reason) => {
                    count(&counters.proxy_protocol_refused);
                    if let Some(left_out) = counters.proxy_protocol_lines.pass(1) {
                        let listener = &self.listener.name;
                        tracing::info!(listener, peer = %address, reason, left_out, "a PROXY header was refused");
                    }
                    return None;
                }
            }
        } else {
            address
        };
        let Some(termination) = &self.tls else { return Some((stream, self.clear_peer(address))) };
        match handshake(termination, &self.queue.turn, stream).await {
            Ok(stream) => {
                let (_, session) = stream.get_ref();
                count(&counters.handshakes);
                if session.handshake_kind() == Some(HandshakeKind::Resumed) {
                    count(&counters.resumed);
                }
                let peer = self.secure_peer(address, &stream);
                Some((Stream::Tls(Box::new(stream)), peer))
            }
            Err(error) => {
                count(&counters.handshakes_failed);
                // Whoever only looks whether the port is open says nothing.
                if error.kind() != io::ErrorKind::UnexpectedEof
                    && let Some(left_out) = counters.handshake_lines.pass(1)
                {
                    let listener = &self.listener.name;
                    tracing::info!(listener, peer = %address, %error, left_out, "a TLS handshake failed");
                }
                None
            }
        }
    }

    /// Whose connection it is, as the balancer says.
    async fn source(&self, stream: &mut Stream, balancer: IpAddr) -> Result<IpAddr, &'static str> {
        if !network::is_trusted(balancer, &self.listener.trusted) {
            return Err("the peer is none of the trusted hops");
        }
        match proxy_protocol::read(stream).await {
            Ok(Source::Address(client)) => Ok(client.to_canonical()),
            Ok(Source::Unsaid) => Ok(balancer),
            Err(malformed) => Err(malformed.0),
        }
    }

    fn clear_peer(&self, address: IpAddr) -> Peer {
        let prior_knowledge = self.listener.http2 == Http2::PriorKnowledge;
        let protocol = if prior_knowledge { Protocol::Http2 } else { Protocol::Http1 };
        Peer { address, port: self.port, protocol, is_tls: false, certificate: None }
    }

    fn secure_peer(&self, address: IpAddr, stream: &TlsStream<Held<Stream>>) -> Peer {
        let (_, session) = stream.get_ref();
        let protocol = if session.alpn_protocol() == Some(b"h2") { Protocol::Http2 } else { Protocol::Http1 };
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        let certificate = certificate.map(|certificate| Rc::from(certificate.as_ref()));
        Peer { address, port: self.port, protocol, is_tls: true, certificate }
    }
}
