//! Who is at the other end of a connection, and what it speaks.

use core::net::IpAddr;
use std::rc::Rc;

use crate::proxy::http1::Head;

/// What is known of a client before its first request.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Peer {
    /// Its address, or what a trusted balancer said in a PROXY header; of a Unix socket 127.0.0.1.
    pub(in crate::proxy) address: IpAddr,
    /// The port that it came to; of a Unix socket none.
    pub(in crate::proxy) port: Option<u16>,
    pub(in crate::proxy) protocol: Protocol,
    pub(in crate::proxy) is_tls: bool,
    /// What it showed in the handshake, verified: its own certificate (DER).
    pub(in crate::proxy) certificate: Option<Rc<[u8]>>,
}

/// What is spoken on a connection, settled before its first octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Protocol {
    Http1,
    Http2,
}

impl Peer {
    /// What `head` came by, as nginx's `$server_protocol` has it.
    pub(in crate::proxy) fn version(&self, head: &Head) -> &'static str {
        match (self.protocol, head.minor) {
            (Protocol::Http2, _) => "HTTP/2.0",
            (Protocol::Http1, 0) => "HTTP/1.0",
            (Protocol::Http1, _) => "HTTP/1.1",
        }
    }
}
