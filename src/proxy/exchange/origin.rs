//! On whose behalf a request came, as far as it is believed.

use core::net::IpAddr;
use std::borrow::Cow;

use super::forwarded;
use crate::matcher::Scheme;
use crate::proxy::client::Peer;
use crate::proxy::config::{Forwarded, Listener};
use crate::proxy::http1::{Head, members};
use crate::proxy::network;

/// What is believed of the way that a request took.
#[derive(Debug)]
pub(super) struct Origin<'h> {
    /// The client: the last of the hops that no trusted one spoke for.
    pub(super) address: IpAddr,
    /// What the client speaks, by the word of the nearest hop if that is trusted.
    pub(super) scheme: Scheme,
    /// The port that the client came to; None where a trusted hop says what it spoke: then it came to that hop's.
    pub(super) port: Option<u16>,
    /// Whether what the peer says about others counts.
    pub(super) peer_is_trusted: bool,
    /// What it says; nothing where it is not trusted.
    pub(super) told: Told<'h>,
}

/// What a trusted hop says.
#[derive(Debug, Default)]
pub(super) struct Told<'h> {
    /// Addresses and names of those before it, the nearest last.
    pub(super) hops: Vec<Cow<'h, [u8]>>,
    /// The nearest's word; what farther ones say of it may be anybody's.
    scheme: Option<Cow<'h, [u8]>>,
    /// The Host that the client asked for.
    pub(super) host: Option<Cow<'h, [u8]>>,
    /// Its lines of `Forwarded`, where those count.
    pub(super) forwarded: Vec<&'h [u8]>,
}

impl<'h> Origin<'h> {
    pub(super) fn of(listener: &Listener, peer: &Peer, head: &'h Head) -> Self {
        let peer_is_trusted = network::is_trusted(peer.address, &listener.trusted);
        let told = if peer_is_trusted { Told::read(listener.forwarded, head) } else { Told::default() };
        let is_https = told.scheme.as_ref().map_or(peer.is_tls, |scheme| scheme.eq_ignore_ascii_case(b"https"));
        Self {
            address: network::client(peer.address, &listener.trusted, &told.hops),
            port: peer.port.filter(|_| told.scheme.is_none()),
            scheme: if is_https { Scheme::Https } else { Scheme::Http },
            peer_is_trusted,
            told,
        }
    }
}

impl<'h> Told<'h> {
    fn read(fields: Forwarded, head: &'h Head) -> Self {
        match fields {
            Forwarded::XForwarded => Self {
                hops: head.values("x-forwarded-for").flat_map(members).map(Cow::Borrowed).collect(),
                scheme: head.values("x-forwarded-proto").flat_map(members).last().map(Cow::Borrowed),
                host: head.values("x-forwarded-host").find(|value| !value.is_empty()).map(Cow::Borrowed),
                forwarded: Vec::new(),
            },
            Forwarded::Standard => {
                // A line that breaks off in the middle says nothing, nor do those before it: nobody knows who wrote what.
                let lines: Option<Vec<_>> = head.values("forwarded").map(forwarded::elements).collect();
                let Some(lines) = lines else { return Self::default() };
                let mut told = Self { forwarded: head.values("forwarded").collect(), ..Self::default() };
                for element in lines.into_iter().flatten() {
                    told.hops.push(element.client.unwrap_or(Cow::Borrowed(b"unknown")));
                    told.scheme = element.scheme;
                    told.host = element.host;
                }
                told
            }
        }
    }
}
